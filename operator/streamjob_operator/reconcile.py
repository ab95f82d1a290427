"""One turn of a job: observe, decide, write the intent, act."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus

from streamjob_api.status import StreamJobStatus
from streamjob_operator import log_context
from streamjob_operator.api_server.cluster import ApiError, Cluster, Conflict, NotFound
from streamjob_operator.api_server.live_reads import LiveReads
from streamjob_operator.api_server.models_reader import rests_on_models
from streamjob_operator.api_server.revisions import Revisions
from streamjob_operator.jobs import memory
from streamjob_operator.jobs.course import Course, Observed
from streamjob_operator.jobs.decide import decide
from streamjob_operator.key_queue import KeyQueue
from streamjob_operator.observed import Job, JobKey, Key, Manifest, ModelsKey, OuKey, Pod
from streamjob_operator.ou.claims import granted
from streamjob_operator.ou.ou_pace import pass_in
from streamjob_operator.ou_turns import MODELS_SECONDS, OuTurns
from streamjob_operator.plan import plan
from streamjob_operator.settings import Settings
from streamjob_operator.telling import events
from streamjob_operator.telling.quiet_changes import QuietChanges
from streamjob_operator.telling.status import summarise
from streamjob_operator.validation import Refusal, in_force
from streamjob_operator.world import World

# Whoever asks drivers wakes the job after the first answer, or none; this is the net below it.
_ANSWER_SECONDS = 6.0
# The pass over the ledger wakes the job; this is the net below it.
_LEDGER_SECONDS = 5.0
# Revisions are written when the operator has nothing better to do; nothing waits for them.
_REVISION_SECONDS = 10.0
# Two former specs at most are wanted, of which one may be in force, and one live look.
_MOST_LOOKS = 8
# What the API server says to objects that it will not take; anything else is its own trouble.
_REFUSALS = {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY}

logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Reconciler:
    """What a turn needs."""

    cluster: Cluster
    world: World
    settings: Settings
    queue: KeyQueue[Key]
    expect: Callable[[JobKey], None]
    live: LiveReads
    ous: OuTurns
    record: Callable[[str, Manifest], Awaitable[None]]
    revisions: Revisions
    now: Callable[[], datetime] = utc_now
    quiet: QuietChanges = field(default_factory=QuietChanges)

    async def reconcile(self, key: Key) -> float | None:
        """One turn; after how many seconds the key wants another, if it does."""
        if isinstance(key, JobKey):
            return await self._reconcile_job(key)
        if isinstance(key, ModelsKey):
            return await self.ous.look_at_models(key)
        return await self.ous.reconcile(key)

    async def _reconcile_job(self, key: JobKey) -> float | None:
        job = self.world.job(key)
        if job is None or job.deleting:
            self.quiet.forget(key)
            return None  # deleted: its objects go with their owner
        too_early = self._too_early(job)
        if too_early is not None:
            return too_early
        now = self.now()
        observed, course = await self._decide(job, now)
        if course.awaits_ledger:
            self.queue.add(OuKey(key.namespace))
            return _LEDGER_SECONDS
        self.world.judged.add(key)
        if self._unheard(observed, course):
            return None
        return await self._carry_out(observed, await self._kept(observed.job, course), now)

    async def _carry_out(self, observed: Observed, course: Course, now: datetime) -> float | None:
        """Write the status, then act; after how many seconds the job wants another turn."""
        job = observed.job
        status = summarise(observed, course, now, self.settings.throughput_interval_seconds)
        waits = self._waits(job, course, status, now)
        try:
            if waits is None:
                await self._write_status(job, status)
        except Conflict:
            await self.live.refresh_job(job.key)
            return 0.0
        except NotFound:
            self.world.lose_job(job.key, job.uid)
            self.quiet.forget(job.key)
            return None
        await self._act(job, course)
        return course.sooner(waits).again_in

    async def _decide(self, job: Job, now: datetime) -> tuple[Observed, Course]:
        """Decide by the cache; again by a live look, or with a former spec, where the course rests on that."""
        observed, is_live = self._look(job), False
        course = decide(observed, now)
        for _ in range(_MOST_LOOKS):
            former = observed.former
            if course.wants is not None and (former is None or former.wanted != course.wants):
                observed = replace(observed, former=await self.revisions.former(job, course.wants))
            elif self.world.verdicts.put_stand_in(job, course.stand_in):
                self._wake_concerned(job.key)
                observed = replace(observed, granted=self._granted(job))
            elif course.concludes_gone and not is_live:
                observed, is_live = replace(await self._look_live(job), former=former), True
            else:
                break
            course = decide(observed, now)
        if course.concludes_gone and not is_live:
            raise RuntimeError("the course changes with every look; it is chosen again")
        if course.wants is None:
            self.revisions.forget(job.key)
        return observed, course

    async def _kept(self, job: Job, course: Course) -> Course:
        """The same course, with its spec kept as a revision: when others' drivers need not wait for that."""
        if course.keeps is None:
            return course
        if self.queue.is_busy:
            return course.sooner(_REVISION_SECONDS)
        name = await self.revisions.keep(job, course.memory, course.keeps)
        return replace(course, memory=memory.kept(course.memory, name)).sooner(None if name else _REVISION_SECONDS)

    def _wake_concerned(self, key: JobKey) -> None:
        """Another spec is in force: it takes other capacity, and others may read or write other points."""
        self.queue.add(OuKey(key.namespace))
        for neighbour in self.world.neighbours(key):
            self.queue.add(neighbour)

    def _look(self, job: Job) -> Observed:
        """What the cache knows of a job."""
        pods = self.world.pods(job.key)
        ledger = self.world.ledgers.get(job.key.namespace)
        driver = max((pod for pod in pods if not pod.finished), key=lambda pod: pod.attempt, default=None)
        return Observed(
            job=job,
            verdict=self.world.verdict(job),
            pods=pods,
            granted=self._granted(job),
            waiting=ledger.waiting.get(job.key.name) if ledger else None,
            progress=self.world.heard(job.key, driver.uid) if driver else None,
            refused=self.world.refused.get(job.key, ""),
            executors=self.world.executors(job.key),
            parted=self._parted(job),
        )

    def _granted(self, job: Job) -> float:
        """CU that the job is admitted with, of the capacity for its mode."""
        resource, verdict = in_force(self.world.resources(job.key.namespace)), self.world.in_force(job)
        if resource is None or isinstance(verdict, Refusal):
            return 0
        return granted(resource.status, verdict.spec.resources.mode, job.key.name, job.uid)

    def _parted(self, job: Job) -> Pod | None:
        """The last pod of this job that vanished."""
        pod = self.world.parted.get(job.key)
        return pod if pod and pod.job_uid == job.uid else None

    def _too_early(self, job: Job) -> float | None:
        """Seconds to wait at most for what the job cannot be judged without; None when it is all there."""
        if self._unasked(job):
            self.expect(job.key)
            return _ANSWER_SECONDS
        if self._awaits_models(job):
            self.queue.add(ModelsKey(job.key.namespace))
            return MODELS_SECONDS
        return None

    def _unasked(self, job: Job) -> bool:
        """Whether a driver that is not ready was not asked yet, though an operator knew it before: it may have told.

        Judging it now would change its status twice.
        """
        alive = [pod for pod in self.world.pods(job.key) if pod.ip and not pod.finished]
        driver = max(alive, key=lambda pod: pod.attempt, default=None)
        if driver is None or driver.ready or self.world.was_asked(job.key, driver.uid):
            return False
        return driver.was_ready or (job.status.driver is not None and job.status.driver.uid == driver.uid)

    def _unheard(self, observed: Observed, course: Course) -> bool:
        """Whether a ready driver goes on that was not asked yet: its answer brings the turn that writes the status."""
        driver = course.driver
        if driver is None or not driver.ready or course.start or course.stop:
            return False
        return not self.world.was_asked(observed.job.key, driver.uid)

    def _awaits_models(self, job: Job) -> bool:
        """Whether the thing models have to be looked at first: they may have been applied together with the job."""
        if not self.ous.models.is_read(job.key.namespace):
            return True
        return self.world.verdicts.is_new(job) and rests_on_models(self.world.verdict(job))

    async def _look_live(self, job: Job) -> Observed:
        """The same, of pods and grants read just now. A job that changed is caught when its status is written.

        A grant that is taken back later is caught between the intent and the act.
        """
        await self.live.refresh_for(job.key)
        await self.live.resource_in_force(OuKey(job.key.namespace))
        return self._look(job)

    def _waits(self, job: Job, course: Course, status: StreamJobStatus, now: datetime) -> float | None:
        """For how long a status that is no intent can wait for more to tell."""
        if course.start or course.stop:
            return None
        return self.quiet.left(job, status, now, busy=self.queue.is_busy)

    async def _write_status(self, job: Job, status: StreamJobStatus) -> None:
        """The intent, before the act; nothing is written when nothing changed."""
        if status == job.status:
            return
        body = await self.cluster.write_job_status(
            job.key, job.resource_version, status.model_dump(mode="json", by_alias=True)
        )
        self.world.see_job(body)
        wanted_in = pass_in(job.status, status)
        if wanted_in is not None:
            self.queue.add_after(OuKey(job.key.namespace), wanted_in)
        log_context.note(attempt=status.attempt)
        _log_transition(job, status)
        for event in events.of_transition(job, status, self.now(), self.settings.identity):
            await self.record(job.key.namespace, event)

    async def _act(self, job: Job, course: Course) -> None:
        for pod in course.stop:
            await self.cluster.delete_pod(pod)
        if course.start is None:
            return
        start = course.start
        if not await self.ous.admits(job, start.runnable):
            self.queue.add(job.key)  # the grant was taken back meanwhile: the intent is withdrawn in the next turn
            return
        deployed = replace(job, generation=start.runnable.generation)
        manifests = plan(deployed, start.runnable, start.attempt, start.epoch, self.settings.driver)
        try:
            *_, driver = await self.cluster.apply(manifests)
        except ApiError as refusal:
            if refusal.status in _REFUSALS:
                self.world.refused[job.key] = str(refusal)
            raise
        self.world.refused.pop(job.key, None)
        self.world.see_pod(driver)
        if start.attempt > 1:
            await self.cluster.prune(job.key, job.uid, start.attempt)
        self.queue.add(job.key)


def _log_transition(job: Job, status: StreamJobStatus) -> None:
    ready = next((condition for condition in status.conditions if condition.type == "Ready"), None)
    was = next((condition for condition in job.status.conditions if condition.type == "Ready"), None)
    if ready and (was is None or (was.status, was.reason) != (ready.status, ready.reason)):
        logger.info("%s: %s", ready.reason, ready.message)
