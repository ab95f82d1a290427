"""Reading the job file."""

from pathlib import Path

from pydantic import ValidationError

from streamjob_api.faults import describe
from streamjob_api.job_file import FORMAT_VERSION, JobFile
from streamjob_api.support import unsupported
from streamjob_runtime.faults import InvalidConfiguration


def read_job(path: Path) -> JobFile:
    """The job that the operator mounted.

    Raises:
        InvalidConfiguration: naming every fault of the file.
    """
    try:
        job = JobFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InvalidConfiguration(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        faults = "; ".join(describe(fault) for fault in error.errors(include_url=False))
        raise InvalidConfiguration(f"{path}: {faults}") from error
    not_there = unsupported(job.spec)
    if not_there:
        raise InvalidConfiguration("; ".join(not_there))
    if job.format_version != FORMAT_VERSION:
        raise InvalidConfiguration(
            f"{path}: format version {job.format_version}; this runtime reads version {FORMAT_VERSION}: use the image "
            "that belongs to the operator"
        )
    return job
