"""Specs that were deployed, kept as ControllerRevisions and read again when they are wanted; never watched."""

import logging
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from pydantic import ValidationError

from streamjob_api.faults import InvalidSpec, parse_spec
from streamjob_api.job_file import JobFile
from streamjob_api.status import StreamJobStatus
from streamjob_api.stream_job import StreamJobSpec
from streamjob_operator.api_server.cluster import ApiError, Cluster, Conflict
from streamjob_operator.jobs.course import Former, Wanted
from streamjob_operator.observed import Job, JobKey, Manifest
from streamjob_operator.plan.config_map import JOB_FILE_KEY
from streamjob_operator.plan.names import config_map_name, owner
from streamjob_operator.plan.revision import SPEC_KEY, revision
from streamjob_operator.validation import Runnable
from streamjob_operator.world import World

# As many as Kubernetes keeps of a Deployment's, StatefulSet's or DaemonSet's.
LIMIT = 10

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Read:
    """What was read of a job's former spec; neither a revision nor a job file ever changes."""

    uid: str
    wanted: Wanted
    spec: StreamJobSpec
    generation: int


@dataclass(frozen=True)
class Revisions:
    """Writes and reads them."""

    cluster: Cluster
    world: World
    _read: dict[JobKey, _Read] = field(default_factory=dict)

    async def former(self, job: Job, wanted: Wanted) -> Former:
        """A former spec of a job, and whether it can be run in the OU as the cache knows it."""
        read = self._read.get(job.key)
        if read is None or (read.uid, read.wanted) != (job.uid, wanted):
            read = await self._look(job, wanted)
        if read is None:
            return Former(wanted)
        self._read[job.key] = read
        verdict = self.world.verdicts.former(replace(job, spec=read.spec, generation=read.generation))
        return Former(wanted, read.spec, verdict)

    def forget(self, key: JobKey) -> None:
        """Nothing former is wanted of this job any more."""
        self._read.pop(key, None)

    async def _look(self, job: Job, wanted: Wanted) -> _Read | None:
        """From the revision, or from the job file of the attempt that runs."""
        if wanted.revision:
            body = await self._body("ControllerRevision", job, wanted.revision)
            spec = _held(body) if body and _is_of(body, job) else None
            if body and spec:
                return _Read(job.uid, wanted, spec, body["revision"])
        if wanted.attempt:
            body = await self._body("ConfigMap", job, config_map_name(job.key.name, wanted.attempt))
            told = _told(body) if body and _is_of(body, job) else None
            if told:
                return _Read(job.uid, wanted, told.spec, told.job.generation)
        return None

    async def _body(self, kind: str, job: Job, name: str) -> Manifest | None:
        """The object; none where the operator may not read it, for then its rights are older than it is."""
        try:
            return await self.cluster.read(kind, job.key.namespace, name)
        except ApiError as refused:
            if refused.status != HTTPStatus.FORBIDDEN:
                raise
            logger.warning("%s %s is not read: %s", kind, name, refused, extra={"key": str(job.key)})
            return None

    async def keep(self, job: Job, status: StreamJobStatus, runnable: Runnable) -> str:
        """Keep what runs; its name, or nothing where the API server refuses: no job depends on it."""
        manifest = revision(job, runnable.spec, runnable.generation)
        name = str(manifest["metadata"]["name"])
        try:
            await self._make(manifest)
            if runnable.generation > LIMIT:  # there are no more revisions than generations
                await self._prune(job, {name, status.last_stable.revision if status.last_stable else ""})
        except ApiError as refused:
            logger.warning("no revision of %s/%s: %s", *job.key, refused, extra={"key": str(job.key)})
            return ""
        return name

    async def _make(self, manifest: Manifest) -> None:
        try:
            await self.cluster.create("ControllerRevision", manifest["metadata"]["namespace"], manifest)
        except Conflict:
            return  # the same spec was deployed before

    async def _prune(self, job: Job, held: set[str]) -> None:
        """The oldest go, but never what runs or what is stable."""
        found = [body for body in await self.cluster.revisions_of(job.key) if _is_of(body, job)]
        names = [body["metadata"]["name"] for body in sorted(found, key=lambda body: int(body["revision"]))]
        spare = [name for name in names if name not in held]
        for name in spare[: max(len(names) - LIMIT, 0)]:
            await self.cluster.delete("ControllerRevision", job.key.namespace, name)


def _is_of(body: Manifest, job: Job) -> bool:
    return owner(job)["uid"] in {each["uid"] for each in body["metadata"].get("ownerReferences", ())}


def _held(body: Manifest) -> StreamJobSpec | None:
    try:
        return parse_spec(StreamJobSpec, (body.get("data") or {}).get(SPEC_KEY))
    except InvalidSpec:
        return None  # of an operator that knew other fields


def _told(body: Manifest) -> JobFile | None:
    try:
        return JobFile.model_validate_json((body.get("data") or {}).get(JOB_FILE_KEY, ""))
    except ValidationError:
        return None
