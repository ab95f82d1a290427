"""kind, through pytest-kind, where a Docker engine answers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_kind import KindCluster

from localcluster.go_tools import program
from localcluster.problems import ClusterError
from localcluster.progress import Progress
from localcluster.providers.access import Access
from localcluster.providers.cluster import Delivery
from localcluster.state import State

NAME = "streamjob"
DOCKER_SECONDS = 20


@dataclass(frozen=True)
class KindInDocker(Access):
    """A node in a Docker container; images are loaded into it from archives."""

    kind_program: Path

    @property
    def delivery(self) -> Delivery:
        return Delivery.LOAD

    @property
    def image_prefix(self) -> str:
        return "localhost/streamjob"

    def load_images(self, *archives: Path) -> None:
        for archive in archives:
            argv = [str(self.kind_program), "load", "image-archive", "--name", NAME, str(archive)]
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise ClusterError(f"{archive} cannot be loaded: {done.stderr.strip()}")


def docker_answers() -> bool:
    """Whether there is a Docker engine that this user may use."""
    try:
        done = subprocess.run(["docker", "info"], capture_output=True, timeout=DOCKER_SECONDS, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


@contextmanager
def kind(state: State, progress: Progress) -> Iterator[KindInDocker]:
    """A kind cluster, created unless it is there. It goes on running; ``kind delete cluster`` removes it."""
    kubectl = program("kubectl", state, progress)
    kind_program = Path(shutil.which("kind") or state.bin / "kind")  # pytest-kind downloads what is not there
    state.bin.mkdir(parents=True, exist_ok=True)
    kubeconfig = state.root / "kind-kubeconfig"
    with progress.step(f"Create or find the kind cluster {NAME}"), chdir(state.root):
        # pytest-kind makes a folder .pytest-kind where it stands
        KindCluster(NAME, kubeconfig=kubeconfig, kind_path=kind_program, kubectl_path=kubectl).create()
    yield KindInDocker(kubeconfig, kubectl, program("helm", state, progress), kind_program)
