"""The template of a job file, with all that it is told beside its block."""

from functools import partial

from streamjob_api.job_file import JobFile
from streamjob_api.permissions import Permissions
from streamjob_runtime.stopping import is_stop_asked
from streamjob_runtime.templates import Surroundings, Template, for_job
from streamjob_runtime.templates.surroundings import (
    Assets,
    Attributes,
    LatestValues,
    NoAssets,
    NoAttributes,
    NoLatestValues,
)


def template_of(job: JobFile) -> Template:
    """Return the template that a driver runs."""
    surroundings = Surroundings(
        org_id=job.org_id,
        timezone=job.timezone,
        calculated=frozenset(job.calculated),
        attributes=_attributes_of(job),
        assets=_assets_of(job),
        latest_values=_latest_values_of(job),
        names=job.names,
        allowed=job.pipelines or Permissions(),
    )
    return for_job(job.spec, surroundings)


def _attributes_of(job: JobFile) -> Attributes:
    """Those of the job's OU; none where the OU has no Redis."""
    if job.redis is None:
        return NoAttributes()
    from streamjob_runtime.attributes import RedisAttributes  # noqa: PLC0415 (the client of Redis, which most jobs do without)

    return RedisAttributes(job.redis, job.org_id, partial(is_stop_asked, job.scratch_dir))


def _assets_of(job: JobFile) -> Assets:
    if job.redis is None:
        return NoAssets()
    from streamjob_runtime.assets import RedisAssets  # noqa: PLC0415 (the client of Redis, which most jobs do without)

    return RedisAssets(job.redis, job.org_id, partial(is_stop_asked, job.scratch_dir))


def _latest_values_of(job: JobFile) -> LatestValues:
    if job.redis is None:
        return NoLatestValues()
    from streamjob_runtime.latest_values import RedisLatestValues  # noqa: PLC0415 (the client of Redis, which most jobs do without)

    return RedisLatestValues(job.redis, job.org_id, partial(is_stop_asked, job.scratch_dir))
