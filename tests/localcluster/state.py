"""Where everything lives: one folder that is kept, one that a reboot may empty."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localcluster.problems import ClusterError

# A Unix socket's path holds 107 bytes; kubelet's longest is "<root>/cluster/kubelet/device-plugins/kubelet.sock".
LONGEST_ROOT = 107 - len("/cluster/kubelet/device-plugins/kubelet.sock")


@dataclass(frozen=True)
class State:
    """The paths below one state folder.

    ``bin`` and ``registry`` are expensive and kept by ``down``; ``cluster`` belongs to one life of the cluster, except
    ``containerd``, whose content store is kept so that images are not unpacked again.
    """

    root: Path

    @property
    def bin(self) -> Path:
        return self.root / "bin"

    @property
    def images(self) -> Path:
        return self.root / "images"

    @property
    def registry(self) -> Path:
        return self.root / "registry"

    @property
    def containerd(self) -> Path:
        return self.root / "containerd"

    @property
    def cluster(self) -> Path:
        return self.root / "cluster"

    @property
    def certificates(self) -> Path:
        return self.cluster / "certificates"

    @property
    def configuration(self) -> Path:
        return self.cluster / "configuration"

    @property
    def etcd(self) -> Path:
        return self.cluster / "etcd"

    @property
    def kubelet(self) -> Path:
        return self.cluster / "kubelet"

    @property
    def volumes(self) -> Path:
        """Folders of the PersistentVolumes."""
        return self.cluster / "volumes"

    @property
    def ready(self) -> Path:
        """Present once a life of the cluster has passed its smoke test."""
        return self.cluster / "ready"

    @property
    def kubeconfig(self) -> Path:
        return self.cluster / "kubeconfig"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def pids(self) -> Path:
        return self.root / "pids"

    @property
    def identity(self) -> str:
        """Eight hexadecimal digits that tell this state folder from another on the same machine."""
        return hashlib.sha256(os.fsencode(self.root)).hexdigest()[:8]

    @property
    def run(self) -> Path:
        """Sockets and root file systems of running containers: worthless after a reboot."""
        return Path("/run") / f"streamjob-{self.identity}"

    @property
    def containerd_socket(self) -> Path:
        return self.run / "containerd.sock"

    @property
    def cgroup(self) -> str:
        """The cgroup below which every pod runs."""
        return f"/streamjob-{self.identity}"


def state_folder(environment: Mapping[str, str]) -> State:
    """``$STREAMJOB_STATE``, or ``~/.cache/streamjob``."""
    return State(Path(environment.get("STREAMJOB_STATE") or "~/.cache/streamjob").expanduser().resolve())


def _on_standard_error(text: str) -> None:
    print(text, file=sys.stderr)


@contextmanager
def exclusive(state: State, say: Callable[[str], None] = _on_standard_error) -> Iterator[None]:
    """Let one command at a time change the cluster; a second one says that it waits, and waits.

    Raises:
        ClusterError: when the state folder cannot be written.
    """
    try:
        state.root.mkdir(parents=True, exist_ok=True)
        lock = (state.root / "lock").open("w")
    except OSError as error:
        remedy = "run the command as its owner, or set STREAMJOB_STATE to a folder of yours"
        raise ClusterError(f"The state folder cannot be written ({error}). Remedy: {remedy}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another command works on the cluster; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
