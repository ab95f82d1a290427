"""The template of a job file, with all that it is told beside its block."""

from dataclasses import replace
from functools import partial

from streamjob_api.connections import Redis
from streamjob_api.job_file import JobFile
from streamjob_api.permissions import Permissions
from streamjob_runtime.stopping import is_stop_asked
from streamjob_runtime.templates import Surroundings, Template, for_job


def template_of(job: JobFile) -> Template:
    """Return the template that a driver runs."""
    surroundings = Surroundings(
        org_id=job.org_id,
        timezone=job.timezone,
        calculated=frozenset(job.calculated),
        names=job.names,
        allowed=job.pipelines or Permissions(),
    )
    return for_job(job.spec, surroundings if job.redis is None else _with_redis(surroundings, job, job.redis))


def _with_redis(surroundings: Surroundings, job: JobFile, connection: Redis) -> Surroundings:
    # The client of Redis, which most jobs do without.
    from streamjob_runtime.assets import RedisAssets  # noqa: PLC0415
    from streamjob_runtime.attributes import RedisAttributes  # noqa: PLC0415
    from streamjob_runtime.latest_values import RedisLatestValues  # noqa: PLC0415

    is_to_stop = partial(is_stop_asked, job.scratch_dir)
    return replace(
        surroundings,
        attributes=RedisAttributes(connection, job.org_id, is_to_stop),
        assets=RedisAssets(connection, job.org_id, is_to_stop),
        latest_values=RedisLatestValues(connection, job.org_id, is_to_stop),
    )
