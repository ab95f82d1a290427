"""Bring images to a cluster, in the way that it takes them."""

from __future__ import annotations

import os
from collections.abc import Sequence

from images import build
from localcluster.progress import Progress
from localcluster.providers import Cluster, Delivery
from localcluster.state import state_folder


def deliver(cluster: Cluster, names: Sequence[str] = (), progress: Progress | None = None) -> dict[str, str]:
    """Build what changed and hand it to the cluster; returns what pods call each image.

    Raises:
        ClusterError: saying what is missing or which step failed.
    """
    environment = dict(os.environ)
    if cluster.image_prefix != build.LOCAL_PREFIX:
        environment[build.PREFIX] = cluster.image_prefix
    if cluster.delivery is Delivery.PUSH:
        return build.build(names, progress, environment)
    archives = build.archive(state_folder(environment).images / "archives", names, progress, environment)
    cluster.load_images(*archives.values())
    return build.references(names, environment)
