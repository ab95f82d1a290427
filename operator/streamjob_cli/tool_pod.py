"""The short pod beside a job's checkpoint; pure.

It mounts what the job's driver mounts and may do no more than that. It is the user's own, outside the OU's capacity,
and carries none of the labels that the operator looks for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streamjob_api import job_file, kinds
from streamjob_api.job_file import JobFile
from streamjob_api.memory import MIB_PER_CU
from streamjob_operator.plan.names import claim_name
from streamjob_operator.plan.pod_parts import (
    SCRATCH_ROOT,
    container_security,
    job_file_mount,
    pod_security,
)

Manifest = dict[str, Any]
COMPONENT = "checkpoint-tool"
# It ends by itself where the command was lost.
DEADLINE_SECONDS = 900
_MODULE = "streamjob_runtime.state_tools"
# Reading the state starts Spark; all else is Python alone.
_PLAIN_MI = 512


@dataclass(frozen=True)
class Subject:
    """The job that is looked at.

    Attributes:
        uid: of the StreamJob.
        told: what its last driver was told.
        config_map: where that is.
        image: of the runtime.
        claim: the volume claim that its checkpoint lies on.
        placement: of its last driver, where that is still there: node selector, tolerations, pull secrets; on its node
            while it lives.
    """

    uid: str
    told: JobFile
    config_map: str
    image: str
    claim: str
    placement: Mapping[str, Any]


def tool_pod(subject: Subject, arguments: Sequence[str], *, needs_spark: bool) -> Manifest:
    """Return the pod that carries out one request."""
    name = subject.told.job.name
    memory = f"{round(subject.told.spec.resources.driver_cu * MIB_PER_CU) if needs_spark else _PLAIN_MI}Mi"
    owner = {"apiVersion": kinds.API_VERSION, "kind": kinds.STREAM_JOB, "name": name, "uid": subject.uid}
    secrets = _secrets(subject.told)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{name}-{COMPONENT}-"[:57],
            "labels": {
                "app.kubernetes.io/name": "streamjob",
                "app.kubernetes.io/instance": name,
                "app.kubernetes.io/component": COMPONENT,
            },
            "ownerReferences": [owner],
        },
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": DEADLINE_SECONDS,
            "terminationGracePeriodSeconds": 5,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": pod_security(),
            "containers": [
                {
                    "name": COMPONENT,
                    "image": subject.image,
                    "command": ["python", "-m", _MODULE, job_file.JOB_FILE, *arguments],
                    "resources": {
                        "requests": {"cpu": "100m", "memory": f"{_PLAIN_MI}Mi"},
                        "limits": {"cpu": "1", "memory": memory},
                    },
                    "securityContext": container_security(),
                    "volumeMounts": [
                        job_file_mount(),
                        {"name": "checkpoint", "mountPath": job_file.CHECKPOINT_DIR},
                        {"name": "scratch", "mountPath": SCRATCH_ROOT},
                        *({"name": name, "mountPath": path, "readOnly": True} for name, (_, path) in secrets.items()),
                    ],
                }
            ],
            "volumes": [
                {"name": "job-file", "configMap": {"name": subject.config_map}},
                {"name": "checkpoint", "persistentVolumeClaim": {"claimName": subject.claim}},
                {"name": "scratch", "emptyDir": {}},
                *({"name": name, "secret": {"secretName": secret}} for name, (secret, _) in secrets.items()),
            ],
            **subject.placement,
        },
    }


def claim_of(job: str, resources: Sequence[Manifest]) -> str:
    """The claim that a job's checkpoints lie on: the OU's shared one where it names one, else the job's own."""
    shared = resources[0]["spec"].get("checkpoints", {}).get("claimName") if resources else None
    return str(shared or claim_name(job))


def _secrets(told: JobFile) -> dict[str, tuple[str, str]]:
    kafka, redis = told.kafka.auth_secret, told.redis.auth_secret if told.redis else None
    named = {"kafka-auth": (kafka, job_file.KAFKA_AUTH_DIR), "redis-auth": (redis, job_file.REDIS_AUTH_DIR)}
    return {name: (secret, path) for name, (secret, path) in named.items() if secret}
