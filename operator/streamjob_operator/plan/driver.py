"""The driver pod."""

import math
from typing import Any

from streamjob_api import job_file, kinds
from streamjob_api.lifecycle import Lifecycle
from streamjob_operator.observed import DRIVER_CONTAINER, Job, Manifest
from streamjob_operator.plan.executors import has_executors
from streamjob_operator.plan.names import config_map_name, driver_name, metadata
from streamjob_operator.plan.pod_parts import (
    container_security,
    job_file_mount,
    mounts,
    placement,
    pod_security,
    resources,
    volumes,
)
from streamjob_operator.settings import DriverSettings
from streamjob_operator.validation import Runnable

# Argo CD calls a Running pod that is never restarted "Progressing" without it.
_ARGO_CD = {"argocd.argoproj.io/ignore-restart-policy": "true"}
_STARTUP_PERIOD_SECONDS = 2


def driver_pod(job: Job, runnable: Runnable, attempt: int, epoch: int, settings: DriverSettings) -> Manifest:
    """One bare pod for each attempt: it is never restarted in place, and never twice at once by its name."""
    meta = metadata(job, driver_name(job.key.name, attempt), kinds.DRIVER, attempt)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **meta,
            "labels": {**meta["labels"], kinds.EPOCH_LABEL: str(epoch), "spark-role": "driver"},
            "annotations": {
                kinds.SPEC_HASH_ANNOTATION: runnable.spec_hash,
                kinds.CU_ANNOTATION: f"{runnable.cu:g}",
                **_workers(runnable),
                **_calculated(runnable),
                **_ARGO_CD,
            },
        },
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": math.ceil(runnable.spec.lifecycle.stop_deadline.seconds),
            # only a driver that manages executors asks the API server anything
            "automountServiceAccountToken": has_executors(runnable),
            "enableServiceLinks": False,
            "securityContext": pod_security(),
            "containers": [_container(runnable, settings, _environment(job, runnable, epoch))],
            "volumes": [
                {"name": "job-file", "configMap": {"name": config_map_name(job.key.name, attempt)}},
                *volumes(job, runnable),
            ],
            **_account(runnable, settings),
            **placement(settings),
        },
    }


def _workers(runnable: Runnable) -> dict[str, str]:
    workers = runnable.spec.resources.workers
    return {kinds.WORKERS_ANNOTATION: str(workers)} if workers else {}


def _calculated(runnable: Runnable) -> dict[str, str]:
    """What the driver reads from the results' topic, so that it is known when it has to read more from there."""
    points = ",".join(map(str, runnable.calculated))
    return {kinds.CALCULATED_ANNOTATION: points} if points else {}


def _account(runnable: Runnable, settings: DriverSettings) -> dict[str, str]:
    name = settings.cluster_service_account if has_executors(runnable) else settings.service_account
    return {"serviceAccountName": name} if name else {}


def _environment(job: Job, runnable: Runnable, epoch: int) -> list[dict[str, Any]]:
    """What a driver is told beside its job file."""
    stable = job.status.last_stable
    told: list[dict[str, Any]] = []
    if has_executors(runnable):
        told.append({"name": job_file.POD_IP, "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}})
    if stable is not None and stable.epoch == epoch:
        told.append({"name": job_file.CONTINUES, "value": "true"})
    return told


def _container(runnable: Runnable, settings: DriverSettings, environment: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": DRIVER_CONTAINER,
        "image": runnable.image,
        "imagePullPolicy": settings.image_pull_policy,
        **({"env": environment} if environment else {}),
        "ports": _ports(runnable),
        "resources": resources(runnable.spec.resources.driver_cu, settings.cpu_request_per_cu),
        "securityContext": container_security(),
        "startupProbe": _startup_probe(runnable.spec.lifecycle),
        "readinessProbe": _probe("/readyz", period=5, failures=2),
        "livenessProbe": _probe("/healthz", period=10, failures=6),
        "terminationMessagePath": job_file.TERMINATION_LOG,
        "volumeMounts": [job_file_mount(), *mounts(runnable)],
    }


def _ports(runnable: Runnable) -> list[dict[str, Any]]:
    """Executors reach their driver at its pod's address: no Service is needed."""
    metrics = {"name": "metrics", "containerPort": job_file.DRIVER_HTTP_PORT}
    if not has_executors(runnable):
        return [metrics]
    return [
        metrics,
        {"name": "driver-rpc-port", "containerPort": job_file.DRIVER_RPC_PORT},
        {"name": "blockmanager", "containerPort": job_file.BLOCKS_PORT},
    ]


def _probe(path: str, period: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": "metrics"},
        "periodSeconds": period,
        "timeoutSeconds": 3,
        "failureThreshold": failures,
    }


def _startup_probe(lifecycle: Lifecycle) -> dict[str, Any]:
    """Until the runtime's HTTP server answers; the start deadline ends the wait."""
    failures = max(1, math.ceil(lifecycle.start_deadline.seconds / _STARTUP_PERIOD_SECONDS))
    return _probe("/healthz", _STARTUP_PERIOD_SECONDS, failures)
