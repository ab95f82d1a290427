"""What the chart makes, put before a real API server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from fixtures.chart import CHART, Chart, of_kind
from fixtures.chart import chart as our_chart
from fixtures.eventually import eventually
from fixtures.installation import Installation, installed, stand_in
from localcluster.problems import ClusterError
from localcluster.providers import Cluster

RESOURCE = {
    "apiVersion": "streamjob.dev/v1beta1",
    "kind": "StreamResource",
    "metadata": {"name": "energy"},
    "spec": {"capacity": {"standalone": 1}, "kafka": {"bootstrapServers": "kafka:9092"}},
}


@pytest.fixture(scope="module")
def chart() -> Chart:
    return our_chart()


@pytest.fixture(scope="module")
def installation(cluster: Cluster, chart: Chart) -> Iterator[Installation]:
    with installed(cluster, chart, f"chart-{uuid4().hex[:8]}", {"rbac": {"userRoles": False}}) as installation:
        yield installation


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    namespace = f"chart-namespace-{uuid4().hex[:8]}"
    cluster.create_namespace(namespace)
    yield namespace
    cluster.kubectl("delete", "namespace", namespace, "--wait=false", "--ignore-not-found")


@pytest.mark.parametrize("mode", ["cluster", "namespaces"])
def test_the_api_server_takes_every_object(cluster: Cluster, chart: Chart, namespace: str, mode: str) -> None:
    values: dict[str, Any] = {"fullnameOverride": namespace, "replicas": 2}
    if mode == "namespaces":
        values["watchNamespaces"] = [namespace]
    manifests = [m for m in chart.render(values) if m["kind"] != "CustomResourceDefinition"]
    for manifest in manifests:
        if "namespace" in manifest["metadata"]:
            manifest["metadata"]["namespace"] = namespace
    cluster.kubectl("apply", "--dry-run=server", "-f", "-", input="\n---\n".join(map(json.dumps, manifests)))


def test_the_api_server_takes_the_crds(cluster: Cluster, chart: Chart) -> None:
    crds = of_kind("CustomResourceDefinition", chart.render())
    options = ("--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict")
    cluster.kubectl("apply", *options, "-f", "-", input="\n---\n".join(map(json.dumps, crds)))


def test_helm_accepts_the_chart_on_this_cluster(cluster: Cluster, namespace: str) -> None:
    values = {"fullnameOverride": namespace, "watchNamespaces": [namespace], "crds": {"install": False}}
    said = cluster.helm(
        *("install", namespace, str(CHART), "--namespace", namespace, "--dry-run=server", "--values", "-"),
        input=json.dumps(values),
    )
    assert f"kubectl -n {namespace} rollout status" in said


def test_pods_of_the_chart_pass_the_restricted_standard(cluster: Cluster, chart: Chart, namespace: str) -> None:
    cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    (deployment,) = of_kind("Deployment", chart.render())
    template = deployment["spec"]["template"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "operator", "namespace": namespace},
        "spec": template["spec"],
    }
    pod["spec"]["serviceAccountName"] = "default"
    cluster.kubectl("apply", "--dry-run=server", "-f", "-", input=json.dumps(pod))


@pytest.mark.parametrize(
    ("verb", "what", "subresource"),
    [
        ("watch", "streamjobs.streamjob.dev", ""),
        ("patch", "streamjobs.streamjob.dev", "status"),
        ("update", "streamresources.streamjob.dev", "status"),
        ("create", "pods", ""),
        ("delete", "pods", ""),
        ("create", "configmaps", ""),
        ("create", "persistentvolumeclaims", ""),
    ],
)
def test_the_operator_may(installation: Installation, verb: str, what: str, subresource: str) -> None:
    assert installation.may(verb, what, subresource=subresource, who=installation.operator, namespace="default")


@pytest.mark.parametrize(
    ("verb", "what", "subresource"),
    [
        ("patch", "streamjobs.streamjob.dev", ""),
        ("update", "streamjobs.streamjob.dev", ""),
        ("delete", "streamjobs.streamjob.dev", ""),
        ("patch", "streamresources.streamjob.dev", ""),
        ("delete", "persistentvolumeclaims", ""),
        ("get", "secrets", ""),
        ("list", "secrets", ""),
        ("watch", "configmaps", ""),
        ("create", "pods", "exec"),
        ("get", "pods", "log"),
        ("create", "roles.rbac.authorization.k8s.io", ""),
        ("list", "nodes", ""),
        ("list", "namespaces", ""),
    ],
)
def test_the_operator_may_not(installation: Installation, verb: str, what: str, subresource: str) -> None:
    assert not installation.may(verb, what, subresource=subresource, who=installation.operator, namespace="default")


def test_the_lease_is_the_operators_in_its_own_namespace_alone(installation: Installation, namespace: str) -> None:
    lease, operator = "leases.coordination.k8s.io/streamjob-operator", installation.operator
    assert installation.may("update", lease, who=operator)
    assert not installation.may("update", lease, who=operator, namespace=namespace)
    assert not installation.may("update", "leases.coordination.k8s.io/another", who=operator)


def test_namespaced_rights_end_at_the_namespace(cluster: Cluster, chart: Chart, namespace: str) -> None:
    stand_in(cluster, chart, namespace, {"watchNamespaces": [namespace], "protectResourcesInUse": False})
    installation = Installation(cluster, namespace, [])
    assert installation.may("create", "pods", who=installation.operator)
    assert not installation.may("create", "pods", who=installation.operator, namespace="default")
    assert not installation.may("list", "streamjobs.streamjob.dev", who=installation.operator, namespace="default")


def create_resource(cluster: Cluster, namespace: str) -> None:
    cluster.kubectl("-n", namespace, "apply", "-f", "-", input=json.dumps(RESOURCE))


def set_in_use(cluster: Cluster, namespace: str, value: bool) -> None:
    patch = json.dumps({"status": {"inUse": value}})
    resource = ("streamresource", "energy", "--subresource=status", "--type=merge", "-p", patch)
    cluster.kubectl("-n", namespace, "patch", *resource)


def refusal(cluster: Cluster, namespace: str) -> str:
    """What the server says to a deletion; empty when it would delete. A dry run: admission runs, nothing goes."""
    try:
        cluster.kubectl("-n", namespace, "delete", "streamresource", "energy", "--dry-run=server")
    except ClusterError as error:
        return str(error)
    return ""


def refusal_while_in_use(cluster: Cluster, namespace: str) -> str:
    """To be asked again: a policy takes a moment to be enforced, and an operator that runs here corrects the status."""
    set_in_use(cluster, namespace, value=True)
    return refusal(cluster, namespace)


def test_a_resource_in_use_cannot_be_deleted_and_the_message_says_what_to_do(
    cluster: Cluster, installation: Installation, namespace: str
) -> None:
    create_resource(cluster, namespace)

    message = eventually(lambda: refusal_while_in_use(cluster, namespace))
    assert f"StreamResource {namespace}/energy is in use: stop or delete its jobs first" in message


def test_a_resource_that_no_job_uses_can_be_deleted(
    cluster: Cluster, installation: Installation, namespace: str
) -> None:
    create_resource(cluster, namespace)
    assert refusal(cluster, namespace) == ""
    set_in_use(cluster, namespace, value=False)
    assert refusal(cluster, namespace) == ""


def test_a_namespace_goes_with_its_resource_in_use(
    cluster: Cluster, installation: Installation, namespace: str
) -> None:
    create_resource(cluster, namespace)
    eventually(lambda: refusal_while_in_use(cluster, namespace))
    cluster.kubectl("delete", "namespace", namespace, "--timeout=300s")
    assert cluster.kubectl("get", "namespace", namespace, "--ignore-not-found") == ""
