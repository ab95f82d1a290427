"""Names, labels and owners of a job's objects, each from one place, so that a second run finds the first one's."""

import hashlib
from typing import Any

from streamjob_api import kinds
from streamjob_operator.observed import Job, Manifest

# https://spark.apache.org/docs/latest/running-on-kubernetes.html (spark.kubernetes.executor.podNamePrefix)
_MAX_EXECUTOR_PREFIX = 47


def driver_name(job: str, attempt: int) -> str:
    """Name of a driver pod; it fits a label value, since a job's name has at most 46 characters."""
    return f"{job}-{attempt}-driver"


def executor_prefix(job: str, attempt: int) -> str:
    """What the names of an attempt's executors begin with; Spark takes 47 characters at most."""
    name = f"{job}-{attempt}"
    if len(name) <= _MAX_EXECUTOR_PREFIX:
        return name
    told = f"{hashlib.sha256(job.encode()).hexdigest()[:8]}-{attempt}"
    return f"{job[: _MAX_EXECUTOR_PREFIX - len(told) - 1].rstrip('-')}-{told}"


def config_map_name(job: str, attempt: int) -> str:
    """Name of the ConfigMap that holds an attempt's job.json."""
    return f"{job}-{attempt}-job"


def claim_name(job: str) -> str:
    """Name of the volume claim for checkpoints; it outlives attempts."""
    return f"{job}-checkpoint"


def metadata(job: Job, name: str, component: str, attempt: int | None = None) -> Manifest:
    """Metadata of an object that its job owns; ``attempt`` where it belongs to one attempt."""
    return {
        "name": name,
        "namespace": job.key.namespace,
        "labels": labels(job, component, attempt),
        "ownerReferences": [owner(job)],
    }


def labels(job: Job, component: str, attempt: int | None = None) -> dict[str, str]:
    """Labels by which the operator and people find a job's objects."""
    return {
        "app.kubernetes.io/name": "streamjob",
        "app.kubernetes.io/instance": job.key.name,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/managed-by": "streamjob-operator",
        kinds.JOB_LABEL: job.key.name,
        kinds.COMPONENT_LABEL: component,
        **({kinds.ATTEMPT_LABEL: str(attempt)} if attempt is not None else {}),
    }


def owner(job: Job) -> dict[str, Any]:
    """Owner reference: the garbage collector deletes the object with its job."""
    return {
        "apiVersion": kinds.API_VERSION,
        "kind": kinds.STREAM_JOB,
        "name": job.key.name,
        "uid": job.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
