"""Which cluster is used: the one the user names, else kind where a Docker engine answers, else the local one."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from enum import Enum
from pathlib import Path

from rich.console import Console

from localcluster.progress import Progress
from localcluster.providers.cluster import Cluster
from localcluster.providers.external import external
from localcluster.providers.kind import docker_answers, kind
from localcluster.providers.local import local
from localcluster.state import State, state_folder


class Provider(Enum):
    """Where a cluster comes from."""

    EXTERNAL = "KUBECONFIG"
    KIND = "kind"
    LOCAL = "local"


def provider_of(environment: Mapping[str, str], state: State, has_docker: Callable[[], bool]) -> Provider:
    """Decide. A ``KUBECONFIG`` that is the local cluster's own means the local cluster.

    ``has_docker`` is asked only where it matters: a Docker client may take long to find that nobody answers.
    """
    if named := environment.get("KUBECONFIG"):
        return Provider.LOCAL if Path(named).resolve() == state.kubeconfig else Provider.EXTERNAL
    return Provider.KIND if has_docker() else Provider.LOCAL


def choose(
    console: Console | None = None, environment: Mapping[str, str] = os.environ
) -> AbstractContextManager[Cluster]:
    """The cluster to use, ready when the context is entered; it outlives the context.

    Raises:
        ClusterError: on entering, when it cannot be had; with what is missing and the remedy.
    """
    progress = Progress(console)
    state = state_folder(environment)
    match provider_of(environment, state, docker_answers):
        case Provider.EXTERNAL:
            return external(state, environment, progress)
        case Provider.KIND:
            return kind(state, progress)
        case Provider.LOCAL:
            return local(state, progress)
