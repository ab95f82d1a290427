"""What a watch shows of a namespace's pods, and how many lived at once."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cluster.operator_process import Manifest
from localcluster.providers import Cluster


@contextmanager
def watched(cluster: Cluster, namespace: str) -> Iterator[list[Manifest]]:
    """Every event of the namespace's pods from now on, however late the watch begins, after those that are there.

    Each is marked with when it was seen, by the monotonic clock.
    """
    pods = f"/api/v1/namespaces/{namespace}/pods"
    listed = json.loads(cluster.kubectl("get", "--raw", pods))
    began = time.monotonic()
    events: list[Manifest] = [{"type": "ADDED", "object": pod, "seen": began} for pod in listed["items"]]
    kubectl = getattr(cluster, "kubectl_program", "kubectl")
    since = f"{pods}?watch=true&resourceVersion={listed['metadata']['resourceVersion']}"
    command = [str(kubectl), f"--kubeconfig={cluster.kubeconfig}", "get", "--raw", since]
    watch = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def read() -> None:
        events.extend({**json.loads(line), "seen": time.monotonic()} for line in watch.stdout or ())

    reader = threading.Thread(target=read, daemon=True)
    with watch:
        reader.start()
        try:
            yield events
        finally:
            watch.terminate()
            reader.join(timeout=10)


def most_at_once(events: list[Manifest]) -> tuple[int, dict[str, int]]:
    """The most living drivers at any moment: of the namespace, and of each job. A pod that checks an OU is none."""
    living: dict[str, str] = {}
    most, most_of = 0, dict[str, int]()
    for event in list(events):
        pod = event["object"]
        uid, job = pod["metadata"]["uid"], pod["metadata"]["labels"].get("streamjob.dev/job", "")
        if not job:
            continue
        if event["type"] == "DELETED" or pod["status"].get("phase") in {"Succeeded", "Failed"}:
            living.pop(uid, None)
        else:
            living[uid] = job
        most = max(most, len(living))
        for name in set(living.values()):
            most_of[name] = max(most_of.get(name, 0), list(living.values()).count(name))
    return most, most_of
