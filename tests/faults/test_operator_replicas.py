"""Two operators at once: one leads and the other takes over, or both act. No driver is ever doubled."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.operator_process import OperatorProcess, Ou, is_ready, stream_job, stream_resource
from cluster.pod_watch import most_at_once, watched
from fixtures.eventually import eventually


@pytest.fixture
def replicas(ou: Ou, idle_operator: OperatorProcess, tmp_path: Path) -> Iterator[list[OperatorProcess]]:
    """Two operators that stand for election."""
    made = []
    for name in ("one", "two"):
        extra = (f"--lease-namespace={ou.namespace}", f"--pod-name={name}")
        log = tmp_path / f"{name}.log"
        made.append(OperatorProcess(idle_operator.kubeconfig, ou.namespace, idle_operator.catalogue, log, extra=extra))
    yield made
    for operator in made:
        if operator.is_running():
            operator.stop()
        print(operator.log.read_text())


def leader(ou: Ou) -> str:
    return str(ou.get("lease", "streamjob-operator").get("spec", {}).get("holderIdentity", ""))


def test_the_other_replica_acts_within_fifteen_seconds_and_a_woken_ex_leader_does_no_harm(
    ou: Ou, replicas: list[OperatorProcess]
) -> None:
    first, second = replicas
    first.start()
    eventually(lambda: leader(ou), until=lambda name: name == "one")
    second.start()
    ou.apply(stream_resource(), stream_job("carried"))
    ou.job_until("carried", is_ready)
    assert first.process
    first.process.send_signal(signal.SIGSTOP)
    with watched(ou.cluster, ou.namespace) as events:
        eventually(lambda: leader(ou), until=lambda name: name == "two", within_seconds=15)
        ou.patch("carried", {"restartNonce": 1})
        ou.job_until("carried", lambda status: status["attempt"] == 2 and is_ready(status))
        first.process.send_signal(signal.SIGCONT)
        assert first.process.wait(timeout=30) is not None
        ou.patch("carried", {"restartNonce": 2})
        ou.job_until("carried", lambda status: status["attempt"] == 3 and is_ready(status))
    assert most_at_once(events) == (1, {"carried": 1})


def test_a_stopped_leader_hands_over_at_once(ou: Ou, replicas: list[OperatorProcess]) -> None:
    first, second = replicas
    first.start()
    eventually(lambda: leader(ou), until=lambda name: name == "one")
    second.start()
    eventually(lambda: "stands by" in second.log.read_text())
    first.stop()
    eventually(lambda: leader(ou), until=lambda name: name == "two", within_seconds=5)


def test_two_operators_that_both_act_admit_no_more_than_there_is(
    ou: Ou, idle_operator: OperatorProcess, replicas: list[OperatorProcess]
) -> None:
    names = [f"raced-{number}" for number in range(8)]
    with watched(ou.cluster, ou.namespace) as events:
        for operator in replicas:
            operator.extra = ("--no-leader-election",)
            operator.start()
        ou.apply(stream_resource(standalone=3), *(stream_job(name) for name in names))
        ready = eventually(lambda: ready_names(ou), until=lambda ready: len(ready) == 3, within_seconds=90)
        ou.cluster.kubectl("delete", "-n", ou.namespace, "streamjob", *ready, "--wait=false")
        eventually(lambda: ready_names(ou), until=lambda now: len(set(now) - set(ready)) == 3, within_seconds=90)
    most, most_of = most_at_once(events)
    assert most == 3
    assert set(most_of.values()) == {1}


def ready_names(ou: Ou) -> list[str]:
    return [job["metadata"]["name"] for job in ou.items("streamjobs") if is_ready(job.get("status", {}))]
