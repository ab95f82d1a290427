"""What demo and tests may ask of a cluster."""

from __future__ import annotations

from contextlib import AbstractContextManager
from enum import Enum
from pathlib import Path
from typing import Protocol


class Delivery(Enum):
    """How an image reaches the nodes of a cluster."""

    PUSH = "push"
    """It is pushed under ``image_prefix``; the nodes pull it from there."""
    LOAD = "load"
    """Its archive is given to ``load_images``."""


class Cluster(Protocol):
    """A Kubernetes cluster that may be used. Every failure is a ``ClusterError`` with the tool's own message."""

    @property
    def kubeconfig(self) -> Path:
        """One file, whose current context is the cluster."""

    @property
    def delivery(self) -> Delivery:
        """How images are brought to it."""

    @property
    def image_prefix(self) -> str:
        """What the names of this project's images begin with, in pods: ``localhost:5001/streamjob``."""

    def load_images(self, *archives: Path) -> None:
        """Bring images from archives (``docker-archive``) to the nodes, under the names that the archives hold."""

    def kubectl(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002
        """Run kubectl; its standard output."""

    def helm(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002
        """Run Helm 3; its standard output."""

    def create_namespace(self, name: str) -> None:
        """Create a namespace unless it is there; on return pods may be created in it."""

    def port_forward(
        self, namespace: str, target: str, port: int, *, local_port: int = 0
    ) -> AbstractContextManager[int]:
        """Forward a port of this machine's 127.0.0.1 to ``target`` (``pod/NAME``, ``service/NAME``); gives the port.

        A forward that breaks, as when its pod is replaced, is made again at the same port.
        """
