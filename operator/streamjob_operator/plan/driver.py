"""The driver pod."""

import math
from pathlib import PurePath
from typing import Any

from streamjob_api import job_file, kinds
from streamjob_api.lifecycle import Lifecycle
from streamjob_operator.observed import DRIVER_CONTAINER, Job, Manifest
from streamjob_operator.plan.names import claim_name, config_map_name, driver_name, metadata
from streamjob_operator.settings import DriverSettings
from streamjob_operator.validation import Runnable

# The user "spark" of Spark's own images; the runtime image has it too.
SPARK_USER = 185
MEMORY_MI_PER_CU = 2048
SCRATCH_ROOT = "/tmp"  # noqa: S108 (an emptyDir of the pod)
# Argo CD calls a Running pod that is never restarted "Progressing" without it.
_ARGO_CD = {"argocd.argoproj.io/ignore-restart-policy": "true"}
_STARTUP_PERIOD_SECONDS = 2


def driver_pod(job: Job, runnable: Runnable, attempt: int, epoch: int, settings: DriverSettings) -> Manifest:
    """One bare pod for each attempt: it is never restarted in place, and never twice at once by its name."""
    meta = metadata(job, driver_name(job.key.name, attempt), "driver", attempt)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **meta,
            "labels": {**meta["labels"], kinds.EPOCH_LABEL: str(epoch), "spark-role": "driver"},
            "annotations": {
                kinds.SPEC_HASH_ANNOTATION: runnable.spec_hash,
                kinds.CU_ANNOTATION: f"{runnable.cu:g}",
                **_calculated(runnable),
                **_ARGO_CD,
            },
        },
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": math.ceil(runnable.spec.lifecycle.stop_deadline.seconds),
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": _pod_security(),
            "containers": [_container(runnable, settings)],
            "volumes": _volumes(job, runnable, attempt),
            **_placement(settings),
        },
    }


def _calculated(runnable: Runnable) -> dict[str, str]:
    """What the driver reads from the results' topic, so that it is known when it has to read more from there."""
    points = ",".join(map(str, runnable.calculated))
    return {kinds.CALCULATED_ANNOTATION: points} if points else {}


def _container(runnable: Runnable, settings: DriverSettings) -> dict[str, Any]:
    return {
        "name": DRIVER_CONTAINER,
        "image": runnable.image,
        "imagePullPolicy": settings.image_pull_policy,
        "ports": [{"name": "metrics", "containerPort": job_file.DRIVER_HTTP_PORT}],
        "resources": resources(runnable.cu, settings.cpu_request_per_cu),
        "securityContext": _container_security(),
        "startupProbe": _startup_probe(runnable.spec.lifecycle),
        "readinessProbe": _probe("/readyz", period=5, failures=2),
        "livenessProbe": _probe("/healthz", period=10, failures=6),
        "terminationMessagePath": job_file.TERMINATION_LOG,
        "volumeMounts": _mounts(runnable),
    }


def resources(cu: float, cpu_request_per_cu: float) -> dict[str, Any]:
    """1 CU is 1 CPU core and 2 GiB; memory is requested as a whole, so that a node never takes it back."""
    memory = f"{round(cu * MEMORY_MI_PER_CU)}Mi"
    return {
        "requests": {"cpu": f"{round(cu * cpu_request_per_cu * 1000)}m", "memory": memory},
        "limits": {"cpu": f"{round(cu * 1000)}m", "memory": memory},
    }


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


def _pod_security() -> dict[str, Any]:
    return {
        "runAsNonRoot": True,
        "runAsUser": SPARK_USER,
        "runAsGroup": SPARK_USER,
        "fsGroup": SPARK_USER,
        # A checkpoint has many small files: changing the owner of all of them at each start would take minutes.
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _container_security() -> dict[str, Any]:
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _mounts(runnable: Runnable) -> list[dict[str, Any]]:
    folder = str(PurePath(job_file.JOB_FILE).parent)
    return [
        {"name": "job-file", "mountPath": folder, "readOnly": True},
        {"name": "checkpoint", "mountPath": job_file.CHECKPOINT_DIR},
        {"name": "scratch", "mountPath": SCRATCH_ROOT},
        *({"name": name, "mountPath": path, "readOnly": True} for name, _, path in _secrets(runnable)),
    ]


def _volumes(job: Job, runnable: Runnable, attempt: int) -> list[dict[str, Any]]:
    return [
        {"name": "job-file", "configMap": {"name": config_map_name(job.key.name, attempt)}},
        {"name": "checkpoint", "persistentVolumeClaim": {"claimName": claim_name(job.key.name)}},
        {"name": "scratch", "emptyDir": {}},
        *({"name": name, "secret": {"secretName": secret}} for name, secret, _ in _secrets(runnable)),
    ]


def _secrets(runnable: Runnable) -> list[tuple[str, str, str]]:
    """Volume, secret and mount path of each; the kubelet mounts them, the operator never reads them."""
    kafka, redis = runnable.resource_spec.kafka, runnable.resource_spec.redis
    named = [
        ("kafka-auth", kafka.auth_secret, job_file.KAFKA_AUTH_DIR),
        ("redis-auth", redis.auth_secret if redis else None, job_file.REDIS_AUTH_DIR),
    ]
    return [(volume, secret, path) for volume, secret, path in named if secret]


def _placement(settings: DriverSettings) -> dict[str, Any]:
    placed: dict[str, Any] = {
        "serviceAccountName": settings.service_account,
        "imagePullSecrets": [{"name": name} for name in settings.image_pull_secrets],
        "nodeSelector": dict(settings.node_selector),
        "tolerations": [dict(toleration) for toleration in settings.tolerations],
    }
    return {key: value for key, value in placed.items() if value}
