"""Values: what is refused, what reaches the operator, and the chart inside another one."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from fixtures.chart import CHART, Chart, Manifest, RefusedError, container, environment, of_kind, only
from fixtures.chart import chart as chart_of
from streamjob_operator.catalogue import Catalogue
from streamjob_operator.command_line import settings_from
from streamjob_operator.settings import DriverSettings, Settings

TYPOS: list[tuple[dict[str, Any], str]] = [
    ({"watchNamespace": ["ou-energy"]}, "watchNamespace"),
    ({"image": {"repo": "x"}}, "repo"),
    ({"settings": {"cpuRequestPerCU": 0.1}}, "cpuRequestPerCU"),
    ({"settings": {"cpuRequestPerCu": "0.1"}}, "cpuRequestPerCu"),
    ({"settings": {"logLevel": "verbose"}}, "logLevel"),
    ({"catalogue": [{"name": "time-window-aggregation", "version": 1.0, "image": "x"}]}, "version"),
    ({"catalogue": [{"name": "time-windows", "version": "1.0", "image": "x"}]}, "name"),
    ({"catalogue": [{"name": "calculators", "version": "1.0"}]}, "image"),
    ({"watchNamespaces": ["Ou_Energy"]}, "watchNamespaces"),
    ({"replicas": 2, "settings": {"leaderElection": False}}, "replicas"),
    ({"metrics": {"podMonitor": {"enable": True}}}, "enable"),
]


@pytest.mark.parametrize(("values", "named"), TYPOS, ids=[json.dumps(values) for values, _ in TYPOS])
def test_the_schema_refuses_and_names_the_value(chart: Chart, values: dict[str, Any], named: str) -> None:
    with pytest.raises(RefusedError, match=named):
        chart.render(values)


def test_every_value_has_a_place_in_the_schema() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert set(values) == set(schema["properties"])


def test_the_catalogue_reaches_the_operator_as_a_file(chart: Chart) -> None:
    entry = {"name": "time-window-aggregation", "version": "1.0", "image": "registry.example.org/runtime:1"}
    manifests = chart.render({"catalogue": [entry]})
    catalogue = only("ConfigMap", manifests)
    (mount,) = [mount for mount in container(manifests)["volumeMounts"] if mount["name"] == "catalogue"]
    assert yaml.safe_load(catalogue["data"]["catalogue.yaml"]) == {"templates": [entry]}
    assert environment(manifests)["STREAMJOB_CATALOGUE"] == f"{mount['mountPath']}/catalogue.yaml"


def test_a_new_catalogue_restarts_the_operator(chart: Chart) -> None:
    def pod_annotations(image: str) -> dict[str, str]:
        entry = {"name": "calculators", "version": "1.0", "image": image}
        template = only("Deployment", chart.render({"catalogue": [entry]}))["spec"]["template"]
        annotations: dict[str, str] = template["metadata"]["annotations"]
        return annotations

    assert pod_annotations("one") != pod_annotations("two")


def test_an_empty_catalogue_is_an_empty_list(chart: Chart) -> None:
    catalogue = only("ConfigMap", chart.render({"catalogue": []}))["data"]["catalogue.yaml"]
    assert yaml.safe_load(catalogue) == {"templates": []}


def settings(manifests: list[Manifest], folder: Path) -> Settings:
    """What the operator reads out of the environment and the catalogue that the chart gives it."""
    catalogue = folder / "catalogue.yaml"
    catalogue.write_text(only("ConfigMap", manifests)["data"]["catalogue.yaml"])
    return settings_from([], environment(manifests) | {"STREAMJOB_CATALOGUE": str(catalogue)})


def test_settings_reach_the_operator(chart: Chart, tmp_path: Path) -> None:
    toleration = {"key": "spark", "operator": "Exists"}
    values = {
        "settings": {
            "cpuRequestPerCu": 0.1,
            "progressIntervalSeconds": 5,
            "throughputIntervalSeconds": 7.5,
            "logLevel": "DEBUG",
            "leaderElection": False,
        },
        "watchNamespaces": ["ou-energy", "ou-water"],
        "catalogue": [{"name": "calculators", "version": "1.0", "image": "r.example.org/runtime:1"}],
        "drivers": {
            "imagePullPolicy": "Always",
            "imagePullSecrets": ["one", "two"],
            "serviceAccountName": "drivers",
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [toleration],
            "nodeLossSeconds": 60,
        },
    }
    read = settings(chart.render(values), tmp_path)
    assert read.driver == DriverSettings(
        cpu_request_per_cu=0.1,
        image_pull_policy="Always",
        image_pull_secrets=("one", "two"),
        service_account="drivers",
        node_selector={"disk": "ssd"},
        tolerations=(toleration,),
        node_loss_seconds=60,
    )
    assert read.namespaces == ("ou-energy", "ou-water")
    assert (read.log_level, read.leader_election) == ("DEBUG", False)
    assert (read.progress_interval_seconds, read.throughput_interval_seconds) == (5, 7.5)
    assert read.catalogue == Catalogue.parse({"templates": values["catalogue"]})


def test_the_charts_defaults_are_the_operators(chart: Chart, tmp_path: Path) -> None:
    read, defaults = settings(chart.render(), tmp_path), Settings()
    assert read.driver == defaults.driver
    assert (read.namespaces, read.log_level) == (defaults.namespaces, defaults.log_level)
    assert read.progress_interval_seconds == defaults.progress_interval_seconds
    assert read.throughput_interval_seconds == defaults.throughput_interval_seconds
    assert (read.leader_election, read.http_port) == (defaults.leader_election, defaults.http_port)


def test_probes_ask_the_operators_port(chart: Chart) -> None:
    operator = container(chart.render())
    (port,) = operator["ports"]
    assert port["containerPort"] == Settings().http_port
    probes = [operator[f"{kind}Probe"]["httpGet"]["port"] for kind in ("startup", "liveness", "readiness")]
    assert probes == [port["name"]] * 3


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({"repository": "r.example.org/op"}, "r.example.org/op:0.1.0"),
        ({"repository": "r.example.org/op", "tag": "7"}, "r.example.org/op:7"),
        ({"tag": "7", "reference": "r.example.org/op@sha256:1a"}, "r.example.org/op@sha256:1a"),
    ],
)
def test_the_operators_image(chart: Chart, image: dict[str, str], expected: str) -> None:
    assert container(chart.render({"image": image}))["image"] == expected


def test_monitors_carry_the_labels_that_prometheus_selects_by(chart: Chart) -> None:
    monitor = {"enabled": True, "labels": {"release": "kube-prometheus-stack"}}
    manifests = chart.render({"metrics": {"serviceMonitor": monitor, "podMonitor": monitor}})
    for kind in ("ServiceMonitor", "PodMonitor"):
        assert only(kind, manifests)["metadata"]["labels"]["release"] == "kube-prometheus-stack"


def test_without_monitors_no_foreign_kind_is_made(chart: Chart) -> None:
    assert not [manifest for manifest in chart.render() if "monitoring.coreos.com" in manifest["apiVersion"]]


def parent(folder: Path, values: dict[str, Any]) -> Chart:
    """A chart of somebody else's that has ours as its only dependency."""
    (folder / "charts").mkdir(parents=True)
    (folder / "charts" / "streamjob-operator").symlink_to(CHART)
    condition = {"name": "streamjob-operator", "version": "0.1.0", "condition": "streamjob-operator.enabled"}
    about = {"apiVersion": "v2", "name": "platform", "version": "1.0.0", "dependencies": [condition]}
    (folder / "Chart.yaml").write_text(yaml.safe_dump(about))
    (folder / "values.yaml").write_text(yaml.safe_dump(values))
    return chart_of(folder)


def test_it_works_as_a_subchart_with_global_values(tmp_path: Path) -> None:
    values = {"global": {"imageRegistry": "x"}, "streamjob-operator": {"enabled": True, "replicas": 2}}
    manifests = parent(tmp_path / "platform", values).render()
    assert only("Deployment", manifests)["spec"]["replicas"] == 2
    assert len(of_kind("CustomResourceDefinition", manifests)) == 2


def test_a_parent_chart_can_switch_it_off(tmp_path: Path) -> None:
    rendered: list[Manifest] = parent(tmp_path / "platform", {"streamjob-operator": {"enabled": False}}).render()
    assert rendered == []
