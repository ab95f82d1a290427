"""A cluster to work on, wherever it comes from: ``with choose() as cluster: cluster.kubectl("get", "nodes")``."""

from localcluster.providers.choice import choose
from localcluster.providers.cluster import Cluster, Delivery

__all__ = ["Cluster", "Delivery", "choose"]
