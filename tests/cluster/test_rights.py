"""What people of an OU, the platform and the operator can do, shown by acting as them on a real cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from fixtures.chart import Chart, Manifest
from fixtures.chart import chart as our_chart
from fixtures.eventually import eventually
from fixtures.installation import Installation, installed
from localcluster.problems import ClusterError
from localcluster.providers import Cluster
from manifests.api_server import ApiServer
from manifests.table import base_of
from streamjob_api.kinds import GROUP, STREAM_JOB

JOB, RESOURCE = base_of("time-window-aggregation/streamjob"), base_of("time-window-aggregation/streamresource")
READ, WRITE = ("get", "list", "watch"), ("create", "update", "patch", "delete", "deletecollection")
ROLES = ("view", "edit", "admin", "streamresource-admin")
COLLECTOR = "system:serviceaccount:kube-system:generic-garbage-collector"


@dataclass(frozen=True)
class Person:
    """Somebody with one role in one namespace."""

    cluster: Cluster
    namespace: str
    name: str

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        return self.cluster.kubectl("-n", self.namespace, f"--as={self.name}", *arguments, input=text)

    def apply(self, manifest: Manifest) -> None:
        self.kubectl("apply", "-f", "-", text=json.dumps(placed(manifest, self.namespace)))

    def refusal(self, *arguments: str, text: str | None = None) -> str:
        """What the server says to a request; empty when it is granted."""
        try:
            self.kubectl(*arguments, text=text)
        except ClusterError as error:
            return str(error)
        return ""


def placed(manifest: Manifest, namespace: str) -> Manifest:
    return manifest | {"metadata": manifest["metadata"] | {"namespace": namespace}}


def given(installation: Installation, *manifests: Manifest) -> None:
    """Apply as the cluster's administrator."""
    text = "\n---\n".join(json.dumps(placed(manifest, installation.namespace)) for manifest in manifests)
    installation.cluster.kubectl("apply", "-f", "-", input=text)


def bound(person: str, kind: str, role: str, namespace: str) -> Manifest:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": person, "namespace": namespace},
        "roleRef": {"apiGroup": group, "kind": kind, "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": person}],
    }


@pytest.fixture(scope="module")
def chart() -> Chart:
    return our_chart()


@pytest.fixture(scope="module")
def installation(cluster: Cluster, chart: Chart) -> Iterator[Installation]:
    """The chart for the whole cluster, with people of each role in its namespace, which is an OU here."""
    with installed(cluster, chart, f"rights-{uuid4().hex[:8]}", {}) as installation:
        bindings = [bound(person(role, installation), "ClusterRole", role, installation.namespace) for role in ROLES]
        cluster.kubectl("apply", "-f", "-", input="\n---\n".join(map(json.dumps, bindings)))
        # Kubernetes' own roles take up the chart's a moment later
        for role in ROLES:
            take_up(installation, role, role)
        yield installation


def take_up(installation: Installation, role: str, like: str) -> None:
    """Wait until somebody has the first of the rights that are expected; the rest came with it, or never does."""
    kind, verb = next((kind, verbs[-1]) for kind, verbs in EXPECTED[like].items() if verbs)
    eventually(lambda: installation.may(verb, f"{kind}.{GROUP}", who=person(role, installation)))


def person(role: str, installation: Installation) -> str:
    return f"{role}-of-{installation.namespace}"


def acting(role: str, installation: Installation) -> Person:
    return Person(installation.cluster, installation.namespace, person(role, installation))


def rights(server: ApiServer, who: str, namespace: str, resource: str) -> set[str]:
    """The verbs that somebody may use on a resource, as the API server decides them."""
    name, _, subresource = resource.partition("/")
    granted = set()
    for verb in (*READ, *WRITE):
        attributes = {
            "namespace": namespace,
            "verb": verb,
            "group": GROUP,
            "resource": name,
            "subresource": subresource,
        }
        review = {"kind": "SubjectAccessReview", "apiVersion": "authorization.k8s.io/v1"}
        asked = review | {"spec": {"user": who, "resourceAttributes": attributes}}
        if server.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", asked).object["status"]["allowed"]:
            granted.add(verb)
    return granted


