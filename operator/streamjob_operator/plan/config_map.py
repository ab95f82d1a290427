"""The ConfigMap with ``job.json``: all that a driver is told."""

from pathlib import PurePath

from streamjob_api import job_file
from streamjob_api.job_file import JobFile, JobIdentity
from streamjob_operator.observed import Job, Manifest
from streamjob_operator.plan.executors import executor_template, executors_told, has_executors, template_text
from streamjob_operator.plan.names import config_map_name, metadata
from streamjob_operator.settings import DriverSettings
from streamjob_operator.validation import Runnable

JOB_FILE_KEY = PurePath(job_file.JOB_FILE).name
_TEMPLATE_KEY = PurePath(job_file.EXECUTOR_TEMPLATE).name


def config_map(job: Job, runnable: Runnable, attempt: int, epoch: int, settings: DriverSettings) -> Manifest:
    """One for each attempt and immutable, so that what a driver was told can be read as long as it lives."""
    told = driver_file(job, runnable, attempt, epoch, settings)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(job, config_map_name(job.key.name, attempt), "job-file", attempt),
        "immutable": True,
        "data": {
            JOB_FILE_KEY: told.model_dump_json(exclude_none=True, indent=2) + "\n",
            **_template(job, runnable, attempt, settings),
        },
    }


def _template(job: Job, runnable: Runnable, attempt: int, settings: DriverSettings) -> dict[str, str]:
    """The template of executor pods, where there are any."""
    if not has_executors(runnable):
        return {}
    return {_TEMPLATE_KEY: template_text(executor_template(job, runnable, attempt, settings))}


def driver_file(job: Job, runnable: Runnable, attempt: int, epoch: int, settings: DriverSettings) -> JobFile:
    """The content of ``job.json``."""
    return JobFile(
        job=identity(job, attempt, epoch),
        org_id=runnable.resource.org_id,
        spec=runnable.spec,
        kafka=runnable.resource_spec.kafka,
        redis=runnable.resource_spec.redis,
        source=runnable.resource_spec.source,
        timezone=runnable.resource_spec.timezone,
        pipelines=runnable.resource_spec.pipelines,
        calculated=list(runnable.calculated),
        names=runnable.names,
        executors=executors_told(job, runnable, attempt, settings),
    )


def identity(job: Job, attempt: int, epoch: int) -> JobIdentity:
    """Which job, and which try at running it."""
    return JobIdentity(
        namespace=job.key.namespace,
        name=job.key.name,
        uid=job.uid,
        created=job.created,
        attempt=attempt,
        epoch=epoch,
        generation=job.generation,
    )
