"""Processes of the benchmark: started, measured by /proc, ended."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_STOP_SECONDS = 60


@dataclass
class Process:
    """A child process with its log."""

    child: subprocess.Popen[bytes]
    log: Path

    @property
    def is_running(self) -> bool:
        return self.child.poll() is None

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_mib(self, which: str = "VmRSS") -> float:
        """Resident memory; VmHWM is the highest so far."""
        lines = Path(f"/proc/{self.child.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{which}:")) / 1024

    def stop(self) -> None:
        """SIGTERM, and SIGKILL where that does not help."""
        self.child.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.child.wait(_STOP_SECONDS)
        self.child.kill()
        self.child.wait()


def start(argv: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Process:
    """Start a process in a session of its own: a Ctrl-C is the benchmark's alone, which then cleans up in order."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            argv,
            env=os.environ | dict(environment or {}),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return Process(child, log)


def cpu_seconds_of(names: Sequence[str], pids: Path) -> dict[str, float]:
    """CPU of the local cluster's components so far, by name; empty where the cluster is another one."""
    found = {}
    for name in names:
        with suppress(OSError, ValueError, IndexError):
            pid = (pids / f"{name}.pid").read_text().split()[0]
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            found[name] = (int(fields[11]) + int(fields[12])) / _TICKS
    return found
