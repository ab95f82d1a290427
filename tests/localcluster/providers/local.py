"""The cluster of this package, on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localcluster import lifecycle, registry
from localcluster.client import ctr
from localcluster.problems import ClusterError
from localcluster.progress import Progress
from localcluster.providers.access import Access
from localcluster.providers.cluster import Delivery
from localcluster.state import State, exclusive


@dataclass(frozen=True)
class LocalCluster(Access):
    """It pulls from the registry beside it."""

    state: State

    @property
    def delivery(self) -> Delivery:
        return Delivery.PUSH

    @property
    def image_prefix(self) -> str:
        return f"{registry.ADDRESS}/streamjob"

    def load_images(self, *archives: Path) -> None:
        for archive in archives:
            done = ctr(self.state, "images", "import", str(archive))
            if done.returncode != 0:
                raise ClusterError(f"{archive} cannot be imported: {done.stderr.strip()}")


@contextmanager
def local(state: State, progress: Progress) -> Iterator[LocalCluster]:
    """The local cluster, started as far as it does not run. It goes on running for the next user."""
    with exclusive(state, progress.say):
        lifecycle.up(state, progress)
    yield LocalCluster(state.kubeconfig, state.bin / "kubectl", state.bin / "helm", state)
