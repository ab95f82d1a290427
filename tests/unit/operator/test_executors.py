"""Executors: how many there are, what keeps them, and which are left over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from streamjob_api import kinds
from streamjob_api.progress import DriverState, Progress
from streamjob_api.status import Executors
from streamjob_operator.jobs.decide import decide
from streamjob_operator.jobs.executors import counted, hindered, orphans, with_remedy
from streamjob_operator.observed import Container, Pod
from streamjob_operator.telling.status import summarise
from unit.operator.builders import JOB_UID, NOW, job, observed, pod, running_status

JOB = job()
DRIVER = replace(pod(JOB), workers=2)


def executor(number: int, of: Pod = DRIVER, **more: Any) -> Pod:
    made = replace(of, name=f"extremes-1-exec-{number}", uid=f"exec-{number}", component=kinds.EXECUTOR, workers=0)
    return replace(made, job_uid=JOB_UID, owner_uid=of.uid, cu=1, phase="Running", **more)


def test_executors_that_run_are_counted_beside_those_that_are_wanted() -> None:
    another = replace(DRIVER, uid="another")
    found = [
        executor(1),
        replace(executor(2), phase="Pending"),
        replace(executor(3), phase="Failed"),
        replace(executor(4), terminating=True),
        executor(5, another),
    ]
    assert counted(DRIVER, found) == Executors(requested=2, running=1)


def test_a_standalone_driver_has_no_executors_to_count() -> None:
    assert counted(replace(DRIVER, workers=0), []) is None
    assert counted(None, [executor(1)]) is None


def test_the_status_tells_of_executors_as_long_as_their_driver_lives() -> None:
    of = job(status=running_status(JOB))
    seen = replace(observed(of, DRIVER), executors=(executor(1),))
    status = summarise(seen, decide(seen, NOW), NOW, 60)
    assert status.executors == Executors(requested=2, running=1)


def test_what_keeps_an_executor_is_told() -> None:
    waiting = Container(state="waiting", reason="ErrImagePull", message="no such image")
    stuck = replace(executor(2), phase="Pending", container=waiting)
    assert "extremes-1-exec-2: no such image" in hindered(DRIVER, [executor(1), stuck])
    assert hindered(DRIVER, [executor(1)]) == ""


def test_a_job_without_executors_says_what_keeps_them() -> None:
    waiting = Container(state="waiting", reason="ErrImagePull", message="no such image")
    stuck = replace(executor(1), phase="Pending", container=waiting)
    words = {"reason": "NoExecutors", "message": "none of 2 executors has run for 61 s"}
    said = Progress(state=DriverState.RUNNING, attempt=1, started_at=NOW, observed_at=NOW, **words)
    of = job(status=running_status(JOB))
    seen = replace(observed(of, replace(DRIVER, ready=False), progress=said), executors=(stuck,))
    ready = decide(seen, NOW).ready
    assert (ready.holds, ready.reason) == (False, "NoExecutors")
    assert ready.message.startswith("none of 2 executors has run for 61 s; pod extremes-1-exec-1: no such image")


def test_an_account_that_is_missing_is_told_with_what_to_do() -> None:
    said = 'pods "a-1-driver" is forbidden: error looking up service account ou/streamjob-driver: serviceaccount '
    told = with_remedy(f'{said}"streamjob-driver" not found')
    assert told.endswith(
        "name this namespace in the chart's drivers.cluster.namespaces, or apply the manifest of docs/cluster-mode.md"
    )
    assert with_remedy("exceeded quota: pods=4") == "exceeded quota: pods=4"


def test_executors_of_a_dead_driver_are_cleared_away() -> None:
    failed = replace(DRIVER, phase="Failed")
    of_former, own = executor(1, replace(DRIVER, uid="former")), executor(2)
    assert orphans(JOB_UID, [DRIVER], [of_former, own]) == (of_former,)
    assert orphans(JOB_UID, [failed], [own]) == (own,)
    assert orphans(JOB_UID, [failed], [replace(own, terminating=True), replace(own, phase="Failed")]) == ()


def test_executors_of_another_job_of_the_same_name_are_left_to_their_owner() -> None:
    assert orphans(JOB_UID, [], [replace(executor(1), job_uid="deleted")]) == ()


def test_a_dead_drivers_executors_are_deleted_and_a_living_ones_are_not() -> None:
    of = job(status=running_status(JOB))
    living = replace(observed(of, DRIVER), executors=(executor(1),))
    assert decide(living, NOW).stop == ()
    dead = replace(observed(of, replace(DRIVER, phase="Failed")), executors=(executor(1),))
    assert executor(1) in decide(dead, NOW).stop
