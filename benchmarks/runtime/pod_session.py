"""A contestant as a pod of a cluster whose node is this machine: CPU by its cgroup, memory by its processes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.runtime.host_session import pss_kib
from localcluster.problems import ClusterError
from localcluster.providers import Cluster

_CGROUPS = Path("/sys/fs/cgroup")
_UNIFIED_CPU = re.compile(r"^usage_usec (\d+)", re.MULTILINE)


class PodSession:
    """A pod that was applied just now, and what is to be removed with it."""

    def __init__(self, cluster: Cluster, pod: dict[str, Any], remove: Callable[[], None]) -> None:
        self._cluster, self._remove = cluster, remove
        self._namespace, self._name, self._uid = (pod["metadata"][key] for key in ("namespace", "name", "uid"))
        self._cgroup: Path | None = None
        self._cpu_seconds = 0.0

    def cpu_seconds(self) -> float:
        """Of all containers since the pod was made, ended processes included."""
        self._cgroup = self._cgroup or _cgroup_of(self._uid)
        if self._cgroup is not None:
            self._cpu_seconds = _cpu_seconds(self._cgroup) or self._cpu_seconds
        return self._cpu_seconds

    def memory_mib(self) -> float:
        return sum(map(pss_kib, _processes(self._cgroup))) / 1024 if self._cgroup else 0.0

    def complaint(self) -> str | None:
        """Asked only when something is amiss: a question to the API server five times a second would be work."""
        if self._cgroup is not None and self._cgroup.exists():
            return None
        phase = self._kubectl("get", "pod", self._name, "-o", "jsonpath={.status.phase}")
        if phase in {"Pending", "Running"}:
            return None
        return f"the pod is {phase or 'gone'}:\n{self._kubectl('logs', self._name, '--tail=40')}"

    def stop(self) -> None:
        self._remove()

    def _kubectl(self, *arguments: str) -> str:
        try:
            return self._cluster.kubectl("-n", self._namespace, *arguments)
        except ClusterError as error:
            return str(error)


def created(cluster: Cluster, manifests: list[dict[str, Any]], remove: Callable[[], None]) -> PodSession:
    """Create objects, the pod last."""
    cluster.kubectl("create", "-f", "-", input="\n---\n".join(map(json.dumps, manifests)))
    meta = manifests[-1]["metadata"]
    return PodSession(
        cluster, json.loads(cluster.kubectl("-n", meta["namespace"], "get", "pod", meta["name"], "-o", "json")), remove
    )


def _cgroup_of(uid: str) -> Path | None:
    """The pod's cgroup: of the CPU hierarchy where there are several; systemd writes the id with underscores."""
    roots = [root for root in (_CGROUPS / "cpuacct", _CGROUPS) if root.is_dir()]
    names = (f"pod{uid}", f"*pod{uid.replace('-', '_')}.slice")
    return next((found for name in names for found in roots[0].rglob(name)), None)


def _cpu_seconds(cgroup: Path) -> float | None:
    try:
        if (cgroup / "cpuacct.usage").exists():
            return int((cgroup / "cpuacct.usage").read_text()) / 1e9
        found = _UNIFIED_CPU.search((cgroup / "cpu.stat").read_text())
    except OSError:  # it has gone with its pod
        return None
    return int(found[1]) / 1e6 if found else None


def _processes(cgroup: Path) -> Iterator[int]:
    for file in cgroup.rglob("cgroup.procs"):
        try:
            yield from map(int, file.read_text().split())
        except OSError:
            continue
