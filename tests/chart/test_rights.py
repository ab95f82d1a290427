"""What the chart allows, and to whom."""

from typing import Any

import pytest

from fixtures.chart import Chart, Manifest, of_kind

NAMESPACES = ["ou-energy", "ou-water"]
MODES: list[dict[str, Any]] = [{}, {"watchNamespaces": NAMESPACES}]
ROLE_KINDS = ("ClusterRole", "Role")

# (group, resource): verbs that the operator's code uses
OPERATOR_RIGHTS = {
    ("streamjob.dev", "streamjobs"): {"get", "list", "watch"},
    ("streamjob.dev", "streamresources"): {"get", "list", "watch"},
    ("streamjob.dev", "streamjobs/status"): {"patch"},
    ("streamjob.dev", "streamresources/status"): {"update"},
    ("streamjob.dev", "streamjobs/finalizers"): {"update"},
    ("", "pods"): {"get", "list", "watch", "create", "patch", "delete"},
    ("", "configmaps"): {"get", "list", "create", "patch", "delete"},
    ("", "persistentvolumeclaims"): {"get", "create", "patch"},
    ("apps", "controllerrevisions"): {"get", "list", "create", "delete"},
    ("events.k8s.io", "events"): {"list", "create", "patch"},
}
# what Spark 4.2 needs to make, watch and remove executors
DRIVER_RIGHTS = {("", "pods"): {"get", "list", "watch", "create", "delete", "deletecollection"}}


def roles(manifests: list[Manifest]) -> list[Manifest]:
    return [role for kind in ROLE_KINDS for role in of_kind(kind, manifests)]


def role(name: str, manifests: list[Manifest]) -> Manifest:
    return next(role for role in roles(manifests) if role["metadata"]["name"] == name)


def rights(role: Manifest) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                found.setdefault((group, resource), set()).update(rule["verbs"])
    return found


@pytest.mark.parametrize("values", MODES, ids=["cluster", "namespaces"])
def test_no_rule_has_a_wildcard(chart: Chart, values: dict[str, Any]) -> None:
    rules = [rule for role in roles(chart.render(values)) for rule in role["rules"]]
    assert [rule for rule in rules if "*" in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]] == []


@pytest.mark.parametrize("values", MODES, ids=["cluster", "namespaces"])
def test_nobody_gets_access_to_secrets(chart: Chart, values: dict[str, Any]) -> None:
    reachable = {resource for role in roles(chart.render(values)) for (_, resource) in rights(role)}
    assert not {resource for resource in reachable if resource.startswith("secrets")}


@pytest.mark.parametrize("values", MODES, ids=["cluster", "namespaces"])
def test_the_operator_may_do_what_it_does_and_nothing_else(chart: Chart, values: dict[str, Any]) -> None:
    assert rights(role("streamjob-operator", chart.render(values))) == OPERATOR_RIGHTS


def test_a_cluster_jobs_driver_may_manage_pods_of_its_namespace_and_nothing_else(chart: Chart) -> None:
    driver = role("streamjob-driver", chart.render({"watchNamespaces": NAMESPACES}))
    assert driver["kind"] == "Role"
    assert rights(driver) == DRIVER_RIGHTS


def test_drivers_have_their_account_where_jobs_are_looked_after_or_where_it_is_asked_for(chart: Chart) -> None:
    def places(values: dict[str, Any]) -> set[str]:
        found = [*of_kind("ServiceAccount", manifests := chart.render(values)), *of_kind("RoleBinding", manifests)]
        named = [each for each in found if each["metadata"]["name"] == "streamjob-driver"]
        assert len(named) == 2 * len({each["metadata"]["namespace"] for each in named})
        return {each["metadata"]["namespace"] for each in named}

    assert places({"watchNamespaces": NAMESPACES}) == set(NAMESPACES)
    assert places({}) == set()
    assert places({"drivers": {"cluster": {"namespaces": ["ou-water"]}}}) == {"ou-water"}
    assert places({"watchNamespaces": NAMESPACES, "drivers": {"cluster": {"create": False}}}) == set()


def test_the_operator_may_grant_no_rights(chart: Chart) -> None:
    groups = {group for values in MODES for group, _ in rights(role("streamjob-operator", chart.render(values)))}
    assert "rbac.authorization.k8s.io" not in groups


def test_namespaced_mode_has_no_cluster_role(chart: Chart) -> None:
    manifests = chart.render({"watchNamespaces": NAMESPACES})
    assert of_kind("ClusterRole", manifests) == []
    assert of_kind("ClusterRoleBinding", manifests) == []


def test_namespaced_mode_binds_the_operator_in_each_namespace(chart: Chart) -> None:
    manifests = chart.render({"watchNamespaces": NAMESPACES})
    bindings = [b for b in of_kind("RoleBinding", manifests) if b["roleRef"]["name"] == "streamjob-operator"]
    assert {binding["metadata"]["namespace"] for binding in bindings} == set(NAMESPACES)
    subject = {"kind": "ServiceAccount", "name": "streamjob-operator", "namespace": "streamjob-system"}
    assert [binding["subjects"] for binding in bindings] == [[subject]] * len(NAMESPACES)


def test_the_lease_is_the_only_right_in_the_operators_own_namespace(chart: Chart) -> None:
    lease = role("streamjob-operator-lease", chart.render())
    assert lease["metadata"]["namespace"] == "streamjob-system"
    assert rights(lease) == {("coordination.k8s.io", "leases"): {"create", "get", "update"}}


def test_view_edit_and_admin_only_read_stream_resources(chart: Chart) -> None:
    taken_up = [r for r in roles(chart.render()) if any("aggregate-to" in key for key in r["metadata"]["labels"])]
    verbs = {verb for role in taken_up for verb in rights(role)["streamjob.dev", "streamresources"]}
    assert len(taken_up) == 2
    assert verbs == {"get", "list", "watch"}


def test_edit_and_admin_write_stream_jobs_and_view_does_not(chart: Chart) -> None:
    manifests = chart.render()
    labels = {name: role(name, manifests)["metadata"]["labels"] for name in ("streamjob-view", "streamjob-edit")}
    aggregated = {name: {key.rpartition("-")[2] for key in of if "aggregate" in key} for name, of in labels.items()}
    assert aggregated == {"streamjob-view": {"view", "edit", "admin"}, "streamjob-edit": {"edit", "admin"}}
    assert "create" in rights(role("streamjob-edit", manifests))["streamjob.dev", "streamjobs"]
    assert "create" not in rights(role("streamjob-view", manifests))["streamjob.dev", "streamjobs"]


def test_writing_stream_resources_is_a_role_that_nothing_takes_up(chart: Chart) -> None:
    admin = role("streamresource-admin", chart.render())
    assert "create" in rights(admin)["streamjob.dev", "streamresources"]
    assert not [key for key in admin["metadata"]["labels"] if "aggregate" in key]


def test_rights_can_be_left_to_others(chart: Chart) -> None:
    assert roles(chart.render({"rbac": {"create": False, "userRoles": False}})) == []
