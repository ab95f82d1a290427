"""A contestant as processes of this host: a session of their own, their CPU and their memory."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
_GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


class HostSession:
    """A program and all that it starts."""

    def __init__(self, argv: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> None:
        """Start the program as the leader of a session, its output in ``folder/log``."""
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder,
                env={**os.environ, **(environment or {})}, start_new_session=True,
            )  # fmt: skip
        self._last_seen: dict[int, float] = {}

    def cpu_seconds(self) -> float:
        """Of the living processes and of those that have ended.

        An ended process is in its parent's figures once it was waited for; one that nobody waits for counts with what
        was last seen of it. Each sum is a lower bound, so the greater one is taken.
        """
        waited_for = 0.0
        for pid, fields in _session(self._process.pid):
            # utime, stime, cutime and cstime of proc_pid_stat(5); the first of the fields is its third
            own, children = (sum(map(int, fields[first : first + 2])) / _TICKS for first in (11, 13))
            self._last_seen[pid] = own
            waited_for += own + children
        return max(waited_for, sum(self._last_seen.values()))

    def memory_mib(self) -> float:
        return sum(pss_kib(pid) for pid, _ in _session(self._process.pid)) / 1024

    def complaint(self) -> str | None:
        code = self._process.poll()
        return None if code is None else f"ended with {code}:\n{self._log.read_text(errors='replace')[-3000:]}"

    def stop(self) -> None:
        """Ask the leader first, as a kubelet would; then end what is left. Nothing of the session is left after it."""
        self._process.terminate()
        if not self._is_gone_within(10):
            for pid, _ in _session(self._process.pid):
                with suppress(*_GONE):
                    os.kill(pid, signal.SIGKILL)
            if not self._is_gone_within(30):
                raise TimeoutError(f"processes of session {self._process.pid} did not end within 30 s of their kill")
        self._process.wait(30)

    def _is_gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while any(True for _ in _session(self._process.pid)):
            if time.monotonic() > deadline:
                return False
            self._process.poll()
            time.sleep(0.1)
        return True


def _session(leader: int) -> Iterator[tuple[int, list[str]]]:
    """Process ids of a session with the fields of their ``stat`` from the third on."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except _GONE:
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                yield int(folder.name), fields


def pss_kib(pid: int) -> int:
    """Proportional set size of a process: what it shares is divided among those that share it."""
    try:
        found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except _GONE:
        return 0
    return int(found[1]) if found else 0
