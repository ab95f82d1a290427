"""The operator's process, with the settings, the catalogue and the rights that the chart gives it."""

from __future__ import annotations

import re
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import yaml

from benchmarks.operator import fake_nodes, processes
from fixtures.chart import Manifest, chart, environment, only
from fixtures.installation import CLUSTER_WIDE, Installation, stand_in
from localcluster.providers import Cluster

HTTP_PORT = 18099
_SYSTEM = "streamjob-bench"
_METRIC = re.compile(r"^streamjob_operator_(\w+?)(?:_total)?(\{[^}]*\})? ([0-9.e+-]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Setup:
    """What a start of the operator needs."""

    environment: Mapping[str, str]
    folder: Path
    profile: tuple[str, ...] = ()


@dataclass
class RunningOperator:
    """One life of the operator."""

    process: processes.Process
    started: float

    def readings(self) -> dict[str, float]:
        """Its own metrics, labels left out of the names and summed up."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{HTTP_PORT}/metrics", timeout=30) as answer:
                text = answer.read().decode()
        except OSError:
            return {}
        found: dict[str, float] = {}
        for name, _, value in _METRIC.findall(text):
            found[name] = found.get(name, 0.0) + float(value)
        return found

    def by_label(self, metric: str) -> dict[str, float]:
        """A metric's values by their labels."""
        connection = HTTPConnection("127.0.0.1", HTTP_PORT, timeout=30)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return {labels: float(value) for name, labels, value in _METRIC.findall(text) if name == metric and labels}

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{HTTP_PORT}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def start(setup: Setup) -> RunningOperator:
    """Start it; on return it listens to nothing yet."""
    began = time.time()
    argv = [sys.executable, *setup.profile, "-m", "streamjob_operator", f"--http-port={HTTP_PORT}"]
    return RunningOperator(processes.start(argv, setup.folder / "operator.log", setup.environment), began)


@contextmanager
def installation(
    cluster: Cluster, folder: Path, namespaces: list[str], pace: int, profile: tuple[str, ...]
) -> Iterator[Setup]:
    """The chart's service account, roles and environment; the whole cluster is watched unless namespaces are named."""
    values: Manifest = {
        "drivers": {"nodeSelector": fake_nodes.NODE_SELECTOR, "tolerations": fake_nodes.TOLERATIONS},
        "watchNamespaces": [*namespaces, _SYSTEM] if namespaces else [],
        "rbac": {"userRoles": False},
        "settings": {"progressIntervalSeconds": 60 // pace, "throughputIntervalSeconds": 300 // pace},
        "protectResourcesInUse": False,
    }
    rendered = chart()
    cluster.create_namespace(_SYSTEM)
    try:
        made = stand_in(cluster, rendered, _SYSTEM, values)
        yield Setup(_environment(cluster, made, folder, rendered.render(values)), folder, profile)
    finally:
        for manifest in rendered.render(values | {"fullnameOverride": _SYSTEM}):
            if manifest["kind"] in CLUSTER_WIDE:
                cluster.kubectl("delete", manifest["kind"], manifest["metadata"]["name"], "--ignore-not-found")
        cluster.kubectl("delete", "namespace", _SYSTEM)


def _environment(cluster: Cluster, made: Installation, folder: Path, manifests: list[Manifest]) -> dict[str, str]:
    """The Deployment's variables; what it takes from its pod and its volumes lies in a folder."""
    catalogue, kubeconfig = folder / "catalogue.yaml", folder / "operator.kubeconfig"
    catalogue.write_text(next(iter(only("ConfigMap", manifests)["data"].values())))
    kubeconfig.write_text(yaml.safe_dump(_kubeconfig(cluster, made)))
    return {
        **environment(manifests),
        "STREAMJOB_CATALOGUE": str(catalogue),
        "STREAMJOB_LEASE_NAMESPACE": _SYSTEM,
        "STREAMJOB_POD_NAME": "bench-0",
        "KUBECONFIG": str(kubeconfig),
    }


def _kubeconfig(cluster: Cluster, made: Installation) -> Manifest:
    """The administrator's kubeconfig with the operator's own token in place of the administrator's identity."""
    admin = yaml.safe_load(cluster.kubectl("config", "view", "--raw", "--minify", "-o", "yaml"))
    token = cluster.kubectl("create", "token", made.namespace, "-n", made.namespace, "--duration=8h").strip()
    admin["users"] = [{"name": each["name"], "user": {"token": token}} for each in admin["users"]]
    return dict(admin)
