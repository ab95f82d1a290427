"""The objects beside the rights: CRDs, the operator's pod, the protection of resources in use."""

from typing import Any

import yaml

from fixtures.chart import ROOT, Chart, container, of_kind, only

KEEP = "helm.sh/resource-policy"


def test_crds_are_those_of_the_models_and_stay_when_the_release_goes(chart: Chart) -> None:
    rendered = {crd["metadata"]["name"]: crd for crd in of_kind("CustomResourceDefinition", chart.render())}
    assert {crd["metadata"].pop("annotations")[KEEP] for crd in rendered.values()} == {"keep"}
    made = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "crds").glob("*.yaml"))]
    assert rendered == {crd["metadata"]["name"]: crd for crd in made}


def test_crds_can_be_left_to_others(chart: Chart) -> None:
    assert of_kind("CustomResourceDefinition", chart.render({"crds": {"install": False}})) == []


def test_large_numbers_of_a_schema_stay_whole(chart: Chart) -> None:
    assert "e+0" not in chart.text()


def test_the_operators_pod_fits_the_restricted_standard(chart: Chart) -> None:
    pod = only("Deployment", chart.render())["spec"]["template"]["spec"]
    security = container(chart.render())["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert security == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_no_service_account_hands_its_token_to_pods_that_do_not_ask(chart: Chart) -> None:
    assert only("ServiceAccount", chart.render())["automountServiceAccountToken"] is False


def test_without_a_lease_two_operators_never_overlap(chart: Chart) -> None:
    values = {"settings": {"leaderElection": False}}
    assert only("Deployment", chart.render(values))["spec"]["strategy"] == {"type": "Recreate"}


def test_several_replicas_get_a_disruption_budget(chart: Chart) -> None:
    assert of_kind("PodDisruptionBudget", chart.render({"replicas": 1})) == []
    assert only("PodDisruptionBudget", chart.render({"replicas": 2}))["spec"]["minAvailable"] == 1


def test_budget_and_pods_agree_about_their_labels(chart: Chart) -> None:
    manifests = chart.render({"replicas": 2})
    selected = only("PodDisruptionBudget", manifests)["spec"]["selector"]["matchLabels"]
    labels: dict[str, Any] = only("Deployment", manifests)["spec"]["template"]["metadata"]["labels"]
    assert selected.items() <= labels.items()


def test_protection_is_left_out_where_the_cluster_knows_no_admission_policies(chart: Chart) -> None:
    assert of_kind("ValidatingAdmissionPolicy", chart.render(kubernetes="1.29.0")) == []


def test_protection_can_be_switched_off(chart: Chart) -> None:
    assert of_kind("ValidatingAdmissionPolicy", chart.render({"protectResourcesInUse": False})) == []


def test_two_releases_share_no_name_of_the_operators_own_objects(chart: Chart) -> None:
    def names(release: str) -> set[tuple[str, str]]:
        values = {"rbac": {"userRoles": False}, "crds": {"install": False}, "fullnameOverride": release}
        return {(manifest["kind"], manifest["metadata"]["name"]) for manifest in chart.render(values)}

    assert not names("one") & names("two")


def test_the_chart_has_no_webhook(chart: Chart) -> None:
    kinds = {manifest["kind"] for manifest in chart.render()}
    assert not {kind for kind in kinds if "Webhook" in kind or kind in {"Certificate", "Issuer", "APIService"}}
