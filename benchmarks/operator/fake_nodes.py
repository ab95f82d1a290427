"""Nodes that kwok fakes: scheduler, controllers and API server are real, what a kubelet would do is written by kwok.

A pod is Running a second after it is bound and Ready 15 to 18 seconds later, as a driver is; a deleted
one is gone at once.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from benchmarks.operator import processes, volumes
from benchmarks.operator.access import Access, Manifest
from localcluster import go_tools
from localcluster.progress import Progress
from localcluster.state import state_folder
from streamjob_api import kinds

POD_RANGE = "10.91.0.0/16"
_MARK = {"streamjob.dev/bench": "fake"}
NODE_SELECTOR = _MARK
TOLERATIONS = [{"key": "streamjob.dev/bench", "operator": "Equal", "value": "fake", "effect": "NoSchedule"}]
_NODES = 20


def _stage(kind: str, name: str, selector: list[Manifest], following: Manifest, delay_ms: int = 0) -> Manifest:
    spec: Manifest = {
        "resourceRef": {"apiGroup": "v1", "kind": kind},
        "selector": {"matchExpressions": selector},
        "next": following,
    }
    if delay_ms:
        spec["delay"] = {"durationMilliseconds": delay_ms, "jitterDurationMilliseconds": delay_ms + delay_ms // 5}
    return {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", "metadata": {"name": name}, "spec": spec}


def _is(key: str, operator: str, *values: str) -> Manifest:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


def _status(phase: str, ready: str, state: str) -> str:
    return f"""
{{{{ $now := Now }}}}
conditions:
- {{type: Initialized, status: "True", lastTransitionTime: {{{{ $now | Quote }}}}}}
- {{type: Ready, status: "{ready}", lastTransitionTime: {{{{ $now | Quote }}}}}}
- {{type: ContainersReady, status: "{ready}", lastTransitionTime: {{{{ $now | Quote }}}}}}
containerStatuses:
{{{{ range .spec.containers }}}}
- image: {{{{ .image | Quote }}}}
  imageID: ""
  name: {{{{ .name | Quote }}}}
  ready: {ready.lower()}
  started: true
  restartCount: 0
  state: {{{state}}}
{{{{ end }}}}
hostIP: {{{{ NodeIPWith .spec.nodeName | Quote }}}}
podIP: {{{{ PodIPWith .spec.nodeName false .metadata.uid .metadata.name .metadata.namespace | Quote }}}}
phase: {phase}
startTime: {{{{ or .status.startTime $now | Quote }}}}
"""


def stages() -> list[Manifest]:
    """How pods live: bound, Running, Ready; a check of connections ends well; a deleted pod is gone."""
    alive = _is(".metadata.deletionTimestamp", "DoesNotExist")
    component = f'.metadata.labels["{kinds.COMPONENT_LABEL}"]'
    running, ended = "running: {startedAt: {{ $now | Quote }}}", "terminated: {exitCode: 0, reason: Completed}"
    not_yet = _is('.status.conditions.[] | select( .type == "Ready" ) | .status', "NotIn", "True")
    return [
        _stage(
            "Pod",
            "pod-running",
            [alive, _is(".status.podIP", "DoesNotExist")],
            {"statusTemplate": _status("Running", "False", running)},
            delay_ms=1000,
        ),
        _stage(
            "Pod",
            "pod-ready",
            [alive, _is(".status.phase", "In", "Running"), _is(component, "NotIn", kinds.CHECK), not_yet],
            {"statusTemplate": _status("Running", "True", running)},
            delay_ms=15000,
        ),
        _stage(
            "Pod",
            "pod-checked",
            [alive, _is(".status.phase", "In", "Running"), _is(component, "In", kinds.CHECK)],
            {"statusTemplate": _status("Succeeded", "False", ended)},
            delay_ms=1000,
        ),
        _stage(
            "Pod",
            "pod-deleted",
            [_is(".metadata.deletionTimestamp", "Exists")],
            {"finalizers": {"empty": True}, "delete": True},
        ),
    ]


def node(number: int) -> Manifest:
    """Room for 500 drivers of one CU each; tainted, so that only those come which are sent."""
    room = {"cpu": "1k", "memory": "4Ti", "pods": "500"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"streamjob-bench-{number:02d}", "labels": _MARK, "annotations": _MARK},
        "spec": {"taints": [{"key": "streamjob.dev/bench", "value": "fake", "effect": "NoSchedule"}]},
        "status": {"allocatable": room, "capacity": room},
    }


@asynccontextmanager
async def fake_nodes(access: Access, kubeconfig: Path, folder: Path) -> AsyncIterator[processes.Process]:
    """kwok and its nodes, and the process that speaks for all drivers; all of it goes at the end."""
    state = state_folder(os.environ)
    go_tools.build(go_tools.KWOK, state, Progress())
    configuration = folder / "kwok.yaml"
    configuration.write_text(yaml.safe_dump_all(stages()))
    argv: list[Any] = [state.bin / "kwok", f"--kubeconfig={kubeconfig}", f"--config={configuration}"]
    argv += [f"--cidr={POD_RANGE}", "--node-lease-duration-seconds=40", "--server-address=127.0.0.1:0"]
    argv += ["--manage-nodes-with-annotation-selector=streamjob.dev/bench=fake"]
    nodes = [node(number) for number in range(_NODES)]
    _route("replace")
    kwok = processes.start([str(word) for word in argv], folder / "kwok.log")
    drivers = processes.start([sys.executable, "-m", "benchmarks.operator.progress_server"], folder / "progress.log")
    try:
        await access.request("POST", "/apis/storage.k8s.io/v1/storageclasses", volumes.storage_class())
        await access.all("POST", [("/api/v1/nodes", each) for each in nodes])
        await _until_ready(access, kwok)
        yield kwok
    finally:
        await access.all("DELETE", [(f"/api/v1/nodes/{each['metadata']['name']}", None) for each in nodes])
        await access.request("DELETE", f"/apis/storage.k8s.io/v1/storageclasses/{volumes.STORAGE_CLASS}")
        await volumes.remove(access)
        kwok.stop()
        drivers.stop()
        _route("delete")


async def _until_ready(access: Access, kwok: processes.Process) -> None:
    for _ in range(120):
        listed = await access.request("GET", "/api/v1/nodes?labelSelector=streamjob.dev%2Fbench%3Dfake")
        if sum(_is_ready(each) for each in listed["items"]) == _NODES:
            return
        if not kwok.is_running:
            break
        await asyncio.sleep(0.5)
    raise RuntimeError(f"the fake nodes are not ready:\n{kwok.log.read_text()[-2000:]}")


def _is_ready(manifest: Manifest) -> bool:
    conditions = manifest.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _route(verb: str) -> None:
    """Send what goes to the fake pods to this machine itself, where one process speaks for all."""
    subprocess.run(["ip", "route", verb, "local", POD_RANGE, "dev", "lo"], check=verb == "replace", capture_output=True)
