"""What drivers and executors have in common: size, security, mounts, where they may run."""

from pathlib import PurePath
from typing import Any

from streamjob_api import job_file
from streamjob_api.memory import MIB_PER_CU
from streamjob_operator.observed import Job
from streamjob_operator.plan.names import claim_name
from streamjob_operator.settings import DriverSettings
from streamjob_operator.validation import Runnable

# The user "spark" of Spark's own images; the runtime image has it too.
SPARK_USER = 185
SCRATCH_ROOT = "/tmp"  # noqa: S108 (an emptyDir of the pod)


def cpu(cu: float) -> str:
    """CPU as Kubernetes writes it; 1 CU is 1 core."""
    return f"{round(cu * 1000)}m"


def resources(cu: float, cpu_request_per_cu: float) -> dict[str, Any]:
    """1 CU is 1 CPU core and 2 GiB; memory is requested as a whole, so that a node never takes it back."""
    memory = f"{round(cu * MIB_PER_CU)}Mi"
    return {
        "requests": {"cpu": cpu(cu * cpu_request_per_cu), "memory": memory},
        "limits": {"cpu": cpu(cu), "memory": memory},
    }


def pod_security() -> dict[str, Any]:
    """Of the restricted standard."""
    return {
        "runAsNonRoot": True,
        "runAsUser": SPARK_USER,
        "runAsGroup": SPARK_USER,
        "fsGroup": SPARK_USER,
        # A checkpoint has many small files: changing the owner of all of them at each start would take minutes.
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> dict[str, Any]:
    """Of the restricted standard."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def mounts(runnable: Runnable) -> list[dict[str, Any]]:
    """Checkpoints, scratch files and secrets."""
    return [
        {"name": "checkpoint", "mountPath": job_file.CHECKPOINT_DIR},
        {"name": "scratch", "mountPath": SCRATCH_ROOT},
        *({"name": name, "mountPath": path, "readOnly": True} for name, _, path in _secrets(runnable)),
    ]


def volumes(job: Job, runnable: Runnable) -> list[dict[str, Any]]:
    """What is mounted: the OU's shared claim where it names one, else the job's own."""
    claim = runnable.resource_spec.checkpoints.claim_name or claim_name(job.key.name)
    return [
        {"name": "checkpoint", "persistentVolumeClaim": {"claimName": claim}},
        {"name": "scratch", "emptyDir": {}},
        *({"name": name, "secret": {"secretName": secret}} for name, secret, _ in _secrets(runnable)),
    ]


def _secrets(runnable: Runnable) -> list[tuple[str, str, str]]:
    """Volume, secret and mount path of each; the kubelet mounts them, the operator never reads them."""
    kafka, redis = runnable.resource_spec.kafka, runnable.resource_spec.redis
    named = [
        ("kafka-auth", kafka.auth_secret, job_file.KAFKA_AUTH_DIR),
        ("redis-auth", redis.auth_secret if redis else None, job_file.REDIS_AUTH_DIR),
        ("http-auth", _http_secret(runnable), job_file.HTTP_AUTH_DIR),
    ]
    return [(volume, secret, path) for volume, secret, path in named if secret]


def _http_secret(runnable: Runnable) -> str | None:
    """What is sent to the hosts that a pipeline may ask; other jobs ask none."""
    allowed = runnable.resource_spec.pipelines
    return allowed.http.auth_secret if runnable.spec.pipeline and allowed and allowed.http else None


def job_file_mount() -> dict[str, Any]:
    """Of the ConfigMap with ``job.json``."""
    return {"name": "job-file", "mountPath": str(PurePath(job_file.JOB_FILE).parent), "readOnly": True}


def placement(settings: DriverSettings) -> dict[str, Any]:
    """Where pods may run and by which secrets their images are pulled."""
    placed: dict[str, Any] = {
        "imagePullSecrets": [{"name": name} for name in settings.image_pull_secrets],
        "nodeSelector": dict(settings.node_selector),
        "tolerations": [*(dict(toleration) for toleration in settings.tolerations), *_of_lost_nodes(settings)],
    }
    return {key: value for key, value in placed.items() if value}


def _of_lost_nodes(settings: DriverSettings) -> list[dict[str, Any]]:
    """Leave a lost node sooner than after the five minutes that Kubernetes gives, unless the settings say how long.

    Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
    """
    given = {toleration.get("key") for toleration in settings.tolerations}
    return [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": settings.node_loss_seconds}
        for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
        if not given & {key, None}
    ]
