"""Jobs, resources and pods as tests need them: plain manifests, extracted as the operator extracts them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from streamjob_operator.catalogue import Catalogue
from streamjob_operator.extracts import job_of, pod_of, resource_of
from streamjob_operator.jobs.course import Observed
from streamjob_operator.observed import Job, Manifest, Pod, Resource
from streamjob_operator.validation import Lineage, OuFacts, Runnable, check

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
CREATED = "2026-01-31T11:00:00Z"
JOB_UID, RESOURCE_UID = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
TEMPLATE = {"name": "time-window-aggregation", "version": "1.0"}
CATALOGUE = Catalogue({("time-window-aggregation", "1.0"): "example.org/runtime:1"})


def job_manifest(name: str = "extremes", **spec: Any) -> Manifest:
    """A manifest of a job; a field that is None is left out."""
    policy = {"input": "M::A", "aggregation": "max", "windowSize": "10m", "output": f"M::{name}"}
    written = {"template": TEMPLATE, "timeWindowAggregation": {"policies": [policy]}}
    return {
        "metadata": {
            "name": name,
            "namespace": "ou",
            "uid": JOB_UID,
            "resourceVersion": "10",
            "generation": 1,
            "creationTimestamp": CREATED,
        },
        "spec": {name: value for name, value in (written | spec).items() if value is not None},
    }


def job(name: str = "extremes", status: Manifest | None = None, **spec: Any) -> Job:
    return job_of({**job_manifest(name, **spec), "status": status or {}})


def resource(name: str = "energy", created: str = CREATED, namespace: str = "ou", **spec: Any) -> Resource:
    return resource_of(
        {
            "metadata": {
                "name": name,
                "namespace": namespace,
                "uid": RESOURCE_UID if name == "energy" else name,
                "resourceVersion": "5",
                "generation": 1,
                "creationTimestamp": created,
            },
            "spec": {
                "orgId": "o1",
                "capacity": {"design": 1, "standalone": 4},
                "libraries": [TEMPLATE],
                "kafka": {"bootstrapServers": "kafka:9092"},
                **spec,
            },
        }
    )


def facts(of: Resource | None = None, **more: Any) -> OuFacts:
    return OuFacts(**{"namespace": "ou", "resource": of or resource(), "catalogue": CATALOGUE, **more})


def runnable(of: Job, **spec: Any) -> Runnable:
    verdict = check(of, facts(resource(**spec)), Lineage())
    assert isinstance(verdict, Runnable), verdict
    return verdict


def pod(
    of: Job,
    attempt: int = 1,
    *,
    phase: str = "Running",
    ready: bool = True,
    spec_hash: str | None = None,
    job_uid: str = JOB_UID,
    created: datetime = NOW - timedelta(minutes=1),
    terminating: bool = False,
    ends_by: datetime = NOW + timedelta(seconds=20),
    container: Manifest | None = None,
    conditions: tuple[Manifest, ...] = (),
    calculated: tuple[str, ...] = (),
    **status: Any,
) -> Pod:
    state = container or {"running": {"startedAt": "2026-01-31T11:59:30Z"}}
    ready_condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": "2026-01-31T11:59:40Z"}
    meta: Manifest = {
        "name": f"{of.key.name}-{attempt}-driver",
        "namespace": "ou",
        "uid": f"pod-{attempt}",
        "creationTimestamp": created.isoformat(),
        "labels": {"streamjob.dev/job": of.key.name, "streamjob.dev/attempt": str(attempt), "streamjob.dev/epoch": "0"},
        "annotations": {"streamjob.dev/cu": "1", "streamjob.dev/spec-hash": spec_hash or runnable(of).spec_hash},
        "ownerReferences": [{"uid": job_uid, "controller": True}],
    }
    if calculated:
        meta["annotations"]["streamjob.dev/calculated-inputs"] = ",".join(calculated)
    if terminating:
        meta["deletionTimestamp"] = ends_by.isoformat()
    statuses = [{"name": "spark-kubernetes-driver", "state": state, "started": ready}]
    return pod_of(
        {
            "metadata": meta,
            "spec": {"nodeName": "node-1"},
            "status": {
                "phase": phase,
                "podIP": "10.0.0.7",
                "conditions": [ready_condition, *conditions],
                "containerStatuses": statuses,
                **status,
            },
        }
    )


def terminated(code: int, message: str = "", reason: str = "Error") -> Manifest:
    facts = {"exitCode": code, "message": message, "reason": reason, "finishedAt": "2026-01-31T11:59:50Z"}
    return {"terminated": facts}


def running_status(of: Job, attempt: int = 1, **more: Any) -> Manifest:
    """The status of a job whose driver was seen."""
    return {
        "attempt": attempt,
        "admittedCu": 1,
        "driver": {"podName": f"{of.key.name}-{attempt}-driver", "uid": f"pod-{attempt}"},
        "deployed": {"specHash": runnable(of).spec_hash, "generation": 1, "epoch": 0},
        **more,
    }


def observed(of: Job, *pods: Pod, granted: float = 1, **more: Any) -> Observed:
    verdict = check(of, facts(), Lineage())
    return Observed(**{"job": of, "verdict": verdict, "pods": pods, "granted": granted, "live": True, **more})
