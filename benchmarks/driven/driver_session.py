"""A driver as a process of this host, as it runs in its pod: its job file, its processes, its checkpoint."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.driven.memory_limit import MemoryLimit
from benchmarks.runtime.host_session import HostSession, pss_kib
from fixtures.host_process import free_port
from streamjob_api.job_file import JobFile


@dataclass(frozen=True)
class JobSpec:
    """The part of a job that measurements differ in.

    Attributes:
        template: its name in ``spec.template``.
        block: the template's block by its name, as ``{"deviceState": {...}}``.
        trigger_interval: ``0s`` lets a micro-batch begin as soon as there are records.
    """

    template: str
    block: Mapping[str, Any]
    cu: float = 2
    trigger_interval: str = "0s"

    def document(self, org_id: str, bootstrap_servers: str, folder: Path, redis_url: str | None) -> dict[str, Any]:
        """``job.json`` as the operator would write it."""
        identity = {"namespace": "ou", "name": "job", "uid": org_id, "created": "2026-01-01T00:00:00Z"}
        spec = {
            "template": {"name": self.template, "version": "1.0"},
            "startFrom": {"mode": "Earliest"},
            "triggerInterval": self.trigger_interval,
            "resources": {"mode": "Standalone", "cu": self.cu},
            **self.block,
        }
        return {
            "job": {**identity, "attempt": 1, "epoch": 0, "generation": 1},
            "orgId": org_id,
            "spec": spec,
            "kafka": {"bootstrapServers": bootstrap_servers},
            "pipelines": {"scripts": {}},
            **({"redis": {"url": redis_url}} if redis_url else {}),
            "checkpointDir": str(folder / "checkpoints"),
            "scratchDir": str(folder / "scratch"),
            "httpPort": free_port(),
        }


class DriverSession(HostSession):
    """The driver's processes and files."""

    def __init__(self, document: dict[str, Any], folder: Path, limit: MemoryLimit | None = None) -> None:
        self.job = JobFile.model_validate(document)
        self._folder = folder
        (folder / "scratch").mkdir(parents=True)
        path = folder / "job.json"
        path.write_text(json.dumps(document))
        words = {"STREAMJOB_TERMINATION_LOG": str(folder / "last-words")}
        command: list[str | Path] = [sys.executable, "-m", "streamjob_runtime", path]
        super().__init__(limit.argv(command) if limit else command, folder, words)

    def memory_mib_by_role(self) -> dict[str, tuple[int, float]]:
        """How many processes of each kind there are, and what they occupy together."""
        count: Counter[str] = Counter()
        size: Counter[str] = Counter()
        for pid in self._processes():
            role = _role(pid)
            count[role] += 1
            size[role] += pss_kib(pid)
        return {role: (count[role], size[role] / 1024) for role in count}

    def _processes(self) -> list[int]:
        running = (int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdecimal())
        return [pid for pid in running if _session_of(pid) == self._process.pid]

    def checkpoint_mib(self) -> float:
        """Size of all files of the checkpoint, as a volume holds them."""
        return _size(self._folder / "checkpoints") / 2**20

    def scratch_mib(self) -> float:
        """Size of what need not survive: the state store's working copies, above all."""
        return _size(self._folder / "scratch") / 2**20


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def _role(pid: int) -> str:
    """``jvm``, ``driver`` (the main process) or ``helpers`` (what Spark starts of Python, planner and workers)."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return "ended"
    if words[0].endswith(b"java"):
        return "jvm"
    return "driver" if b"streamjob_runtime" in words else "helpers"


def _size(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_blocks * 512 if file.is_file() else 0
        except FileNotFoundError:
            continue
    return total
