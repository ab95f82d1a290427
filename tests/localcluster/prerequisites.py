"""What the machine must bring, checked all at once; missing Debian packages are installed."""

from __future__ import annotations

import errno
import ipaddress
import os
import platform
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from localcluster import go_tools, network
from localcluster.components import PORTS
from localcluster.images import ARCHITECTURES
from localcluster.problems import MissingPrerequisitesError, Problem
from localcluster.progress import Progress
from localcluster.state import LONGEST_ROOT, State

# Debian package: a file or command that shows that it is there, from wherever.
PACKAGES = {
    "buildah": "buildah",
    "conntrack": "conntrack",
    "containerd": "/usr/bin/containerd",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "debootstrap": "debootstrap",
    "iproute2": "ip",
    "iptables": "iptables-restore",
    "openssl": "openssl",
    "runc": "runc",
}
CNI_PLUGINS = "/usr/lib/cni"
CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids")  # cgroup v1
UNIFIED_CONTROLLERS = ("cpu", "cpuset", "memory", "pids")  # cgroup v2
# Measured: Go's caches 10 GB, programs 1 GB, images and what they are built from 7 GB.
BUILD_BYTES = 20 * 1024**3
RUN_BYTES = 3 * 1024**3


@dataclass(frozen=True)
class Facts:
    """What was found out about a machine."""

    system: str = "Linux"
    machine: str = "x86_64"
    user_id: int = 0
    missing_packages: tuple[str, ...] = ()
    missing_controllers: tuple[str, ...] = ()
    unwritable_settings: tuple[str, ...] = ()
    has_overlay: bool = True
    has_go_source: bool = True
    root_path_bytes: int = 0
    free_bytes: int = BUILD_BYTES
    needed_bytes: int = BUILD_BYTES
    taken: dict[str, str] = field(default_factory=dict)
    """Addresses and ranges that others use, and what the cluster needs them for."""


def problems(facts: Facts) -> list[Problem]:
    """Everything that is missing, each with its remedy."""
    if facts.system != "Linux":
        remedy = "set KUBECONFIG to a cluster, or start a Docker engine and install kind"
        return [Problem(f"The local cluster runs on Linux only, this is {facts.system}", remedy)]
    found: list[Problem | None] = [
        _unless(facts.user_id == 0, "It needs root for containers, network and cgroups", "run the command with sudo"),
        _unless(
            facts.machine in ARCHITECTURES,
            f"No image can be made for the processor {facts.machine}",
            f"use one of {', '.join(ARCHITECTURES)}, or set KUBECONFIG to a cluster",
        ),
        _packages(facts),
        _unless(
            not facts.missing_controllers,
            f"These cgroup controllers are not mounted: {', '.join(facts.missing_controllers)}",
            "mount them below /sys/fs/cgroup (in a container: start it with --privileged --cgroupns=host)",
        ),
        *(
            Problem(f"The kernel setting {key} cannot be set", f"run 'modprobe br_netfilter; sysctl -w {key}=1'")
            for key in facts.unwritable_settings
        ),
        _unless(facts.has_overlay, "The kernel knows no overlay file system", "run 'modprobe overlay'"),
        _unless(
            facts.has_go_source,
            "There is no Go toolchain and nothing to install one with",
            "install Go 1.21 or newer, or uv",
        ),
        _unless(
            facts.root_path_bytes <= LONGEST_ROOT,
            f"The state folder's path is too long for Unix sockets: {facts.root_path_bytes} bytes",
            f"set STREAMJOB_STATE to one of at most {LONGEST_ROOT}",
        ),
        _unless(
            facts.free_bytes >= facts.needed_bytes,
            f"{_gibibytes(facts.free_bytes)} are free at the state folder, {_gibibytes(facts.needed_bytes)} are needed",
            "free some, or set STREAMJOB_STATE to a larger disk",
        ),
        *(
            Problem(f"{address} is in use; the cluster needs it for {purpose}", "stop what uses it (see 'ss -ltnp')")
            for address, purpose in facts.taken.items()
        ),
    ]
    return [problem for problem in found if problem]


def _gibibytes(size: int) -> str:
    return f"{size / 1024**3:.1f} GiB"


def _unless(holds: bool, what: str, remedy: str) -> Problem | None:
    return None if holds else Problem(what, remedy)


