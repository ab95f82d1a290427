"""Drivers that are not heard of, do not end or do not get ready: what is said, and that no second one is started."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from streamjob_api.progress import DriverState, Progress
from streamjob_operator.catalogue import Catalogue
from streamjob_operator.jobs.course import Course
from streamjob_operator.jobs.decide import decide
from streamjob_operator.observed import Hindrance, Pod
from streamjob_operator.world import World
from unit.operator.builders import NOW, job, observed, pod, running_status

CONTAINERS_READY = ({"type": "ContainersReady", "status": "True"},)


def course(seen: Pod, seconds: float = 0, state: str = "Running") -> Course:
    of = job(state=state)
    return decide(observed(job(state=state, status=running_status(of)), seen), NOW + timedelta(seconds=seconds))


def test_a_driver_whose_node_is_silent_is_kept_and_said_to_be_lost() -> None:
    chosen = course(pod(job(), ready=False, conditions=CONTAINERS_READY))
    assert (chosen.phase, chosen.ready.reason, chosen.start, chosen.stop) == ("Degraded", "NodeLost", None, ())
    assert chosen.working
    assert chosen.stuck is None
    assert "kubectl delete node node-1" in chosen.ready.message


@pytest.mark.parametrize("state", ["Running", "Paused", "Stopped"])
def test_a_driver_that_does_not_end_is_waited_for_and_somebody_is_asked_to_act(state: str) -> None:
    ending = pod(job(), ready=False, terminating=True, ends_by=NOW)
    soon, late = course(ending, 14, state), course(ending, 15, state)
    assert soon.stuck is None
    assert soon.again_in is not None
    assert soon.again_in <= 1
    assert late.stuck
    assert (late.stuck.reason, late.start, late.memory.attempt) == ("NodeLost", None, 1)


@pytest.mark.parametrize(
    ("state", "seconds", "reason"),
    [
        (None, 299, "DriverStarting"),
        (None, 301, "StartTimeout"),
        ("Running", 299, "DriverStarting"),
        ("Running", 301, "DriverNotReady"),
        ("Starting", 301, "DriverStarting"),
    ],
)
def test_a_driver_is_on_its_way_until_its_deadline_or_as_long_as_it_says_so(
    state: str | None, seconds: int, reason: str
) -> None:
    seen = pod(job(), ready=False, created=NOW, container={"running": {"startedAt": "2026-01-31T12:00:01Z"}})
    said = Progress(state=DriverState(state), attempt=1, started_at=NOW, observed_at=NOW) if state else None
    of = observed(job(status=running_status(job())), seen, progress=said)
    assert decide(of, NOW + timedelta(seconds=seconds)).ready.reason == reason


def seen_in(world: World, **status: Any) -> None:
    statuses = [{"name": "spark-kubernetes-driver", "state": {"waiting": {"reason": "ContainerCreating"}}}]
    meta = {
        "name": "extremes-1-driver",
        "namespace": "ou",
        "uid": "pod-1",
        "creationTimestamp": "2026-01-31T12:00:00Z",
        "labels": {"streamjob.dev/job": "extremes", "streamjob.dev/component": "driver"},
    }
    of = {"phase": "Pending", "containerStatuses": statuses, **status}
    world.see_pod({"metadata": meta, "spec": {"nodeName": "node-1"}, "status": of})


def test_what_holds_a_pod_up_is_known_until_its_container_is_made() -> None:
    world, missing = World(Catalogue({})), Hindrance("ContainerConfigError", "Secret x not found")
    key = job().key
    seen_in(world)
    (driver,) = world.pods(key)
    assert world.hinder(driver, missing)
    assert not world.hinder(driver, missing), "that is not new"
    seen_in(world)
    assert [pod.hindrance for pod in world.pods(key)] == [missing]
    assert world.hinder(driver, None)
    assert world.hinder(driver, missing)
    running = [{"name": "spark-kubernetes-driver", "state": {"running": {}}}]
    seen_in(world, phase="Running", containerStatuses=running)
    assert [pod.hindrance for pod in world.pods(key)] == [None]
    assert not world.hinder(driver, missing)
