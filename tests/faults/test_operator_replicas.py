"""Two operators at once: one leads and the other takes over, or both act. No driver is ever doubled."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cluster.operator_process import OperatorProcess, Ou, is_ready, on_one_volume, stream_job
from cluster.pod_watch import most_at_once, watched
from fixtures.eventually import eventually
from fixtures.fault_proxy import Fault, FaultProxy


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
        print(operator.log.read_text() if operator.log.exists() else "was not started")


def leader(ou: Ou) -> str:
    return str(ou.get("lease", "streamjob-operator").get("spec", {}).get("holderIdentity", ""))


@pytest.fixture
def proxies(ou: Ou, replicas: list[OperatorProcess], tmp_path: Path) -> Iterator[list[FaultProxy]]:
    """Each replica reaches the API server through a proxy of its own, which notes what it writes."""
    made = []
    for operator, name in zip(replicas, ("one", "two"), strict=True):
        folder = tmp_path / f"proxy-{name}"
        folder.mkdir()
        proxy = FaultProxy(ou.cluster.kubeconfig, folder)
        proxy.start()
        operator.kubeconfig = proxy.kubeconfig
        made.append(proxy)
    yield made
    for operator in replicas:
        if operator.is_running():
            operator.kill()
    for proxy in made:
        proxy.stop()


def lead_and_stand_by(ou: Ou, replicas: list[OperatorProcess]) -> None:
    first, second = replicas
    first.start()
    eventually(lambda: leader(ou), until=lambda name: name == "one")
    second.start()
    eventually(lambda: "stands by" in second.log.read_text())


def first_act(proxy: FaultProxy, since: float, within_seconds: float) -> float:
    """Seconds until a replica writes anything but the Lease."""
    eventually(lambda: proxy.writes_since(since), within_seconds=within_seconds, every_seconds=0.05)
    return next(at for at, _, path in proxy.writes if at >= since and "/leases/" not in path) - since


def test_the_other_replica_acts_within_fifteen_seconds_of_its_leaders_death(
    ou: Ou, replicas: list[OperatorProcess], proxies: list[FaultProxy]
) -> None:
    lead_and_stand_by(ou, replicas)
    ou.apply(*on_one_volume(), stream_job("carried"), stream_job("kept"))
    kept = {name: ou.job_until(name, is_ready) for name in ("carried", "kept")}["kept"]
    with watched(ou.cluster, ou.namespace) as events:
        replicas[0].kill()
        killed = time.monotonic()
        ou.patch("carried", {"restartNonce": 1})
        took = first_act(proxies[1], killed, within_seconds=15)
        print(f"the other replica acted {took:.1f} s after the kill")
        ou.job_until("carried", lambda status: status["attempt"] == 2 and is_ready(status))
    assert took <= 15
    assert most_at_once(events) == (2, {"carried": 1, "kept": 1})
    assert ou.get("streamjob", "kept")["status"]["driver"] == kept["driver"]
    assert ou.get("streamjob", "carried")["status"]["restarts"]["total"] == 0


def test_a_leader_that_was_stopped_and_woken_writes_nothing_more_and_ends(
    ou: Ou, replicas: list[OperatorProcess], proxies: list[FaultProxy]
) -> None:
    first, _ = replicas
    lead_and_stand_by(ou, replicas)
    ou.apply(*on_one_volume(), stream_job("carried"))
    ou.job_until("carried", is_ready)
    assert first.process
    first.process.send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    with watched(ou.cluster, ou.namespace) as events:
        eventually(lambda: leader(ou), until=lambda name: name == "two", within_seconds=20)
        ou.patch("carried", {"restartNonce": 1})  # news that waits in the stopped leader's watch
        ou.job_until("carried", lambda status: status["attempt"] == 2 and is_ready(status))
        first.process.send_signal(signal.SIGCONT)
        assert first.process.wait(timeout=30) is not None
        ou.patch("carried", {"restartNonce": 2})
        ou.job_until("carried", lambda status: status["attempt"] == 3 and is_ready(status))
    assert proxies[0].writes_since(stopped + 1) == []  # a second for what was under way
    assert proxies[1].writes_since(stopped)
    assert most_at_once(events) == (1, {"carried": 1})


def test_a_slow_api_server_makes_no_leadership_flap_and_a_deleted_lease_makes_no_second_leader(
    ou: Ou, replicas: list[OperatorProcess], proxies: list[FaultProxy]
) -> None:
    lead_and_stand_by(ou, replicas)
    slow = Fault(delay=(4.5, 5.5))
    with ExitStack() as stack:
        for proxy in proxies:
            stack.enter_context(proxy.faulty(slow))
        seen = {leader(ou) for _ in looks_for(40)}
    assert seen == {"one"}
    ou.delete("lease", "streamjob-operator")
    seen = {leader(ou) for _ in looks_for(15)}
    assert seen - {""} == {"one"}
    assert all(operator.is_running() for operator in replicas)
    assert "lost the lease" not in replicas[0].log.read_text()


def looks_for(seconds: float) -> Iterator[None]:
    """Look again and again for so long: what must not happen has no moment to wait for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.2)


def test_a_stopped_leader_hands_over_at_once(ou: Ou, replicas: list[OperatorProcess]) -> None:
    first, _ = replicas
    lead_and_stand_by(ou, replicas)
    assert first.process
    since = time.monotonic()
    first.process.send_signal(signal.SIGTERM)
    eventually(lambda: leader(ou), until=lambda name: name == "two", within_seconds=5)
    print(f"the other replica led {time.monotonic() - since:.1f} s after SIGTERM")
    assert first.process.wait(timeout=30) == 0


def test_two_operators_that_both_act_admit_no_more_than_there_is(
    ou: Ou, idle_operator: OperatorProcess, replicas: list[OperatorProcess]
) -> None:
    names = [f"raced-{number}" for number in range(8)]
    with watched(ou.cluster, ou.namespace) as events:
        for operator in replicas:
            operator.extra = ("--no-leader-election",)
            operator.start()
        ou.apply(*on_one_volume(standalone=3), *(stream_job(name) for name in names))
        ready = eventually(lambda: ready_names(ou), until=lambda ready: len(ready) == 3, within_seconds=90)
        ou.cluster.kubectl("delete", "-n", ou.namespace, "streamjob", *ready, "--wait=false")
        eventually(lambda: ready_names(ou), until=lambda now: len(set(now) - set(ready)) == 3, within_seconds=90)
    most, most_of = most_at_once(events)
    assert most == 3
    assert set(most_of.values()) == {1}


def ready_names(ou: Ou) -> list[str]:
    return [job["metadata"]["name"] for job in ou.items("streamjobs") if is_ready(job.get("status", {}))]
