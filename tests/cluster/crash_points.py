"""The operator dies right after a step and is started again: one driver, and none was counted as lost."""

from __future__ import annotations

from pathlib import Path

from cluster.operator_process import OperatorProcess, Ou, is_ready, stream_job, stream_resource
from cluster.pod_watch import most_at_once, watched
from fixtures.eventually import eventually

LAUNCHER = (str(Path(__file__).parent / "crashing_operator.py"),)
NORMAL = ("-m", "streamjob_operator")


def crash_at_start(ou: Ou, operator: OperatorProcess, step: str) -> None:
    """Steps: methods of Cluster, or kinds of objects that are applied."""
    _start_to_crash(operator, step)
    with watched(ou.cluster, ou.namespace) as events:
        ou.apply(stream_resource(), stream_job("crashed"))
        _start_again(operator)
        status = ou.job_until("crashed", is_ready, within_seconds=120)
    assert (status["attempt"], status["restarts"]["total"]) == (1, 0)
    assert [pod["metadata"]["name"] for pod in ou.pods()] == ["crashed-1-driver"]
    assert most_at_once(events) == (1, {"crashed": 1})


def crash_at_replacement(ou: Ou, operator: OperatorProcess, step: str) -> None:
    """The same, while an edited job's driver is replaced."""
    operator.start()
    ou.apply(stream_resource(), stream_job("replaced", {"slow_stop": 2}))
    ou.job_until("replaced", is_ready)
    operator.stop()
    _start_to_crash(operator, step)
    with watched(ou.cluster, ou.namespace) as events:
        ou.patch("replaced", {"rateLimit": 7})
        _start_again(operator)
        status = ou.job_until(
            "replaced", lambda status: status["attempt"] == 2 and is_ready(status), within_seconds=120
        )
    assert status["restarts"]["total"] == 0
    assert most_at_once(events) == (1, {"replaced": 1})


def _start_to_crash(operator: OperatorProcess, step: str) -> None:
    operator.launcher = LAUNCHER
    operator.environment = {"CRASH_AFTER": step}
    operator.start()


def _start_again(operator: OperatorProcess) -> None:
    eventually(lambda: not operator.is_running(), within_seconds=60)
    operator.launcher = NORMAL
    operator.start()
