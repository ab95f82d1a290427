"""What kubelets, evictions and people with kubectl do to pods."""

from __future__ import annotations

import copy
import json
from typing import Any

from streamjob_operator.observed import DRIVER_CONTAINER, Manifest
from unit.operator.simulated_api import SimulatedApi


def phase(pod: Manifest) -> str:
    return str(pod["status"]["phase"])


def is_live(pod: Manifest) -> bool:
    return phase(pod) not in {"Succeeded", "Failed"}


def is_ready(pod: Manifest) -> bool:
    return {"type": "Ready", "status": "True"}.items() <= condition(pod, "Ready").items()


def condition(pod: Manifest, kind: str) -> Manifest:
    return next((found for found in pod["status"].get("conditions", ()) if found["type"] == kind), {})


def is_terminating(pod: Manifest) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def go_on(api: SimulatedApi, pod: Manifest, graceful: bool = True) -> None:
    """The next thing that a kubelet does with a pod when all goes well."""
    name = pod["metadata"]["name"]
    if is_terminating(pod):
        if is_live(pod):
            end(api, pod, 0 if graceful else 137, words=graceful)
        else:
            api.vanish("pods", name)
    elif not pod["spec"].get("nodeName"):
        placed = copy.deepcopy(pod)
        placed["spec"]["nodeName"] = "node"
        placed["status"]["containerStatuses"] = [_container({"waiting": {"reason": "ContainerCreating"}})]
        api.change("pods", placed)
    elif phase(pod) == "Pending":
        state = {"running": {"startedAt": api.stamp()}}
        _write(
            api, pod, {"phase": "Running", "podIP": "10.0.0.1", "containerStatuses": [_container(state)]}, ready=False
        )
    elif is_live(pod) and not is_ready(pod):
        _write(api, pod, {}, ready=True)


def end(api: SimulatedApi, pod: Manifest, code: int, *, words: bool = True, reason: str = "") -> None:
    """The container ends."""
    if not is_live(pod):
        return
    began = pod["status"].get("containerStatuses", [{}])[0].get("state", {}).get("running", {}).get("startedAt")
    facts: dict[str, Any] = {"exitCode": code, "reason": reason or "Error", "finishedAt": api.stamp()}
    if began:
        facts["startedAt"] = began
    if words and began:
        attempt = int(pod["metadata"]["labels"]["streamjob.dev/attempt"])
        facts["message"] = json.dumps(
            {"reason": "Told", "message": "x" * 500, "attempt": attempt, "graceful": code == 0}
        )
    ended = {"phase": "Failed" if code else "Succeeded", "containerStatuses": [_container({"terminated": facts})]}
    _write(api, pod, ended, ready=False)


def evict(api: SimulatedApi, pod: Manifest) -> None:
    """By the Eviction API: a condition, and a graceful deletion."""
    marked = copy.deepcopy(pod)
    found = [each for each in marked["status"].get("conditions", ()) if each["type"] != "DisruptionTarget"]
    marked["status"]["conditions"] = [
        *found,
        {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"},
    ]
    api.change("pods", marked)
    api.delete("pods", pod["metadata"]["name"])


def lose_readiness(api: SimulatedApi, pod: Manifest) -> None:
    if is_ready(pod):
        _write(api, pod, {}, ready=False)


def _write(api: SimulatedApi, pod: Manifest, status: Manifest, *, ready: bool) -> None:
    told = copy.deepcopy(pod)
    others = [found for found in told["status"].get("conditions", ()) if found["type"] != "Ready"]
    is_same = condition(pod, "Ready").get("status") == str(ready)
    since = condition(pod, "Ready")["lastTransitionTime"] if is_same else api.stamp()
    told["status"] |= status
    told["status"]["conditions"] = [*others, {"type": "Ready", "status": str(ready), "lastTransitionTime": since}]
    api.change("pods", told)


def _container(state: Manifest) -> Manifest:
    return {"name": DRIVER_CONTAINER, "state": state, "started": "running" in state}
