"""The OUs and jobs that are measured, as manifests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import yaml

from benchmarks.operator.volumes import STORAGE_CLASS
from streamjob_api import kinds

Manifest = dict[str, Any]

TEMPLATE = {"name": "time-window-aggregation", "version": "1.0"}
_MODELS, _CLAIM = "thing-models", "checkpoints"
_POINTS = 200


@dataclass(frozen=True)
class Fleet:
    """So many OUs with so many jobs each; every fleet has namespaces of its own.

    Attributes:
        shares_claims: the jobs of an OU share a claim. Kubernetes' controllers bind about five a second.
    """

    name: str
    ous: int
    jobs_per_ou: int
    shares_claims: bool = False

    @property
    def namespaces(self) -> list[str]:
        return [f"bench-{self.name}-{number:02d}" for number in range(self.ous)]

    @property
    def size(self) -> int:
        return self.ous * self.jobs_per_ou

    @property
    def jobs(self) -> list[tuple[str, str]]:
        """Namespace and name of every job; OU by OU in turns, as many users at once would apply them."""
        return [(namespace, f"job-{number:04d}") for number in range(self.jobs_per_ou) for namespace in self.namespaces]


def jobs_path(namespace: str) -> str:
    return f"/apis/{kinds.API_VERSION}/namespaces/{namespace}/{kinds.STREAM_JOBS}"


def job(name: str, **spec: Any) -> Manifest:
    """Two windows over one point, as the demo's job has them."""
    number = int(name.rpartition("-")[2])
    policies = [
        {
            "input": f"Meter::P{number % _POINTS}",
            "threshold": "[0, 100)",
            "aggregation": aggregation,
            "windowSize": "10m",
            "output": f"Meter::{aggregation.title()}{number}",
        }
        for aggregation in ("max", "min")
    ]
    return {
        "apiVersion": kinds.API_VERSION,
        "kind": kinds.STREAM_JOB,
        "metadata": {"name": name},
        "spec": {
            "description": "Highest and lowest reading in ten minutes",
            "template": TEMPLATE,
            "timeWindowAggregation": {"latency": "1h", "policies": policies},
            **spec,
        },
    }


def ou_objects(fleet: Fleet, namespace: str) -> list[tuple[str, Manifest]]:
    """What an OU has before its first job, each with the path it is posted to."""
    jobs = fleet.jobs_per_ou
    points = [{"id": f"P{number}", "type": "AI", "dataType": "double"} for number in range(_POINTS)]
    for number in range(jobs):
        points += [{"id": f"{kind}{number}", "type": "AI", "dataType": "double"} for kind in ("Max", "Min")]
    models = {"models": [{"id": "Meter", "points": points}]}
    own = {"storageClassName": STORAGE_CLASS, "size": "1Gi"}
    resource = {
        "apiVersion": kinds.API_VERSION,
        "kind": kinds.STREAM_RESOURCE,
        "metadata": {"name": "ou"},
        "spec": {
            "orgId": namespace,
            "capacity": {"design": 1, "standalone": jobs},
            "libraries": [TEMPLATE],
            "kafka": {"bootstrapServers": "kafka:9092"},
            "models": {"configMap": _MODELS},
            "checkpoints": {"claimName": _CLAIM} if fleet.shares_claims else {"volumeClaim": own},
        },
    }
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": _MODELS}}
    resources = f"/apis/{kinds.API_VERSION}/namespaces/{namespace}/{kinds.STREAM_RESOURCES}"
    claims = [(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims", shared_claim())] if fleet.shares_claims else []
    return [
        *claims,
        (f"/api/v1/namespaces/{namespace}/configmaps", {**config_map, "data": {"models.yaml": yaml.safe_dump(models)}}),
        (resources, resource),
    ]


def shared_claim() -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": _CLAIM},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": STORAGE_CLASS,
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


def load_lines(fleet: Fleet) -> str:
    """What the loader reads: a job a line, with the path it is posted to."""
    return "".join(
        json.dumps([jobs_path(namespace), f"{namespace}/{name}", job(name)]) + "\n" for namespace, name in fleet.jobs
    )
