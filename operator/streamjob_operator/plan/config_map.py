"""The ConfigMap with ``job.json``: all that a driver is told."""

from pathlib import PurePath

from streamjob_api import job_file
from streamjob_api.job_file import JobFile, JobIdentity
from streamjob_operator.observed import Job, Manifest
from streamjob_operator.plan.names import config_map_name, metadata
from streamjob_operator.validation import Runnable

JOB_FILE_KEY = PurePath(job_file.JOB_FILE).name


def config_map(job: Job, runnable: Runnable, attempt: int, epoch: int) -> Manifest:
    """One for each attempt and immutable, so that what a driver was told can be read as long as it lives."""
    told = driver_file(job, runnable, attempt, epoch)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(job, config_map_name(job.key.name, attempt), "job-file", attempt),
        "immutable": True,
        "data": {JOB_FILE_KEY: told.model_dump_json(exclude_none=True, indent=2) + "\n"},
    }


def driver_file(job: Job, runnable: Runnable, attempt: int, epoch: int) -> JobFile:
    """The content of ``job.json``."""
    return JobFile(
        job=identity(job, attempt, epoch),
        org_id=runnable.resource.org_id,
        spec=runnable.spec,
        kafka=runnable.resource_spec.kafka,
        redis=runnable.resource_spec.redis,
        source=runnable.resource_spec.source,
        timezone=runnable.resource_spec.timezone,
        calculated=list(runnable.calculated),
        names=runnable.names,
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
