"""How often thing models are looked at."""

from __future__ import annotations

from kubernetes.aio import client

from streamjob_operator.api_server.cluster import Cluster
from streamjob_operator.api_server.connection import Connection
from streamjob_operator.api_server.models_reader import ModelsReader
from streamjob_operator.validation import found_models, missing_models
from unit.operator.test_verdict_cache import Ou, windows

MODELS = found_models("models", {"models.yaml": "models: [{id: M, points: [{id: A, type: AI, dataType: double}]}]"})


def reader(ou: Ou) -> ModelsReader:
    """Nothing is sent: only the time of the next look is asked for."""
    return ModelsReader(Cluster(Connection(client.ApiClient(client.Configuration()))), ou.world, 45)


def looks(of: ModelsReader) -> list[float]:
    return [seconds for _ in range(50) if (seconds := of.next_look("ou")) is not None]


async def test_an_ou_without_models_is_not_looked_at() -> None:
    of = reader(Ou())
    assert (of.is_read("ou"), looks(of)) == (True, [])


async def test_looks_are_spread_over_half_a_minute_to_a_minute() -> None:
    ou = Ou(models={"configMap": "models"})
    of = reader(ou)
    assert not of.is_read("ou")
    ou.world.verdicts.put_models("ou", MODELS)
    assert of.is_read("ou")
    seen = looks(of)
    assert 30 <= min(seen) < 35
    assert 55 < max(seen) <= 60


async def test_looks_are_frequent_while_somebody_waits() -> None:
    ou = Ou(models={"configMap": "models"})
    of = reader(ou)
    ou.world.verdicts.put_models("ou", missing_models("models"))
    assert max(looks(of)) < 7
    ou.world.verdicts.put_models("ou", MODELS)
    assert min(looks(of)) >= 30
    ou.see("unknown", **windows("A", "B"))
    assert max(looks(of)) < 7