EXPECTED: dict[str, dict[str, tuple[str, ...]]] = {
    "view": {"streamjobs": READ, "streamresources": READ},
    "edit": {"streamjobs": READ + WRITE, "streamresources": READ},
    "admin": {"streamjobs": READ + WRITE, "streamresources": READ},
    "streamresource-admin": {"streamjobs": (), "streamresources": READ + WRITE},
    "nobody": {"streamjobs": (), "streamresources": ()},
}


@pytest.mark.parametrize("resource", ["streamjobs", "streamresources"])
@pytest.mark.parametrize("role", EXPECTED)
def test_each_role_may_do_what_the_docs_say(
    cluster: Cluster, installation: Installation, role: str, resource: str
) -> None:
    server = ApiServer(cluster.kubeconfig, installation.namespace)
    granted = rights(server, person(role, installation), installation.namespace, resource)
    assert granted == set(EXPECTED[role][resource])


@pytest.mark.parametrize("role", EXPECTED)
def test_nobody_but_the_operator_writes_a_status(cluster: Cluster, installation: Installation, role: str) -> None:
    server, who = ApiServer(cluster.kubeconfig, installation.namespace), person(role, installation)
    for resource in ("streamjobs/status", "streamresources/status"):
        assert rights(server, who, installation.namespace, resource).isdisjoint(WRITE)


@pytest.mark.parametrize("role", EXPECTED)
def test_rights_end_at_the_ou(cluster: Cluster, installation: Installation, role: str) -> None:
    server, who = ApiServer(cluster.kubeconfig, "default"), person(role, installation)
    assert {
        verb for kind in ("streamjobs", "streamresources") for verb in rights(server, who, "default", kind)
    } == set()


def test_an_ou_runs_jobs_on_what_the_platform_gave_it(installation: Installation) -> None:
    platform, editor, viewer = (acting(role, installation) for role in ("streamresource-admin", "edit", "view"))
    platform.apply(RESOURCE)
    editor.apply(JOB)
    assert "pump-flow" in viewer.kubectl("get", "streaming", "-o", "name")
    editor.kubectl("patch", "streamjob", "pump-flow", "--type=merge", "-p", '{"spec": {"state": "Draft"}}')
    editor.kubectl("delete", "streamjob", "pump-flow", "--wait=false")


def test_an_ou_cannot_give_itself_capacity(installation: Installation) -> None:
    acting("streamresource-admin", installation).apply(RESOURCE)
    patch = ("patch", "streamresource", "pumps", "--type=merge", "-p", '{"spec": {"capacity": {"standalone": 2000}}}')
    delete = ("delete", "streamresource", "pumps", "--dry-run=server")
    for role in ("edit", "admin"):
        for request in (patch, delete):
            assert "cannot" in (told := acting(role, installation).refusal(*request))
            assert "streamresources" in told


def test_a_viewer_changes_nothing(installation: Installation) -> None:
    text = json.dumps(placed(JOB, installation.namespace))
    assert "cannot create" in acting("view", installation).refusal("create", "-f", "-", text=text)


def test_the_platform_need_not_see_an_ous_jobs(installation: Installation) -> None:
    assert "cannot list" in acting("streamresource-admin", installation).refusal("get", "streamjobs")


@pytest.mark.parametrize("kind", ["streamjob", "streamresource"])
def test_the_operator_writes_no_spec(installation: Installation, kind: str) -> None:
    given(installation, JOB, RESOURCE)
    name = {"streamjob": JOB, "streamresource": RESOURCE}[kind]["metadata"]["name"]
    operator = Person(installation.cluster, installation.namespace, installation.operator)
    found = json.loads(operator.kubectl("get", kind, name, "-o", "json"))
    found["spec"]["description"] = "written by the operator"
    assert "cannot update" in operator.refusal("replace", "-f", "-", text=json.dumps(found))
    patch = ("patch", kind, name, "--type=merge", "-p", '{"metadata": {"labels": {"a": "b"}}}')
    assert "cannot patch" in operator.refusal(*patch)


