"""Records made for chosen assets, and of their latest values."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from streamjob_runtime.templates import Surroundings, for_job
from streamjob_runtime.templates.asset_values import latest_of
from streamjob_runtime.templates.surroundings import Asset, LatestValue
from unit.calculators.known import Known
from unit.calculators.pipelines import START, Outcome, Sent, job, run, stage
from unit.runtime.windows_bench import MemoryStore

MINUTE = 60_000
ASSETS = {
    "m1": Asset("M", tags={"region": "north", "kind": "main"}),
    "m2": Asset("N", tags={"region": "south"}),
    "site": Asset("Site", children={"grid": ("m1", "m9"), "other": ("m2",)}),
    "site-2": Asset("Site", children={"grid": ("m9",)}),
}
GENERATORS: dict[str, dict[str, Any]] = {
    "record-generator": {"points": ["M::A"], "output": "M::B", "value": {"time": True}},
    "virtual-record-generator": {"points": ["M::A"], "output": "M::B"},
}


KNOWN = Known(ASSETS).surroundings


def made(calculator: str = "record-generator", **parameters: Any) -> dict[str, Any]:
    return stage(calculator, name="made", **{**GENERATORS[calculator], **parameters})


def ran(stages: Sequence[Mapping[str, Any]], *sent: Sent, known: Surroundings = KNOWN) -> Outcome:
    return run(stages, *([each] for each in sent), surroundings=known)


@pytest.mark.parametrize("calculator", GENERATORS)
@pytest.mark.parametrize(
    ("assets", "names"),
    [
        ({"ids": ["m1", "m7"]}, ["m1", "m7"]),
        ({"below": {"tree": "grid", "assets": ["site", "site-2", "nobody"]}}, ["m1", "m9"]),
    ],
)
def test_the_clock_makes_records_of_listed_assets_that_sent_nothing(
    calculator: str, assets: dict[str, Any], names: list[str]
) -> None:
    stages = [made(calculator, every="1m", assets=assets)]
    found = ran(stages, Sent("A", 0, 1, "else"), Sent("A", 2 * MINUTE, 1, "else"))
    assert sorted(found.values("assetId", "time")) == [(name, number * MINUTE) for name in names for number in (1, 2)]
    assert {record["modelIdPath"] for record in found.records} == {"/M"}


@pytest.mark.parametrize("calculator", GENERATORS)
@pytest.mark.parametrize("assets", [{"models": ["M", "X"]}, {"tags": {"region": ["north"], "kind": ["main", "x"]}}])
def test_the_clock_makes_records_of_known_assets_of_models_and_tags(calculator: str, assets: dict[str, Any]) -> None:
    stages = [made(calculator, every="1m", assets=assets)]
    sent = [Sent("A", 0, 1), Sent("A", 1, 1, "m2"), Sent("A", 2, 1, "nobody"), Sent("A", MINUTE, 1)]
    assert ran(stages, *sent).values("assetId", "time") == [("m1", MINUTE)]


def test_a_record_of_a_listed_asset_tells_its_model() -> None:
    stages = [made(every="1m", output="N::B", assets={"ids": ["m1", "m7"]})]
    found = ran(stages, Sent("A", 0, 1), Sent("A", 1, 1, "m2"), Sent("A", MINUTE, 1))
    assert sorted(found.values("assetId", "modelIdPath")) == [("m1", "/M"), ("m7", "/N")]


@pytest.mark.parametrize(
    "assets",
    [
        {"ids": ["m1"]},
        {"models": ["M"]},
        {"tags": {"kind": ["main"]}},
        {"below": {"tree": "grid", "assets": ["site"]}},
    ],
)
def test_records_of_other_assets_trigger_nothing(assets: dict[str, Any]) -> None:
    stages = [made(assets=assets)]
    found = ran(stages, Sent("A", 0, 1), Sent("A", 1, 1, "m2"), Sent("A", 2, 1, "nobody"))
    assert found.values("assetId") == [("m1",)]
    assert found.counted["discarded"] == 2


def test_each_shard_makes_records_of_its_own_assets() -> None:
    class Shard(MemoryStore):
        def owned(self, assets: Sequence[str]) -> list[str]:
            return [asset for asset in assets if asset in {"m2", "m4"}]

    template = for_job(job([made(every="1m", assets={"ids": ["m1", "m2", "m3", "m4"]})]), Surroundings())
    store = Shard()
    first = template.fold(store, [], START)
    assert (first.results.height, first.deadline) == (0, START + MINUTE)
    folded = template.fold(store, [], START + MINUTE)
    assert folded.results["asset"].to_list() == ["m2", "m4"]
    assert folded.deadline == START + 2 * MINUTE


def test_what_leaves_the_list_has_no_ticks_any_more() -> None:
    store, sites = MemoryStore(), {"site": Asset(children={"grid": ("m1", "m2")})}
    known = Known(sites)
    below = made(every="1m", assets={"below": {"tree": "grid", "assets": ["site"]}})
    template = for_job(job([below]), known.surroundings)
    template.fold(store, [], START)
    sites["site"] = Asset(children={"grid": ("m2", "m3")})
    assert template.fold(store, [], START + MINUTE).results["asset"].to_list() == ["m2"]
    assert sorted(template.fold(store, [], START + 2 * MINUTE).results["asset"]) == ["m2", "m3"]


@pytest.mark.parametrize(
    ("value", "sent"), [(5.5, 5.5), (7, 7), ("on", "on"), (True, True), (LatestValue(1, 2.0).value, 2.0)]
)
def test_the_latest_value_of_redis_is_the_records(value: float | str | bool, sent: object) -> None:
    known = Known(latest_values={("m1", "N::Z"): LatestValue(START - 5, value)}).surroundings
    stages = [made(value={"latest": "N::Z"})]
    found = ran(stages, Sent("A", 1, 1), Sent("A", 2, 1, "m2"), known=known)
    assert found.values("assetId", "time", "value") == [("m1", 1, sent)]
    assert found.attached("recordGenerator") == [{"trigger": "M::A", "latestTime": START - 5}]
    assert found.counted["missing"] == 1


def test_the_clock_asks_for_latest_values() -> None:
    known = Known(latest_values={(asset, "M::A"): LatestValue(START, 3.0) for asset in ("m1", "m2")}).surroundings
    stages = [made(every="1m", value={"latest": "M::A"})]
    found = ran(stages, Sent("A", 0, 1), Sent("A", 1, 1, "m2"), Sent("A", MINUTE, 1), known=known)
    assert sorted(found.values("assetId", "value")) == [("m1", 3), ("m2", 3)]
    assert found.attached("recordGenerator") == [{"trigger": None, "latestTime": START}] * 2


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (b'{"time":5,"value":1.5,"quality":0,"rev":"1-2"}', LatestValue(5, 1.5)),
        (b'{"time":5,"value":"on"}', LatestValue(5, "on")),
        (b'{"time":5,"value":false}', LatestValue(5, value=False)),
        (None, None),
        (b'{"time":5,"value":null}', None),
        (b'{"time":5,"value":[1]}', None),
        (b'{"time":5,"value":1e999}', None),
        (b'{"time":5,"value":1' + b"0" * 400 + b"}", None),
        (b'{"time":99999999999999999999,"value":1}', None),
        (b'{"time":5.5,"value":1}', None),
        (b'{"time":true,"value":1}', None),
        (b'{"value":1}', None),
        (b"5", None),
        (b"{", None),
        (b"is no hash", None),
    ],
)
def test_what_redis_may_hold(written: bytes | None, told: LatestValue | None) -> None:
    assert latest_of(written) == told


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"assets": {}}, "nothing is given; write one of ids, below, models, tags"),
        ({"assets": {"ids": ["a"], "models": ["M"]}}, "ids and models are given"),
        ({"assets": {"ids": ["a", "a"]}}, "'a' is listed twice"),
        ({"assets": {"below": {"tree": "g", "assets": []}}}, "assets"),
    ],
)
def test_assets_that_make_no_sense_are_told(parameters: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        job([made(**parameters)])


@pytest.mark.parametrize(
    ("parameters", "needs"),
    [
        ({}, False),
        ({"assets": {"ids": ["m1"]}}, False),
        ({"assets": {"models": ["M"]}}, True),
        ({"assets": {"tags": {"a": ["b"]}}}, True),
        ({"assets": {"below": {"tree": "g", "assets": ["s"]}}}, True),
        ({"value": {"latest": "M::A"}}, True),
    ],
)
def test_redis_is_needed_where_it_is_asked(parameters: dict[str, Any], needs: bool) -> None:
    (node,) = job([made(**parameters)]).pipeline.graph.nodes  # type: ignore[union-attr]
    assert node.parameters.needs_redis() is needs
