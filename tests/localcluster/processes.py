"""Detached processes that outlive the command which starts them, and are found again by the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Component:
    """A program of the cluster: what it is called and how it is started."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ProcessMark:
    """What tells a process from a later one that got the same id: its start time, within one boot."""

    pid: int
    start_ticks: int
    boot_id: str

    def __str__(self) -> str:
        return f"{self.pid} {self.start_ticks} {self.boot_id}"


def parse_mark(text: str) -> ProcessMark | None:
    """Read a pid file; None when it was cut off or is not ours."""
    match text.split():
        case [pid, ticks, boot_id] if pid.isdecimal() and ticks.isdecimal():
            return ProcessMark(int(pid), int(ticks), boot_id)
        case _:
            return None


def start_ticks(stat: str) -> int:
    """Field 22 of ``/proc/PID/stat``, counted behind the program's name, which may hold blanks and brackets."""
    return int(stat.rpartition(")")[2].split()[19])


def is_zombie(stat: str) -> bool:
    return stat.rpartition(")")[2].split()[0] == "Z"


def mark_of(pid: int) -> ProcessMark | None:
    """The mark of a running process; None when there is none (a zombie is none)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if is_zombie(stat):
        return None
    return ProcessMark(pid, start_ticks(stat), BOOT_ID.read_text().strip())


class ProcessTable:
    """The pid files of one state folder."""

    def __init__(self, pids: Path, logs: Path) -> None:
        self.pids = pids
        self.logs = logs

    def running(self, name: str) -> ProcessMark | None:
        """The process that was started under this name, if it is still that one."""
        try:
            mark = parse_mark((self.pids / f"{name}.pid").read_text())
        except FileNotFoundError:
            return None
        return mark if mark is not None and mark_of(mark.pid) == mark else None

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def ensure(self, component: Component) -> bool:
        """Start a component unless it runs; true when it was started."""
        if self.running(component.name):
            return False
        self.pids.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        pid = spawn(component.argv, component.environment, self.log(component.name))
        (self.pids / f"{component.name}.pid").write_text(str(mark_of(pid) or "ended at once"))
        return True

    def stop(self, name: str) -> bool:
        """End a component and wait for it; true when it was running."""
        mark = self.running(name)
        if mark:
            terminate(mark)
        (self.pids / f"{name}.pid").unlink(missing_ok=True)
        return mark is not None

    def last_words(self, name: str, lines: int = 5) -> str:
        """The end of a component's log, for a message about its failure."""
        if not self.log(name).exists():
            return "(no log)"
        return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-lines:])


def spawn(argv: Sequence[str], environment: Mapping[str, str], log: Path) -> int:
    """Start a process in its own session, so that neither a terminal's end nor a Ctrl-C reaches it.

    It inherits no proxy settings and no other variable than those given: a component talks to this machine alone.
    """
    with log.open("ab") as output:
        child = subprocess.Popen(
            argv,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
        )
    child.returncode = 0  # it is meant to outlive us: no ResourceWarning when the handle goes
    return child.pid


def terminate(mark: ProcessMark, within_seconds: float = STOP_SECONDS) -> None:
    """SIGTERM, and SIGKILL when that has not helped in time."""
    for sent, patience in ((signal.SIGTERM, within_seconds), (signal.SIGKILL, within_seconds)):
        if mark_of(mark.pid) != mark:
            return
        os.kill(mark.pid, sent)
        if wait_gone(mark, patience):
            return


def wait_gone(mark: ProcessMark, within_seconds: float) -> bool:
    deadline = time.monotonic() + within_seconds
    while mark_of(mark.pid) == mark:
        reap(mark.pid)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def reap(pid: int) -> None:
    """Collect the process if it happens to be our child."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
