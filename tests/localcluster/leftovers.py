"""Removing what a cluster leaves on a machine when it was killed, or ended with the machine itself.

Everything is found by what it is (a program of ours, a process in our cgroup, a mount in our folders), never by a pid
file alone: pid files are the first thing to be wrong.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from localcluster import network
from localcluster.problems import ClusterError
from localcluster.processes import ProcessTable
from localcluster.state import State
from localcluster.waiting import wait_until

MOUNTS = Path("/proc/self/mountinfo")
CGROUPS = Path("/sys/fs/cgroup")
CNI_RESULTS = Path("/var/lib/cni/results")  # where containerd's network library remembers, whatever it is told
KEPT = ("registry",)


def end_processes(state: State, processes: ProcessTable, names: Iterable[str]) -> None:
    """End the cluster's programs, then every process of its pods."""
    for name in reversed(list(names)):
        if name not in KEPT:
            processes.stop(name)
    wait_until(lambda: not kill(strays(state)), "the cluster's processes are gone", within_seconds=60)
    wait_until(lambda: not kill(members(state.cgroup)), "the pods' processes are gone", within_seconds=60)


def remove(state: State) -> None:
    """Leave nothing of a cluster that has ended but what is expensive: programs, registry, containerd's content."""
    wait_until(lambda: remove_cgroups(state.cgroup), "the pods' cgroups are gone", within_seconds=60)
    unmount_below([state.containerd])
    if network.owner() in {None, state.identity}:
        network.remove()
    for result in CNI_RESULTS.glob(f"streamjob-{state.identity}-*"):
        result.unlink()
    remove_folders([state.run, state.cluster])


def remove_folders(folders: Iterable[Path]) -> None:
    """Remove folders, once nothing is mounted in them any more: what was mounted may be a folder of the user's."""
    present = [folder for folder in folders if folder.exists()]
    unmount_below(present)
    if mounted := mounts_below(MOUNTS.read_text(), present):
        raise ClusterError(f"{', '.join(mounted)} cannot be unmounted. Remedy: end what uses it (see 'fuser -vm')")
    for folder in present:
        shutil.rmtree(folder)


def strays(state: State) -> list[int]:
    """Processes of this state folder's programs, and of containerd and its shims where they serve this cluster."""
    return [pid for pid, program, command in _processes() if is_ours(state, program, command)]


def is_ours(state: State, program: str, command: list[str]) -> bool:
    """Decide by the program's path or by the socket that a shim was given."""
    path = Path(program.removesuffix(" (deleted)"))
    if path.parent == state.bin:
        # kubectl and helm are the user's own commands
        return path.name not in {*KEPT, "kubectl", "helm"}
    if path.name.startswith("containerd"):
        return any(argument.startswith((f"{state.run}/", f"{state.configuration}/")) for argument in command)
    return False


def _processes() -> Iterator[tuple[int, str, list[str]]]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            yield int(folder.name), str((folder / "exe").readlink()), command
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it has ended meanwhile, or is a kernel thread


def members(cgroup: str) -> list[int]:
    """Every process below a cgroup, in all hierarchies: containers whose shim was killed live on there."""
    pids: set[int] = set()
    for folder in cgroup_folders(cgroup):
        for file in folder.rglob("cgroup.procs"):
            pids.update(int(pid) for pid in _read(file).split())
    return sorted(pids - {0})


def cgroup_folders(cgroup: str) -> list[Path]:
    """A cgroup's folder in each hierarchy: one with cgroup v2, one a controller with v1."""
    candidates = [CGROUPS, *(folder for folder in CGROUPS.glob("*") if (folder / "cgroup.procs").exists())]
    return [path for path in (folder / cgroup.lstrip("/") for folder in candidates) if path.is_dir()]


def create_cgroup(cgroup: str) -> None:
    """Make the cgroup in every hierarchy; kubelet wants it to exist, with its controllers."""
    if (controllers := CGROUPS / "cgroup.controllers").exists():
        enable = " ".join(f"+{name}" for name in controllers.read_text().split())
        (CGROUPS / "cgroup.subtree_control").write_text(enable)
        roots = [CGROUPS]
    else:
        roots = [folder for folder in CGROUPS.iterdir() if (folder / "cgroup.procs").exists()]
    for root in roots:
        path = root / cgroup.lstrip("/")
        path.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):  # v1: a new cpuset is empty, and no process may enter it
            if root.name == "cpuset" and not _read(path / setting).strip():
                (path / setting).write_text((root / setting).read_text())


def remove_cgroups(cgroup: str) -> bool:
    """Remove the cgroup with all below it; false while the kernel still counts a process in it that has ended."""
    for folder in cgroup_folders(cgroup):
        for path in [*sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True), folder]:
            try:
                path.rmdir()
            except OSError:
                return False
    return True


def kill(pids: Iterable[int]) -> int:
    """SIGKILL each; how many there were."""
    count = 0
    for pid in pids:
        count += 1
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return count


def unmount_below(folders: Iterable[Path]) -> None:
    """Unmount what lies in the folders, the innermost first."""
    for target in mounts_below(MOUNTS.read_text(), folders):
        subprocess.run(["umount", "--lazy", target], capture_output=True, check=False)


def mounts_below(mountinfo: str, folders: Iterable[Path]) -> list[str]:
    """Mount points in or at the folders, the latest mount first."""
    prefixes = [str(folder) for folder in folders]
    targets = [_unescape(line.split()[4]) for line in mountinfo.splitlines()]
    return [
        target
        for target in reversed(targets)
        if any(target == prefix or target.startswith(f"{prefix}/") for prefix in prefixes)
    ]


def _unescape(path: str) -> str:
    """Blanks, tabs and backslashes of a path are written in octal."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), path)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
