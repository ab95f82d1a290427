"""What is watched, what is kept of it, and what is left on users' objects: nothing."""

from __future__ import annotations

import gc
import json
import tracemalloc
from typing import Any

import kopf
import pytest
import yaml

from fixtures.chart import ROOT
from streamjob_api import kinds
from streamjob_operator import handlers
from streamjob_operator.plan import plan
from streamjob_operator.settings import DriverSettings
from streamjob_operator.world import World
from unit.operator.builders import CATALOGUE, JOB_UID, job, job_manifest, runnable

KIB = 1024


class Idle:
    """An operator that has nothing to do."""

    def __init__(self) -> None:
        self.operator = self
        self.leave = lambda: None

    async def start(self) -> None:
        pass


async def configured() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    start: Any = handlers.start
    await start(settings=settings, memo=Idle())
    return settings


async def test_only_the_operators_own_pods_are_watched() -> None:
    settings = await configured()
    registry: Any = kopf.get_default_registry()
    watched = {
        handler.selector.plural or handler.selector.any_name: handler for handler in registry._watching._handlers
    }
    assert set(watched) == {kinds.STREAM_JOBS, kinds.STREAM_RESOURCES, "pods"}
    assert settings.watching.label_selectors["", "v1", "pods"] == kinds.PODS_SELECTOR


async def test_no_object_has_a_finalizer() -> None:
    await configured()
    registry: Any = kopf.get_default_registry()
    assert [*registry._changing._handlers, *registry._spawning._handlers, *registry._webhooks._handlers] == []
    planned = plan(job(), runnable(job()), 1, 0, DriverSettings())
    made = [path.read_text() for path in (ROOT / "charts" / "streamjob-operator" / "templates").rglob("*.yaml")]
    assert "finalizers:" not in json.dumps(planned) + "".join(made)
    assert "finalizers" not in yaml.safe_dump(planned)


@pytest.mark.parametrize("mode", ["Standalone", "Cluster"])
def test_no_pod_is_told_of_the_namespaces_services(mode: str) -> None:
    sizes: dict[str, Any] = {"Standalone": {"mode": "Standalone", "cu": 1}}
    sizes["Cluster"] = {"mode": "Cluster", "master": {"cu": 1}, "workers": 2, "worker": {"cu": 1}}
    storage: dict[str, Any] = {"checkpoints": {"claimName": "shared"}, "capacity": {"standalone": 4, "cluster": 4}}
    of = job(resources=sizes[mode])
    planned = json.dumps(plan(of, runnable(of, **storage), 1, 0, DriverSettings()))
    pods = 1 if mode == "Standalone" else 2  # the template of executors is text in a ConfigMap
    assert planned.count("enableServiceLinks") == pods
    assert 'enableServiceLinks": true' not in planned


def test_the_cache_keeps_extracts_and_no_bodies() -> None:
    world, number = World(CATALOGUE), 200
    gc.collect()
    tracemalloc.start()
    for each in range(number):
        name = f"job-{each}"
        ballast = {"annotations": {"note": "x" * 50 * KIB}, "managedFields": [{"f": f"{each}" * 10 * KIB}]}
        meta = {**job_manifest()["metadata"], **ballast, "name": name, "uid": f"{JOB_UID}-{each}"}
        world.see_job(job_manifest() | {"metadata": meta | {"resourceVersion": "7"}})
        labels = {kinds.JOB_LABEL: name, kinds.COMPONENT_LABEL: kinds.DRIVER}
        pod = {"name": f"{name}-1-driver", "namespace": "ou", "uid": f"pod-{each}", "labels": labels, **ballast}
        env = [{"name": "E", "value": "x" * 50 * KIB}]
        world.see_pod(
            {
                "metadata": pod | {"creationTimestamp": "2026-01-31T11:00:00Z"},
                "spec": {"containers": [{"name": "c", "env": env}]},
                "status": {"phase": "Running"},
            }
        )
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept / number < 25 * KIB
