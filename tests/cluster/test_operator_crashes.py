"""The operator dies at the worst moments, runs twice, or may do less than it wants: no driver is ever doubled."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from cluster.crash_points import crash_at_replacement, crash_at_start
from cluster.operator_process import Manifest, OperatorProcess, Ou, is_ready, reason, stream_job, stream_resource
from cluster.pod_watch import most_at_once, watched
from fixtures.eventually import eventually
from localcluster.problems import ClusterError


@pytest.mark.parametrize("step", ["write_job_status", "Pod"])
def test_a_crash_between_intent_and_pod_leaves_one_driver(ou: Ou, idle_operator: OperatorProcess, step: str) -> None:
    crash_at_start(ou, idle_operator, step)


def test_a_crash_during_a_replacement_leaves_one_driver(ou: Ou, idle_operator: OperatorProcess) -> None:
    crash_at_replacement(ou, idle_operator, "delete_pod")


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


RULES: list[Manifest] = [
    {"apiGroups": ["streamjob.dev"], "resources": ["streamjobs", "streamresources"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": ["streamjob.dev"], "resources": ["streamjobs/status"], "verbs": ["patch"]},
    {"apiGroups": ["streamjob.dev"], "resources": ["streamresources/status"], "verbs": ["update"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch", "create", "patch", "delete"]},
    {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "create", "patch", "delete"]},
    {"apiGroups": [""], "resources": ["persistentvolumeclaims"], "verbs": ["get", "create", "patch"]},
    {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]},
]


def restricted(ou: Ou, folder: Path) -> Path:
    """A kubeconfig of a service account that may do what the operator needs, in its namespace, and nothing else."""
    subject = {"kind": "ServiceAccount", "name": "operator", "namespace": ou.namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "operator"}
    ou.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "operator"}},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": "operator"},
            "rules": RULES,
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "operator"},
            "subjects": [subject],
            "roleRef": role,
        },
    )
    token = ou.cluster.kubectl("create", "token", "-n", ou.namespace, "operator").strip()
    config = yaml.safe_load(ou.cluster.kubectl("config", "view", "--raw", "--minify", "--flatten"))
    config["users"] = [{"name": config["contexts"][0]["context"]["user"], "user": {"token": token}}]
    path = folder / "restricted-kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def test_it_runs_in_its_namespace_without_any_cluster_role(
    ou: Ou, idle_operator: OperatorProcess, tmp_path: Path
) -> None:
    idle_operator.kubeconfig = restricted(ou, tmp_path)
    idle_operator.extra = (f"--lease-namespace={ou.namespace}",)
    idle_operator.start()
    ou.apply(stream_resource(), stream_job("modest"))
    ou.job_until("modest", is_ready)
    ou.patch("modest", {"restartNonce": 1})
    ou.job_until("modest", lambda status: status["attempt"] == 2 and is_ready(status))
    ou.patch("modest", {"state": "Paused"})
    ou.job_until("modest", lambda status: reason(status) == "Paused")
    assert "403" not in idle_operator.log.read_text()
    assert not may(ou, "update", "streamjobs.streamjob.dev")
    assert not may(ou, "patch", "streamjobs.streamjob.dev")
    assert not may(ou, "get", "secrets")
    assert may(ou, "patch", "streamjobs.streamjob.dev/status")


def may(ou: Ou, verb: str, resource: str) -> bool:
    account = f"system:serviceaccount:{ou.namespace}:operator"
    plain, _, part = resource.partition("/")
    arguments = [
        "auth",
        "can-i",
        verb,
        plain,
        "-n",
        ou.namespace,
        f"--as={account}",
        *([f"--subresource={part}"] if part else []),
    ]
    try:
        return ou.cluster.kubectl(*arguments).strip() == "yes"
    except ClusterError:
        return False
