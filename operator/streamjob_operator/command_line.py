"""Flags and environment of the operator's process, read once."""

import argparse
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from streamjob_operator.catalogue import Catalogue
from streamjob_operator.settings import DriverSettings, Settings

_PREFIX = "STREAMJOB_"
_EXAMPLES = """examples:
  python -m streamjob_operator --catalogue catalogue.yaml
      watch the whole cluster that KUBECONFIG names
  python -m streamjob_operator --namespaces ou-energy,ou-water --cpu-request-per-cu 0.1
      watch two namespaces only (no ClusterRole needed); driver pods request a tenth of a core for each CU
  python -m streamjob_operator --no-leader-election --http-port 18080
      alone, as tests run it

Every flag can be given by the environment too: --cpu-request-per-cu as STREAMJOB_CPU_REQUEST_PER_CU.
"""


@dataclass(frozen=True)
class _Flag:
    name: str
    default: Any
    help: str
    kind: Any = str


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _mapping(text: str) -> dict[str, str]:
    value = yaml.safe_load(text or "{}")
    if not isinstance(value, dict):
        raise ValueError("not a mapping")
    return {str(name): str(item) for name, item in value.items()}


def _mappings(text: str) -> tuple[Mapping[str, Any], ...]:
    value = yaml.safe_load(text or "[]")
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError("not a list of mappings")
    return tuple(value)


def _truth(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


_FLAGS = (
    _Flag("namespaces", (), "namespaces to watch, separated by commas; empty: the whole cluster", _names),
    _Flag("catalogue", Path("/etc/streamjob-operator/catalogue.yaml"), "templates, versions and images", Path),
    _Flag("image-pull-policy", "IfNotPresent", "of driver pods"),
    _Flag("image-pull-secrets", (), "of driver pods, separated by commas", _names),
    _Flag("cpu-request-per-cu", 1.0, "CPU cores that a driver pod requests for each CU", float),
    _Flag("driver-service-account", "", "of Standalone jobs' driver pods; its token is never mounted"),
    _Flag("cluster-service-account", "streamjob-driver", "of Cluster jobs' driver pods, which manage executors by it"),
    _Flag("driver-node-selector", {}, "of driver pods, as JSON", _mapping),
    _Flag("driver-tolerations", (), "of driver pods, as a JSON list", _mappings),
    _Flag("node-loss-seconds", 30, "seconds that a pod stays on a node that Kubernetes calls lost", int),
    _Flag("leader-election", True, "", _truth),
    _Flag("lease-namespace", "default", "namespace of the Lease"),
    _Flag("pod-name", "", "identity of this replica; default the host's name"),
    _Flag("http-port", 8080, "port of /healthz, /readyz and /metrics", int),
    _Flag("workers", 32, "keys worked on at a time", int),
    _Flag("progress-interval", 60.0, "seconds between two questions to a running driver", float),
    _Flag("throughput-interval", 300.0, "least seconds between two status writes for numbers alone", float),
    _Flag("models-interval", 45.0, "seconds, more or less, between two looks at an OU's thing models", float),
    _Flag("relist-interval", 600.0, "seconds between two full listings", float),
    _Flag("log-level", "INFO", "DEBUG, INFO, WARNING or ERROR", str.upper),
)


def settings_from(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process: a flag wins over the environment, that over the default.

    Raises:
        SystemExit: with a sentence, when a value or the catalogue cannot be read.
    """
    parser = _parser(environment)
    given = parser.parse_args(arguments)
    return Settings(
        catalogue=_catalogue(parser, given.catalogue),
        driver=DriverSettings(
            cpu_request_per_cu=given.cpu_request_per_cu,
            image_pull_policy=given.image_pull_policy,
            image_pull_secrets=given.image_pull_secrets,
            service_account=given.driver_service_account,
            cluster_service_account=given.cluster_service_account,
            node_selector=given.driver_node_selector,
            tolerations=given.driver_tolerations,
            node_loss_seconds=given.node_loss_seconds,
        ),
        namespaces=given.namespaces,
        workers=given.workers,
        leader_election=given.leader_election,
        lease_namespace=given.lease_namespace,
        identity=given.pod_name or socket.gethostname(),
        http_port=given.http_port,
        log_level=given.log_level,
        progress_interval_seconds=given.progress_interval,
        throughput_interval_seconds=given.throughput_interval,
        models_interval_seconds=given.models_interval,
        relist_interval_seconds=given.relist_interval,
    )


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m streamjob_operator",
        description="Runs StreamJobs on Kubernetes.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for flag in _FLAGS:
        # argparse parses a default that is a string as if it had been given.
        default = environment.get(_PREFIX + flag.name.upper().replace("-", "_")) or flag.default
        if flag.name == "leader-election":
            default = _truth(default) if isinstance(default, str) else default
            parser.add_argument("--leader-election", action=argparse.BooleanOptionalAction, default=default)
        else:
            parser.add_argument(f"--{flag.name}", default=default, type=flag.kind, help=flag.help)
    return parser


def _catalogue(parser: argparse.ArgumentParser, path: Path) -> Catalogue:
    try:
        return Catalogue.parse(yaml.safe_load(path.read_text()))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        parser.error(f"catalogue {path}: {error}")
