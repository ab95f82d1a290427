"""The cluster that the user names by ``KUBECONFIG``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localcluster.go_tools import program
from localcluster.problems import ClusterError
from localcluster.progress import Progress
from localcluster.providers.access import Access
from localcluster.providers.cluster import Delivery
from localcluster.state import State

PREFIX_VARIABLE = "STREAMJOB_IMAGE_PREFIX"


@dataclass(frozen=True)
class ExternalCluster(Access):
    """A cluster of the user's, whose nodes pull images from a registry of the user's."""

    prefix: str | None = None

    @property
    def delivery(self) -> Delivery:
        return Delivery.PUSH

    @property
    def image_prefix(self) -> str:
        if not self.prefix:
            raise ClusterError(
                f"The nodes of the cluster in {self.kubeconfig} need a registry to pull images from. "
                f"Remedy: set {PREFIX_VARIABLE}, as in registry.example.org/streamjob, or unset KUBECONFIG"
            )
        return self.prefix

    def load_images(self, *archives: Path) -> None:
        names = ", ".join(archive.name for archive in archives)
        raise ClusterError(f"{names} cannot be loaded into the cluster in {self.kubeconfig}: push to {PREFIX_VARIABLE}")


@contextmanager
def external(state: State, environment: Mapping[str, str], progress: Progress) -> Iterator[ExternalCluster]:
    """The user's cluster, once it has answered; it is left as it is."""
    paths = environment["KUBECONFIG"].split(os.pathsep)
    if len(paths) != 1 or not Path(paths[0]).exists():
        raise ClusterError(f"KUBECONFIG must name one file that exists (is: {environment['KUBECONFIG']})")
    cluster = ExternalCluster(
        Path(paths[0]).resolve(),
        program("kubectl", state, progress),
        program("helm", state, progress),
        environment.get(PREFIX_VARIABLE),
    )
    with progress.step(f"Use the cluster in {cluster.kubeconfig}"):
        cluster.kubectl("get", "--raw", "/readyz", "--request-timeout=15s")
    yield cluster
