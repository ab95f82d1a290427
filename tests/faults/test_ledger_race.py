"""Two operators that both act, 200 jobs and room for 20: never more than 20, each job once at a time, and all of them.

Drivers are sent to a node that is not there: it is the ledger that is on trial, at the speed of the API server. Their
pods are as live as any, for Kubernetes and the operator: they hold CU until they are gone.
"""

from __future__ import annotations

import json
import statistics
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.operator_process import Manifest, OperatorProcess, Ou, stream_job, stream_resource
from cluster.pod_watch import most_at_once, watched

JOBS, CAPACITY = 200, 20
# How long each job runs before it is paused or deleted.
TURN_SECONDS = 2.0
WITHIN_SECONDS = 540.0
# A CU that a job has left is another's after so long: it is leaving for one second, the rest is passes and requests.
IDLE_SECONDS = 15.0
NOWHERE = '--driver-node-selector={"streamjob.dev/race": "nowhere"}'


@pytest.fixture
def rivals(idle_operator: OperatorProcess, tmp_path: Path) -> Iterator[list[OperatorProcess]]:
    """Two operators without a lease."""
    of = idle_operator
    made = [
        OperatorProcess(
            of.kubeconfig, of.namespace, of.catalogue, tmp_path / f"{name}.log", extra=("--no-leader-election", NOWHERE)
        )
        for name in ("one", "two")
    ]
    for operator in made:
        operator.start()
    yield made
    for operator in made:
        assert operator.is_running()
        operator.stop()


def test_two_acting_operators_give_200_jobs_their_turn_on_20_cu(ou: Ou, rivals: list[OperatorProcess]) -> None:
    names = [f"raced-{number:03}" for number in range(JOBS)]
    with watched(ou.cluster, ou.namespace) as events:
        began = time.monotonic()
        ou.apply(stream_resource(standalone=CAPACITY), *map(stream_job, names))
        applied = time.monotonic()
        serve(ou, names, events, until=began + WITHIN_SECONDS)
        took = time.monotonic() - began
    events = drivers(events)
    most, most_of = most_at_once(events)
    idle = idle_times(events, applied, served=JOBS)
    figures = {
        "jobs": JOBS,
        "capacity_cu": CAPACITY,
        "most_live_cu": most,
        "most_live_of_a_job": max(most_of.values()),
        "seconds": round(took, 1),
        "idle_seconds_median": round(statistics.median(idle), 2),
        "idle_seconds_longest": round(max(idle), 2),
        "refused_writes": [operator.log.read_text().count("Conflict") for operator in rivals],
    }
    print(json.dumps(figures))
    assert most == CAPACITY
    assert set(most_of) == set(names)
    assert set(most_of.values()) == {1}
    assert max(idle) <= IDLE_SECONDS


def serve(ou: Ou, names: list[str], events: list[Manifest], until: float) -> None:
    """Whoever has run for a while is paused or deleted, one after the other, until everyone has run."""
    left = set(names)
    while left:
        assert time.monotonic() < until, f"{len(left)} of {len(names)} jobs never ran, e.g. {min(left)}"
        first_seen = began_of(events)
        done = [name for name in left if first_seen.get(name, time.monotonic()) <= time.monotonic() - TURN_SECONDS]
        paused = [name for name in done if int(name[-1]) % 2]
        if paused:
            ou.apply(*(stream_job(name, state="Paused") for name in paused))
        if len(paused) < len(done):
            deleted = [name for name in done if name not in paused]
            ou.cluster.kubectl("delete", "-n", ou.namespace, "streamjob", *deleted, "--wait=false")
        left -= set(done)
        time.sleep(0.2)  # a pace for the users, not a wait for anything


def drivers(events: list[Manifest]) -> list[Manifest]:
    """The events of drivers; the OU's check of its connections has a pod, too."""
    return [event for event in list(events) if "streamjob.dev/job" in event["object"]["metadata"].get("labels", {})]


def began_of(events: list[Manifest]) -> dict[str, float]:
    """When the first pod of each job was seen."""
    found: dict[str, float] = {}
    for event in drivers(events):
        found.setdefault(event["object"]["metadata"]["labels"]["streamjob.dev/job"], event["seen"])
    return found


def idle_times(events: list[Manifest], since: float, served: int) -> list[float]:
    """For how long each CU was nobody's, before every start of a pod: the one that was free first is taken first."""
    free = deque([since] * CAPACITY)
    alive: set[str] = set()
    idle: list[float] = []
    for event in events:
        uid = event["object"]["metadata"]["uid"]
        if event["type"] == "DELETED" and uid in alive:
            alive.remove(uid)
            free.append(event["seen"])
        elif event["type"] != "DELETED" and uid not in alive and len(idle) < served:
            alive.add(uid)
            idle.append(max(event["seen"] - free.popleft(), 0))
    return idle
