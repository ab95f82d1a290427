"""Reading the job file."""

import json
from collections.abc import Iterator
from pathlib import Path

from streamjob_api.faults import InvalidSpec, parse_part
from streamjob_api.job_file import FORMAT_VERSION, JobFile
from streamjob_api.permissions import Permissions
from streamjob_api.resources import RunningMode
from streamjob_api.templates.pipeline import Pipeline
from streamjob_runtime.faults import InvalidConfiguration


def read_job(path: Path) -> JobFile:
    """The job that the operator mounted.

    Raises:
        InvalidConfiguration: naming every fault of the file.
    """
    try:
        job = parse_part(JobFile, json.loads(path.read_bytes()), "job")
    except OSError as error:
        raise InvalidConfiguration(f"{path}: {error.strerror}") from error
    except (InvalidSpec, ValueError) as error:
        raise InvalidConfiguration(f"{path}: {error}") from error
    if job.format_version != FORMAT_VERSION:
        raise InvalidConfiguration(
            f"{path}: format version {job.format_version}; this runtime reads version {FORMAT_VERSION}: use the image "
            "that belongs to the operator"
        )
    if job.spec.resources.mode is RunningMode.CLUSTER and job.executors is None:
        raise InvalidConfiguration(
            f"{path}: resources.mode is Cluster, but nothing is said of executors: upgrade the operator to the version "
            "of this image"
        )
    faults = [*_pipeline_faults(job.spec.pipeline, job.pipelines or Permissions())] if job.spec.pipeline else []
    if faults:
        raise InvalidConfiguration("; ".join(faults))
    return job


def _pipeline_faults(pipeline: Pipeline, allowed: Permissions) -> Iterator[str]:
    """What keeps a pipeline from being run in this image, and what its stages may not do."""
    for text in pipeline.not_installed():
        yield f"{text}; name an image that holds it in spec.image"
    yield from pipeline.not_allowed(allowed)
