"""The template of a job file, with all that it is told beside its block."""

from streamjob_api.job_file import JobFile
from streamjob_runtime.attributes import attributes_of
from streamjob_runtime.templates import Surroundings, Template, for_job


def template_of(job: JobFile) -> Template:
    """Return the template that a driver runs."""
    surroundings = Surroundings(
        timezone=job.timezone,
        calculated=frozenset(job.calculated),
        attributes=attributes_of(job),
        names=job.names,
    )
    return for_job(job.spec, surroundings)
