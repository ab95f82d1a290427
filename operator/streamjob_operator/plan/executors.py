"""Executors of a Cluster job: what the driver is told of them, and the template that Spark makes their pods from.

Spark adds what it alone knows: names, the owner (the driver's pod), sizes, the image, its own environment and ports.

Source: https://spark.apache.org/docs/latest/running-on-kubernetes.html#pod-template
"""

import json
from typing import Any

from streamjob_api import job_file, kinds
from streamjob_api.resources import RunningMode
from streamjob_operator.observed import EXECUTOR_CONTAINER, Job, Manifest
from streamjob_operator.plan.names import driver_name, executor_prefix, labels
from streamjob_operator.plan.pod_parts import container_security, cpu, mounts, placement, pod_security, volumes
from streamjob_operator.settings import DriverSettings
from streamjob_operator.validation import Runnable


def has_executors(runnable: Runnable) -> bool:
    """Whether executors do the work, and the driver needs rights on pods."""
    return runnable.spec.resources.mode is RunningMode.CLUSTER


def executors_told(job: Job, runnable: Runnable, attempt: int, settings: DriverSettings) -> job_file.Executors | None:
    """The part of ``job.json``; None for a Standalone job."""
    if not has_executors(runnable):
        return None
    cu = runnable.spec.resources.worker_cu
    return job_file.Executors(
        driver_pod=driver_name(job.key.name, attempt),
        name_prefix=executor_prefix(job.key.name, attempt),
        image=runnable.image,
        image_pull_policy=settings.image_pull_policy,
        cpu_request=cpu(cu * settings.cpu_request_per_cu),
        cpu_limit=cpu(cu),
    )


def executor_template(job: Job, runnable: Runnable, attempt: int, settings: DriverSettings) -> Manifest:
    """A pod as the driver's, without a service account's token: an executor asks the API server nothing."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "labels": labels(job, kinds.EXECUTOR, attempt),
            "annotations": {
                kinds.CU_ANNOTATION: f"{runnable.spec.resources.worker_cu:g}",
                kinds.JOB_UID_ANNOTATION: job.uid,
            },
        },
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": pod_security(),
            "containers": [_container(runnable)],
            "volumes": volumes(job, runnable),
            **placement(settings),
        },
    }


def _container(runnable: Runnable) -> dict[str, Any]:
    return {
        "name": EXECUTOR_CONTAINER,
        "image": runnable.image,
        "securityContext": container_security(),
        "volumeMounts": mounts(runnable),
    }


def template_text(template: Manifest) -> str:
    """The template as a file; JSON is YAML too."""
    return json.dumps(template, indent=2) + "\n"
