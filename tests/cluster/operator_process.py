"""The operator as a process on this machine, and an OU to try it on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from fixtures.eventually import eventually
from localcluster.providers import Cluster
from manifests.api_server import ApiServer
from streamjob_api.kinds import API_VERSION, STREAM_JOBS, STREAM_RESOURCES

Manifest = dict[str, Any]

# Where kinds are served that are not of the core group.
_GROUPS = {
    STREAM_JOBS: f"apis/{API_VERSION}",
    STREAM_RESOURCES: f"apis/{API_VERSION}",
    "controllerrevisions": "apis/apps/v1",
    "leases": "apis/coordination.k8s.io/v1",
    "events.events.k8s.io": "apis/events.k8s.io/v1",
}

TEMPLATE = {"name": "time-window-aggregation", "version": "1.0"}


@dataclass
class OperatorProcess:
    """``python -m streamjob_operator`` for one namespace."""

    kubeconfig: Path
    namespace: str
    catalogue: Path
    log: Path
    port: int = 0
    extra: tuple[str, ...] = ()
    launcher: tuple[str, ...] = ("-m", "streamjob_operator")
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        arguments = [
            f"--namespaces={self.namespace}",
            f"--catalogue={self.catalogue}",
            "--cpu-request-per-cu=0.05",
            "--progress-interval=2",
            "--throughput-interval=2",
            "--models-interval=2",
            f"--http-port={self.port}",
            *(self.extra or ("--no-leader-election",)),
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.launcher, *arguments],
                env=os.environ | {"KUBECONFIG": str(self.kubeconfig)} | dict(self.environment),
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """As a lost node would: no word to anyone."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=90)

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


@dataclass(frozen=True)
class Ou:
    """A namespace with a StreamResource and jobs."""

    cluster: Cluster
    namespace: str

    def apply(self, *manifests: Manifest) -> None:
        text = yaml.safe_dump_all(manifests)
        self.cluster.kubectl("apply", "-n", self.namespace, "-f", "-", input=text)

    def delete(self, kind: str, name: str, *flags: str) -> None:
        self.cluster.kubectl("delete", "-n", self.namespace, kind, name, *flags)

    def get(self, kind: str, name: str) -> Manifest:
        """The object, or an empty one when it is not there. Asked again and again, kubectl would take a whole core."""
        answer = self._server.get(f"{self._path(kind)}/{name}")
        if answer.status == HTTPStatus.NOT_FOUND:
            return {}
        assert answer.is_yes, answer.message
        return answer.object

    def items(self, kind: str, selector: str = "") -> list[Manifest]:
        answer = self._server.get(f"{self._path(kind)}?labelSelector={quote(selector)}")
        assert answer.is_yes, answer.message
        listed: list[Manifest] = answer.object["items"]
        return listed

    def merge(self, kind: str, name: str, patch: Manifest) -> Manifest:
        """Change an object as fast as the API server takes it."""
        answer = self._server.merge(f"{self._path(kind)}/{name}", patch)
        assert answer.is_yes, answer.message
        return answer.object

    @cached_property
    def _server(self) -> ApiServer:
        return ApiServer(self.cluster.kubeconfig, self.namespace)

    def _path(self, kind: str) -> str:
        plural = kind if "." in kind or kind.endswith("s") else f"{kind}s"
        return f"/{_GROUPS.get(plural, 'api/v1')}/namespaces/{self.namespace}/{plural.partition('.')[0]}"

    def patch(self, name: str, spec: Manifest) -> None:
        self.cluster.kubectl(
            "patch", "-n", self.namespace, "streamjob", name, "--type=merge", "-p", json.dumps({"spec": spec})
        )

    def tell(self, pod: str, **told: object) -> None:
        """Tell a stand-in how to behave from now on."""
        script = f"open('/tmp/told.json', 'w').write({json.dumps(told)!r})"
        self.cluster.kubectl("exec", "-n", self.namespace, pod, "--", "python3", "-c", script)

    def job_until(self, name: str, until: Callable[[Manifest], bool], within_seconds: float = 180.0) -> Manifest:
        """The job's status, as soon as it is as wanted."""
        return eventually(
            lambda: self.get("streamjob", name).get("status", {}), until=until, within_seconds=within_seconds
        )

    def pods(self) -> list[Manifest]:
        return self.items("pods", "streamjob.dev/job")


def condition(status: Manifest, kind: str) -> Manifest:
    found: Manifest = next((entry for entry in status.get("conditions", ()) if entry["type"] == kind), {})
    return found


def reason(status: Manifest, kind: str = "Ready") -> str:
    return str(condition(status, kind).get("reason", ""))


def is_ready(status: Manifest) -> bool:
    return condition(status, "Ready").get("status") == "True"


def stream_resource(standalone: float = 4, name: str = "energy", **spec: object) -> Manifest:
    return {
        "apiVersion": "streamjob.dev/v1beta1",
        "kind": "StreamResource",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"design": 1, "standalone": standalone},
            "libraries": [TEMPLATE],
            "kafka": {"bootstrapServers": "kafka:9092"},
            "checkpoints": {"volumeClaim": {"size": "10Mi"}},
            **spec,
        },
    }


def on_one_volume(standalone: float = 4) -> tuple[Manifest, Manifest]:
    """A StreamResource whose jobs share one claim, and the claim: a volume for each of many jobs takes its time."""
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "shared"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Mi"}}},
    }
    return claim, stream_resource(standalone, checkpoints={"claimName": "shared"})


def stream_job(name: str, told: Manifest | None = None, **spec: object) -> Manifest:
    """A job whose stand-in behaves as told; its output is its own."""
    policy = {"input": "M::A", "aggregation": "max", "windowSize": "10m", "output": f"M::{name}"}
    return {
        "apiVersion": "streamjob.dev/v1beta1",
        "kind": "StreamJob",
        "metadata": {"name": name},
        "spec": {
            "description": json.dumps(told or {}),
            "template": TEMPLATE,
            "timeWindowAggregation": {"policies": [policy]},
            "restart": {"backoff": "1s", "backoffMax": "4s"},
            "lifecycle": {"stopDeadline": "20s"},
            **spec,
        },
    }


def thing_models(*points: str, text: str | None = None) -> Manifest:
    """A ConfigMap with a model M that has these points; or with another text."""
    listed = [{"id": point, "type": "AI", "dataType": "double"} for point in points]
    document = yaml.safe_dump({"models": [{"id": "M", "points": listed}]})
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "thing-models"},
        "data": {"models.yaml": text or document},
    }
