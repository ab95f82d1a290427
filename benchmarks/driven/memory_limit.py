"""A real memory limit around a driver, as the kubelet sets it: what goes beyond is ended by the kernel."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup/memory")
_MIB = 2**20


class NoLimit(Exception):  # noqa: N818 (what this machine does not have)
    """This machine gives no cgroup of version 1 below one's own."""


class MemoryLimit:
    """A cgroup of version 1 below the one that this process is in."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def argv(self, command: Sequence[str | Path]) -> list[str | Path]:
        """The same command, which enters the cgroup before it begins."""
        return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', self._folder / "cgroup.procs", *command]

    def working_set_mib(self) -> float:
        """What the kubelet calls the working set: all but file pages that nobody has used of late."""
        usage = int((self._folder / "memory.usage_in_bytes").read_text())
        stat = dict(line.split() for line in (self._folder / "memory.stat").read_text().splitlines())
        return (usage - int(stat["total_inactive_file"])) / _MIB

    def kills(self) -> int:
        """Processes that the kernel has ended for want of memory."""
        found = re.search(r"^oom_kill (\d+)", (self._folder / "memory.oom_control").read_text(), re.MULTILINE)
        return int(found[1]) if found else 0


@contextmanager
def memory_limit(mib: int) -> Iterator[MemoryLimit]:
    """Make a limit, and remove it when all its processes have ended.

    Raises:
        NoLimit: it cannot be had here.
    """
    groups = (line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines())
    own = next((path for _, controllers, path in groups if "memory" in controllers.split(",")), None)
    folder = _ROOT / (own or "").strip("/") / f"streamjob-bench-{os.getpid()}"
    try:
        if own is None:
            raise FileNotFoundError("no memory controller of version 1")
        folder.mkdir()
        (folder / "memory.limit_in_bytes").write_text(str(mib * _MIB))
    except OSError as error:
        raise NoLimit(f"no memory limit can be set here: {error}") from error
    try:
        yield MemoryLimit(folder)
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """The kernel may take a moment to let go of the last process."""
    for _ in range(50):
        try:
            folder.rmdir()
        except OSError:
            time.sleep(0.1)
        else:
            return
