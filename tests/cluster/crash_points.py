"""The operator dies right after a step and is started again: all ends as it would have without that.

Steps are those of ``crashing_operator``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.operator_process import (
    Manifest,
    OperatorProcess,
    Ou,
    condition,
    is_ready,
    on_one_volume,
    reason,
    stream_job,
    stream_resource,
)
from cluster.pod_watch import most_at_once, watched
from fixtures.eventually import eventually

LAUNCHER = (str(Path(__file__).parent / "crashing_operator.py"),)
NORMAL = ("-m", "streamjob_operator")
SLOW_STOP = {"slow_stop": 2}
WHILE_THE_POD_ENDS = {"delete_pod", "put_resource_status"}


def crash_at_start(ou: Ou, operator: OperatorProcess, step: str) -> None:
    _start_to_crash(operator, step)
    with _one_driver_of(ou, "crashed"):
        ou.apply(stream_resource(), stream_job("crashed"))
        _start_again(operator)
        status = ou.job_until("crashed", is_ready, within_seconds=120)
    assert (status["attempt"], status["restarts"]["total"]) == (1, 0)
    assert [pod["metadata"]["name"] for pod in ou.pods()] == ["crashed-1-driver"]
    _is_kept_once(ou, "crashed", generations=[1])


def crash_at_replacement(ou: Ou, operator: OperatorProcess, step: str, edit: Manifest | None = None) -> Manifest:
    """While an edited job's driver is replaced; its status at the end."""
    _running(ou, operator, "replaced")
    _start_to_crash(operator, step)
    with _one_driver_of(ou, "replaced"):
        ou.patch("replaced", edit or {"rateLimit": 7})
        _start_again(operator)
        status = ou.job_until("replaced", lambda status: status["attempt"] == 2 and is_ready(status), 120)
    assert status["restarts"]["total"] == 0
    _is_kept_once(ou, "replaced", generations=[1, 2])
    return status


def crash_at_stateless_upgrade(ou: Ou, operator: OperatorProcess, step: str) -> None:
    """The state is dropped once, not once more for each start of the operator."""
    policy = {"input": "M::A", "aggregation": "max", "windowSize": "20m", "output": "M::replaced"}
    edit = {"timeWindowAggregation": {"policies": [policy]}, "upgradeMode": "Stateless"}
    status = crash_at_replacement(ou, operator, step, edit)
    assert (status["deployed"]["epoch"], status["highestEpoch"]) == (1, 1)


def crash_at_rest(ou: Ou, operator: OperatorProcess, state: str, step: str) -> None:
    """While a job is paused or stopped; then it runs again, from where it was or from the beginning."""
    _running(ou, operator, "rested")
    _start_to_crash(operator, step)
    with _one_driver_of(ou, "rested"):
        ou.patch("rested", {"state": state})
        _start_again(operator)
        status = ou.job_until("rested", lambda status: reason(status) == state and is_ready(status), 120)
        assert (status["restarts"]["total"], status["admittedCu"]) == (0, 0)
        _is_told_gracefully(status["stop"], or_unseen=step in WHILE_THE_POD_ENDS)
        ou.patch("rested", {"state": "Running"})
        status = ou.job_until("rested", lambda status: reason(status) == "Running" and is_ready(status), 120)
    epoch = 0 if state == "Paused" else 1
    assert (status["attempt"], status["deployed"]["epoch"], status["restarts"]["total"]) == (2, epoch, 0)


def _is_told_gracefully(stop: Manifest, *, or_unseen: bool) -> None:
    """A pod that ends while no operator is there is gone with its last words, and the status says so."""
    assert stop["graceful"] or (or_unseen and "its last words were not seen" in stop["message"])


def crash_at_re_creation(ou: Ou, operator: OperatorProcess, step: str) -> None:
    """While a job is deleted and made anew under its name, its first driver still stopping."""
    _running(ou, operator, "again")
    former = ou.get("streamjob", "again")["metadata"]["uid"]
    _start_to_crash(operator, step)
    with _one_driver_of(ou, "again"):
        ou.delete("streamjob", "again", "--wait=false")
        ou.apply(stream_job("again", SLOW_STOP))
        _start_again(operator)
        ou.job_until("again", is_ready, within_seconds=120)
    now = ou.get("streamjob", "again")
    assert now["metadata"]["uid"] != former
    assert now["status"]["restarts"]["total"] == 0
    assert {pod["metadata"]["ownerReferences"][0]["uid"] for pod in ou.pods()} == {now["metadata"]["uid"]}


def crash_at_rollback(ou: Ou, operator: OperatorProcess, step: str) -> None:
    """While a spec that never becomes healthy gives way to the last stable one."""
    lifecycle = {"stopDeadline": "20s", "startDeadline": "5s", "rollbackOnFailure": True}
    operator.start()
    ou.apply(*on_one_volume(), stream_job("back", {"idle": True}, lifecycle=lifecycle))
    ou.job_until("back", lambda status: bool(status.get("lastStable")))
    operator.stop()
    _start_to_crash(operator, step)
    with _one_driver_of(ou, "back"):
        ou.patch("back", {"rateLimit": 7, "description": '{"exit": 65, "message": "no such thing"}'})
        _start_again(operator)
        status = ou.job_until("back", _runs_rolled_back, 120)
    assert (status["deployed"]["generation"], status["deployed"]["epoch"]) == (1, 0)
    assert (status["rolledBack"]["generation"], status["rolledBack"]["reason"]) == (2, "InvalidConfiguration")


def _runs_rolled_back(status: Manifest) -> bool:
    """The job is not Ready, for its spec is not; the driver of its stable spec is."""
    stalled = condition(status, "Stalled")
    return stalled.get("reason") == "RolledBack" and stalled["message"].endswith(
        "the former spec (generation 1) runs on"
    )


@contextmanager
def _one_driver_of(ou: Ou, name: str) -> Iterator[None]:
    with watched(ou.cluster, ou.namespace) as events:
        yield
    assert most_at_once(events) == (1, {name: 1})


def _running(ou: Ou, operator: OperatorProcess, name: str) -> None:
    """A job that runs and whose spec is kept, and no operator."""
    operator.start()
    ou.apply(*on_one_volume(), stream_job(name, SLOW_STOP))
    ou.job_until(name, lambda status: is_ready(status) and bool(status["deployed"].get("revision")))
    operator.stop()


def _is_kept_once(ou: Ou, name: str, generations: list[int]) -> None:
    """One revision for each spec that was deployed."""
    ou.job_until(name, lambda status: bool(status["deployed"].get("revision")), within_seconds=60)
    kept = ou.items("controllerrevisions", f"streamjob.dev/job={name}")
    assert sorted(revision["revision"] for revision in kept) == generations


def _start_to_crash(operator: OperatorProcess, step: str) -> None:
    operator.launcher = LAUNCHER
    operator.environment = {"CRASH_AFTER": step}
    operator.start()


def _start_again(operator: OperatorProcess) -> None:
    eventually(lambda: not operator.is_running(), within_seconds=180)  # a step may come after a driver is ready
    operator.launcher = NORMAL
    operator.start()
