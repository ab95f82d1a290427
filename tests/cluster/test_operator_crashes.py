"""The operator dies at the worst moments, or may do less than it wants: no driver is ever doubled."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from cluster.crash_points import crash_at_start
from cluster.operator_process import (
    Manifest,
    OperatorProcess,
    Ou,
    condition,
    is_ready,
    reason,
    stream_job,
    stream_resource,
    thing_models,
)
from localcluster.problems import ClusterError


@pytest.mark.parametrize("step", ["write_job_status:Starting", "create:Pod"])
def test_a_crash_between_intent_and_pod_leaves_one_driver(ou: Ou, idle_operator: OperatorProcess, step: str) -> None:
    crash_at_start(ou, idle_operator, step)


RULES: list[Manifest] = [
    {"apiGroups": ["streamjob.dev"], "resources": ["streamjobs", "streamresources"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": ["streamjob.dev"], "resources": ["streamjobs/status"], "verbs": ["patch"]},
    {"apiGroups": ["streamjob.dev"], "resources": ["streamresources/status"], "verbs": ["update"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch", "create", "patch", "delete"]},
    {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "create", "patch", "delete"]},
    {"apiGroups": [""], "resources": ["persistentvolumeclaims"], "verbs": ["get", "create", "patch"]},
    {"apiGroups": ["apps"], "resources": ["controllerrevisions"], "verbs": ["get", "list", "create", "delete"]},
    {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["list", "create", "patch"]},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]},
]


def role(rules: list[Manifest]) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "operator"},
        "rules": rules,
    }


def restricted(ou: Ou, folder: Path, rules: list[Manifest] = RULES) -> Path:
    """A kubeconfig of a service account that may do what the operator needs, in its namespace, and nothing else."""
    subject = {"kind": "ServiceAccount", "name": "operator", "namespace": ou.namespace}
    ou.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "operator"}},
        role(rules),
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "operator"},
            "subjects": [subject],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "operator"},
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
    models = thing_models("A", "modest")
    ou.apply(models, stream_resource(models={"configMap": "thing-models"}), stream_job("modest"))
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


def test_thing_models_that_it_may_not_read_are_told_and_read_as_soon_as_it_may(
    ou: Ou, idle_operator: OperatorProcess, tmp_path: Path
) -> None:
    without_reading = [rule for rule in RULES if rule["resources"] != ["configmaps"]]
    idle_operator.kubeconfig = restricted(ou, tmp_path, without_reading)
    idle_operator.extra = (f"--lease-namespace={ou.namespace}",)
    idle_operator.start()
    resource = stream_resource(models={"configMap": "thing-models"})
    ou.apply(thing_models("A", "shy"), resource, stream_job("shy", state="Released"))
    status = ou.job_until("shy", lambda status: reason(status) == "ModelsMissing")
    assert "may not be read by the operator" in condition(status, "Ready")["message"]
    ou.apply(role(RULES))
    ou.job_until("shy", is_ready)


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