def test_a_status_that_brings_a_spec_changes_no_spec(cluster: Cluster, installation: Installation) -> None:
    given(installation, JOB)
    server = ApiServer(cluster.kubeconfig, installation.namespace)
    patch = {"spec": {"state": "Stopped"}, "status": {"phase": "Queued"}}
    answer = server.patch_status(STREAM_JOB, "pump-flow", patch, who=installation.operator)
    assert answer.object["status"]["phase"] == "Queued"
    assert answer.object["spec"]["state"] == "Running"


def in_use(installation: Installation) -> None:
    """To be said again: an operator that runs here corrects the status."""
    patch = ("--subresource=status", "--type=merge", "-p", '{"status": {"inUse": true}}')
    installation.cluster.kubectl("-n", installation.namespace, "patch", "streamresource", "pumps", *patch)


def test_a_resource_in_use_stays_for_the_platform_and_goes_for_the_garbage_collector(
    installation: Installation,
) -> None:
    platform = acting("streamresource-admin", installation)
    platform.apply(RESOURCE)
    delete = ("delete", "streamresource", "pumps", "--dry-run=server")

    def refusal(of: Person) -> str:
        in_use(installation)
        return of.refusal(*delete)

    assert "is in use: stop or delete its jobs first" in eventually(lambda: refusal(platform))
    collector = Person(installation.cluster, installation.namespace, COLLECTOR)
    assert refusal(collector) == ""


def test_a_resource_in_use_goes_with_its_owner(installation: Installation) -> None:
    owner: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tenant"}}
    kubectl = installation.cluster.kubectl
    of_ou = ("-n", installation.namespace)
    uid = kubectl(*of_ou, "create", "-f", "-", "-o", "jsonpath={.metadata.uid}", input=json.dumps(owner))
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "tenant", "uid": uid}
    metadata = {"name": "pumps", "namespace": installation.namespace, "ownerReferences": [reference]}
    kubectl("apply", "-f", "-", input=json.dumps(RESOURCE | {"metadata": metadata}))
    in_use(installation)
    kubectl(*of_ou, "delete", "configmap", "tenant")
    eventually(lambda: kubectl(*of_ou, "get", "streamresource", "pumps", "--ignore-not-found") == "")


@pytest.fixture(scope="module")
def namespaced(cluster: Cluster, chart: Chart) -> Iterator[Installation]:
    """The chart for one namespace alone, with people of the Roles that it makes there."""
    namespace = f"rights-{uuid4().hex[:8]}"
    values = {"watchNamespaces": [namespace], "protectResourcesInUse": False}
    with installed(cluster, chart, namespace, values) as installation:
        roles = ("streamjob-view", "streamjob-edit", "streamresource-admin")
        bindings = [bound(person(role, installation), "Role", role, namespace) for role in roles]
        cluster.kubectl("apply", "-f", "-", input="\n---\n".join(map(json.dumps, bindings)))
        for role, like in zip(roles, ("view", "edit", "streamresource-admin"), strict=True):
            take_up(installation, role, like)
        yield installation


@pytest.mark.parametrize(
    ("role", "like"), [("streamjob-view", "view"), ("streamjob-edit", "edit"), ("streamresource-admin",) * 2]
)
def test_roles_of_one_namespace_grant_the_same(
    cluster: Cluster, namespaced: Installation, role: str, like: str
) -> None:
    server, who = ApiServer(cluster.kubeconfig, namespaced.namespace), person(role, namespaced)
    for resource, verbs in EXPECTED[like].items():
        assert rights(server, who, namespaced.namespace, resource) == set(verbs)


@pytest.mark.parametrize("resource", ["streamjobs", "streamresources"])
def test_the_operator_of_one_namespace_reads_specs_and_writes_none(
    cluster: Cluster, namespaced: Installation, resource: str
) -> None:
    server = ApiServer(cluster.kubeconfig, namespaced.namespace)
    assert rights(server, namespaced.operator, namespaced.namespace, resource) == set(READ)
    assert rights(server, namespaced.operator, "default", resource) == set()
