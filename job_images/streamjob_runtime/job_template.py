"""The template of a job file, with all that it is told beside its block."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from streamjob_api.connections import Redis
from streamjob_api.job_file import HTTP_AUTH_DIR, JobFile
from streamjob_api.permissions import HttpCalls, Permissions
from streamjob_runtime.stopping import is_stop_asked
from streamjob_runtime.templates import Surroundings, Template, for_job


def template_of(job: JobFile) -> Template:
    """Return the template that a driver runs."""
    allowed = job.pipelines or Permissions()
    surroundings = Surroundings(
        org_id=job.org_id,
        timezone=job.timezone,
        calculated=frozenset(job.calculated),
        names=job.names,
        allowed=allowed,
    )
    if job.redis is not None:
        surroundings = _with_redis(surroundings, job, job.redis)
    if allowed.http is not None:
        surroundings = _with_hosts(surroundings, job, allowed.http)
    return for_job(job.spec, surroundings)


def _with_hosts(surroundings: Surroundings, job: JobFile, allowed: HttpCalls) -> Surroundings:
    # The client of HTTP, which most jobs do without.
    from streamjob_runtime.http_answers import HttpHosts  # noqa: PLC0415
    from streamjob_runtime.http_calls import HttpClient  # noqa: PLC0415

    client = HttpClient(allowed, Path(HTTP_AUTH_DIR), partial(is_stop_asked, job.scratch_dir))
    return replace(surroundings, hosts=HttpHosts(client))


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
