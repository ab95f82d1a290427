"""The operator's own settings: read once at start, passed on as a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from streamjob_operator.catalogue import Catalogue


@dataclass(frozen=True)
class DriverSettings:
    """What every driver and executor pod gets beside its job's own spec; a change here restarts no running driver.

    Args:
        service_account: of Standalone jobs' drivers; its token is not mounted.
        cluster_service_account: of Cluster jobs' drivers, which manage their executors with its token.
        node_loss_seconds: how long a pod stays on a node that does not answer before it is asked to end.
    """

    cpu_request_per_cu: float = 1.0
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    service_account: str = ""
    cluster_service_account: str = "streamjob-driver"
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Any], ...] = ()
    node_loss_seconds: int = 30


@dataclass(frozen=True)
class Settings:
    """How this operator runs."""

    catalogue: Catalogue = field(default_factory=Catalogue)
    driver: DriverSettings = field(default_factory=DriverSettings)
    namespaces: tuple[str, ...] = ()  # empty: the whole cluster
    workers: int = 64  # half of them for one OU while no other waits
    leader_election: bool = True
    lease_namespace: str = "default"
    identity: str = "streamjob-operator"
    http_host: str = "0.0.0.0"  # noqa: S104 (kubelet and Prometheus ask from other addresses)
    http_port: int = 8080
    log_level: str = "INFO"
    progress_interval_seconds: float = 60.0
    throughput_interval_seconds: float = 300.0
    models_interval_seconds: float = 45.0
    relist_interval_seconds: float = 600.0