def _packages(facts: Facts) -> Problem | None:
    names = " ".join(facts.missing_packages)
    return _unless(
        not names, f"Debian packages are missing: {names}", f"as root: apt-get update && apt-get install {names}"
    )


def ensure_packages(progress: Progress) -> None:
    """Install the Debian packages that are missing, if that can be done here. What remains missing, `check` names."""
    if missing_packages() and can_install():
        install(missing_packages(), progress)


def check(state: State, *, is_cold: bool) -> None:
    """Complain about everything that is missing, at once.

    Raises:
        MissingPrerequisitesError: naming all of it.
    """
    if found := problems(gather(state, is_cold=is_cold)):
        raise MissingPrerequisitesError(found)


def missing_packages() -> list[str]:
    return [package for package, sign in PACKAGES.items() if not shutil.which(sign, path=_search_path())]


def _search_path() -> str:
    """Users' paths often lack the folders of administration programs."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def can_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: list[str], progress: Progress) -> None:
    """Install Debian packages in one go, and show apt's last complaint where that fails."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with progress.step(f"Install Debian packages: {' '.join(packages)}") as step:
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            argv = ["apt-get", "--option=DPkg::Lock::Timeout=300", *arguments]
            done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        step.has_failed = done.returncode != 0
    if step.has_failed:
        progress.say(f"apt-get failed: {(done.stderr.strip().splitlines() or ['without a word'])[-1]}")


def gather(state: State, *, is_cold: bool) -> Facts:
    """Look at this machine. Addresses are looked at only before a cold start: later they are our own."""
    if platform.system() != "Linux":
        return Facts(system=platform.system())
    return Facts(
        machine=platform.machine(),
        user_id=os.geteuid(),
        missing_packages=tuple(missing_packages()),
        missing_controllers=tuple(_missing_controllers(Path("/sys/fs/cgroup"))),
        unwritable_settings=tuple(_unwritable_settings()),
        has_overlay="overlay" in Path("/proc/filesystems").read_text() or shutil.which("modprobe") is not None,
        has_go_source=shutil.which("go") is not None or go_tools.installer() is not None,
        root_path_bytes=len(os.fsencode(state.root)),
        free_bytes=_free_bytes(state.root),
        needed_bytes=_needed_bytes(state, is_cold=is_cold),
        taken=_taken() if is_cold else {},
    )


def _missing_controllers(mounted: Path) -> list[str]:
    unified = mounted / "cgroup.controllers"
    if unified.exists():
        present = unified.read_text().split()
        return [name for name in UNIFIED_CONTROLLERS if name not in present]
    return [name for name in CONTROLLERS if not (mounted / name / "cgroup.procs").exists()]


def _unwritable_settings() -> list[str]:
    network.load_filter()
    return [key.replace("/", ".") for key, value in network.SETTINGS.items() if not _can_set(key, value)]


def _can_set(key: str, value: str) -> bool:
    path = Path("/proc/sys") / key
    return path.exists() and (os.access(path, os.W_OK) or path.read_text().strip() == value)


def _free_bytes(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _needed_bytes(state: State, *, is_cold: bool) -> int:
    if go_tools.missing(state):
        return BUILD_BYTES
    return RUN_BYTES if is_cold else 0


def _taken() -> dict[str, str]:
    """Ports that others listen at, and ranges that are routed elsewhere."""
    ports = {
        f"{host}:{port}": name for (host, port), name in PORTS.items() if name != "registry" and _is_taken(host, port)
    }
    routes = subprocess.run(["ip", "-4", "route"], capture_output=True, text=True, check=False).stdout
    return ports | overlapping(routes)


def _is_taken(host: str, port: int) -> bool:
    """Whether the port cannot be bound; an address that no interface has yet is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def overlapping(routes: str) -> dict[str, str]:
    """Routes of ``ip -4 route`` that lead elsewhere and overlap a range of the cluster."""
    purposes = {network.POD_RANGE: "pods", network.SERVICE_RANGE: "Services"}
    found: dict[str, str] = {}
    for line in routes.splitlines():
        destination = line.split()[0]
        if destination == "default" or f"dev {network.BRIDGE}" in line or not destination[0].isdigit():
            continue
        for needed, purpose in purposes.items():
            if ipaddress.ip_network(destination, strict=False).overlaps(ipaddress.ip_network(needed)):
                found[f"The network {destination}"] = f"{purpose} ({needed})"
    return found
