"""The pod that asks an OU's Kafka and Redis once; its StreamResource owns it."""

from typing import Any

from streamjob_api import job_file, kinds
from streamjob_api.check import ENVIRONMENT, CheckOrder
from streamjob_api.source import Source
from streamjob_api.stream_resource import StreamResourceSpec
from streamjob_operator.observed import CHECK_CONTAINER, Manifest, Resource
from streamjob_operator.plan.pod_parts import SCRATCH_ROOT, container_security, placement, pod_security
from streamjob_operator.settings import DriverSettings

# From the kubelet's first sight of it, the pulling of a large image included; the questions take seconds.
DEADLINE_SECONDS = 300
# Outside of the OU's capacity: it is there for seconds, and takes what a shell would.
_RESOURCES = {"requests": {"cpu": "10m", "memory": "96Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}}
# A name has at most 253 characters.
_MAX_NAME = 220


def check_name(resource: Resource) -> str:
    """One check for each generation of the spec."""
    return f"{resource.name[:_MAX_NAME].rstrip('.-')}-check-{resource.generation}"


def check_pod(resource: Resource, spec: StreamResourceSpec, image: str, settings: DriverSettings) -> Manifest:
    """One bare pod; no API token, secrets mounted and never read here, the same security as a driver's."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": check_name(resource),
            "namespace": resource.namespace,
            "labels": _labels(),
            "ownerReferences": [_owner(resource)],
        },
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": DEADLINE_SECONDS,
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": pod_security(),
            "containers": [_container(resource, spec, image, settings)],
            "volumes": [{"name": "scratch", "emptyDir": {}}, *_volumes(spec)],
            **({"serviceAccountName": settings.service_account} if settings.service_account else {}),
            **placement(settings),
        },
    }


def _container(resource: Resource, spec: StreamResourceSpec, image: str, settings: DriverSettings) -> dict[str, Any]:
    topics = (spec.source or Source()).topics.named_for(resource.org_id)
    order = CheckOrder(org_id=resource.org_id, kafka=spec.kafka, topic=topics.origin, redis=spec.redis)
    told = order.model_dump_json(by_alias=True, exclude_none=True)
    return {
        "name": CHECK_CONTAINER,
        "image": image,
        "imagePullPolicy": settings.image_pull_policy,
        "command": ["python", "-m", "streamjob_runtime.check"],
        "env": [{"name": ENVIRONMENT, "value": told}],
        "resources": _RESOURCES,
        "securityContext": container_security(),
        "terminationMessagePath": job_file.TERMINATION_LOG,
        "volumeMounts": [
            {"name": "scratch", "mountPath": SCRATCH_ROOT},
            *({"name": name, "mountPath": path, "readOnly": True} for name, _, path in _secrets(spec)),
        ],
    }


def _volumes(spec: StreamResourceSpec) -> list[dict[str, Any]]:
    """Optional, so that the check starts and can say that a secret is missing."""
    return [{"name": name, "secret": {"secretName": secret, "optional": True}} for name, secret, _ in _secrets(spec)]


def _secrets(spec: StreamResourceSpec) -> list[tuple[str, str, str]]:
    named = [
        ("kafka-auth", spec.kafka.auth_secret, job_file.KAFKA_AUTH_DIR),
        ("redis-auth", spec.redis.auth_secret if spec.redis else None, job_file.REDIS_AUTH_DIR),
    ]
    return [(volume, secret, path) for volume, secret, path in named if secret]


def _labels() -> dict[str, str]:
    return {
        "app.kubernetes.io/name": "streamjob",
        "app.kubernetes.io/component": kinds.CHECK,
        "app.kubernetes.io/managed-by": "streamjob-operator",
        kinds.COMPONENT_LABEL: kinds.CHECK,
    }


def _owner(resource: Resource) -> dict[str, Any]:
    return {
        "apiVersion": kinds.API_VERSION,
        "kind": kinds.STREAM_RESOURCE,
        "name": resource.name,
        "uid": resource.uid,
        "controller": True,
    }
