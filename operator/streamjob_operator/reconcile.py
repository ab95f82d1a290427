"""One turn of a job, one turn of an OU: observe, decide, write the intent, act."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from streamjob_api.status import LibraryState, StreamJobStatus, StreamResourceStatus
from streamjob_operator import events
from streamjob_operator.cluster import ApiError, Cluster, Conflict, NotFound
from streamjob_operator.course import Course, Observed
from streamjob_operator.decide import decide
from streamjob_operator.key_queue import KeyQueue
from streamjob_operator.ledger import Ledger, settle
from streamjob_operator.library_status import users_of
from streamjob_operator.models_reader import ModelsReader, rests_on_models
from streamjob_operator.observed import Job, JobKey, Key, ModelsKey, OuKey, Resource
from streamjob_operator.plan import plan
from streamjob_operator.resource_status import claims, holders, shrunk, summarise_duplicate, summarise_resource
from streamjob_operator.settings import Settings
from streamjob_operator.status import summarise
from streamjob_operator.validation import capacity, in_force
from streamjob_operator.world import World

# A job's place in the queue changes with every start before it; its message follows a little later.
_QUEUE_MESSAGE_SECONDS = 5.0

# Whoever asks drivers wakes the job after the first answer, or none; this is the net below it.
_ANSWER_SECONDS = 6.0
# The pass over the ledger wakes the job; this is the net below it.
_LEDGER_SECONDS = 5.0
# Whoever reads the thing models wakes who waits for them; this is the net below it.
_MODELS_SECONDS = 10.0

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
    ask: Callable[[JobKey], None]
    models: ModelsReader
    now: Callable[[], datetime] = utc_now

    async def reconcile(self, key: Key) -> float | None:
        """One turn; after how many seconds the key wants another, if it does."""
        if isinstance(key, JobKey):
            return await self._reconcile_job(key)
        if isinstance(key, ModelsKey):
            return await self._reconcile_models(key)
        return await self._reconcile_ou(key)

    async def _reconcile_job(self, key: JobKey) -> float | None:
        job = self.world.job(key)
        if job is None or job.deleting:
            return None  # deleted: its objects go with their owner
        too_early = self._too_early(job)
        if too_early is not None:
            return too_early
        now = self.now()
        observed = self._look(job)
        course = decide(observed, now)
        if course.concludes_gone:
            observed = await self._look_live(job)
            course = decide(observed, now)
        if course.awaits_ledger:
            self.queue.add(OuKey(key.namespace))
            return _LEDGER_SECONDS
        status = summarise(observed, course, now, self.settings.throughput_interval_seconds)
        try:
            await self._write_status(observed.job, status)
        except Conflict:
            await self._refresh(key)
            return 0.0
        except NotFound:
            self.world.lose_job(key, job.uid)
            return None
        await self._act(observed.job, course)
        return course.again_in

    def _look(self, job: Job) -> Observed:
        """What the cache knows of a job."""
        resource = in_force(self.world.resources(job.key.namespace))
        pods = self.world.pods(job.key)
        ledger = self.world.ledgers.get(job.key.namespace)
        driver = max((pod for pod in pods if not pod.finished), key=lambda pod: pod.attempt, default=None)
        return Observed(
            job=job,
            verdict=self.world.verdict(job),
            pods=pods,
            granted=holders(resource.status.admitted).get(job.uid, 0) if resource else 0,
            waiting=ledger.waiting.get(job.key.name) if ledger else None,
            progress=self.world.heard(job.key, driver.uid) if driver else None,
            refused=self.world.refused.get(job.key, ""),
        )

    def _too_early(self, job: Job) -> float | None:
        """Seconds to wait at most for what the job cannot be judged without; None when it is all there."""
        if self._unasked(job.key):
            self.ask(job.key)
            return _ANSWER_SECONDS
        if self._awaits_models(job):
            self.queue.add(ModelsKey(job.key.namespace))
            return _MODELS_SECONDS
        return None

    def _unasked(self, key: JobKey) -> bool:
        """Whether a driver has an address and was not asked yet: judging it now would only change its status twice."""
        alive = [pod for pod in self.world.pods(key) if pod.ip and not pod.finished]
        driver = max(alive, key=lambda pod: pod.attempt, default=None)
        return driver is not None and not self.world.was_asked(key, driver.uid)

    def _awaits_models(self, job: Job) -> bool:
        """Whether the thing models have to be looked at first: they may have been applied together with the job."""
        if not self.models.is_read(job.key.namespace):
            return True
        return self.world.verdicts.is_new(job) and rests_on_models(self.world.verdict(job))

    async def _look_live(self, job: Job) -> Observed:
        """The same, of pods and the resource read just now. A job that changed is caught when its status is written."""
        self.world.replace_pods(job.key, await self.cluster.pods_of(job.key))
        await self._refresh_resources(OuKey(job.key.namespace))
        return self._look(job)

    async def _write_status(self, job: Job, status: StreamJobStatus) -> None:
        """The intent, before the act; nothing is written when nothing changed."""
        if status == job.status:
            return
        body = await self.cluster.write_job_status(
            job.key, job.resource_version, status.model_dump(mode="json", by_alias=True)
        )
        self.world.see_job(body)
        if (status.admitted_cu, status.restarts) != (job.status.admitted_cu, job.status.restarts):
            self.queue.add(OuKey(job.key.namespace))
        _log_transition(job, status)
        for event in events.of_transition(job, status, self.now(), self.settings.identity):
            await self.cluster.record(job.key.namespace, event)

    async def _act(self, job: Job, course: Course) -> None:
        for pod in course.stop:
            await self.cluster.delete_pod(pod)
        if course.start is None:
            return
        start = course.start
        manifests = plan(job, start.runnable, start.attempt, start.epoch, self.settings.driver)
        try:
            *_, driver = await self.cluster.apply(manifests)
        except ApiError as refusal:
            self.world.refused[job.key] = str(refusal)
            raise
        self.world.refused.pop(job.key, None)
        self.world.see_pod(driver)
        if start.attempt > 1:
            await self.cluster.prune(job.key, job.uid, start.attempt)
        self.queue.add(job.key)

    async def _refresh(self, key: JobKey) -> None:
        """Read a job and its pods as they are now."""
        body = await self.cluster.job(key)
        if body is None:
            self.world.lose_job(key)
        else:
            self.world.see_job(body)
        self.world.replace_pods(key, await self.cluster.pods_of(key))

    async def _refresh_resources(self, key: OuKey) -> dict[str, dict[str, object]]:
        """Read the StreamResources of a namespace as they are now; bodies by name."""
        bodies = {body["metadata"]["name"]: body for body in await self.cluster.resources_of(key)}
        for resource in self.world.resources(key.namespace):
            if resource.name not in bodies:
                self.world.lose_resource(key.namespace, resource.name)
        for body in bodies.values():
            self.world.see_resource(body)
        return bodies

    async def _reconcile_models(self, key: ModelsKey) -> float | None:
        """One look at an OU's thing models."""
        waiting = self.world.verdicts.take_new(key.namespace)
        try:
            changed = await self.models.look(key.namespace)
        except BaseException:
            self.world.verdicts.put_new(key.namespace, waiting)
            raise
        if changed:
            self.queue.add(OuKey(key.namespace))
            self._wake_all(OuKey(key.namespace))
        for job in waiting:
            self.queue.add(job)
        return self.models.next_look(key.namespace)

    async def _reconcile_ou(self, key: OuKey) -> float | None:
        """One pass over an OU's ledger."""
        bodies = await self._refresh_resources(key)
        if not self.models.is_read(key.namespace):
            self.queue.add(ModelsKey(key.namespace))
            return _MODELS_SECONDS
        resource = in_force(self.world.resources(key.namespace))
        before = self.world.ledgers.get(key.namespace)
        if resource is None:
            self.world.ledgers.pop(key.namespace, None)
            self._wake_all(key)
            return None
        ledger = await self._settled(key, resource)
        facts = self.world.verdicts.facts(key.namespace)
        users = users_of(self.world.jobs(key.namespace))
        status, again_in = summarise_resource(resource, ledger, facts, users, self.now())
        try:
            if status != resource.status:
                dumped = status.model_dump(mode="json", by_alias=True, exclude_none=True)
                self.world.see_resource(await self.cluster.put_resource_status(bodies[resource.name], dumped))
            await self._write_duplicates(key, resource, bodies)
        except Conflict:
            return 0.0
        except NotFound:
            return 0.0
        self.world.ledgers[key.namespace] = ledger
        self._wake_changed(key, resource, before, ledger)
        if _installed(status) != _installed(resource.status):
            self._wake_all(key)
        return again_in

    async def _settled(self, key: OuKey, resource: Resource) -> Ledger:
        """The ledger; a job loses CU only after a live look at it."""
        ledger = self._settle(key, resource)
        losing = shrunk(resource.status.admitted, ledger)
        if not losing:
            return ledger
        for name in losing:
            await self._refresh(JobKey(key.namespace, name))
        return self._settle(key, resource)

    def _settle(self, key: OuKey, resource: Resource) -> Ledger:
        jobs = [(job, self.world.verdict(job)) for job in self.world.jobs(key.namespace)]
        found = claims(jobs, self.world.pods_of_ou(key.namespace), resource.status.admitted)
        return settle(capacity(resource), found)

    async def _write_duplicates(self, key: OuKey, older: Resource, bodies: dict[str, dict[str, object]]) -> None:
        for resource in self.world.resources(key.namespace):
            if resource.uid == older.uid or resource.deleting:
                continue
            status = summarise_duplicate(resource, older, self.now())
            if status != resource.status:
                dumped = status.model_dump(mode="json", by_alias=True, exclude_none=True)
                self.world.see_resource(await self.cluster.put_resource_status(bodies[resource.name], dumped))

    def _wake_changed(self, key: OuKey, resource: Resource, before: Ledger | None, after: Ledger) -> None:
        """Wake the jobs that were admitted now, and those whose place in the queue has changed."""
        known = {entry.name: (entry.uid, entry.cu) for entry in resource.status.admitted}
        for name, entry in after.admitted.items():
            if known.get(name) != entry:
                self.queue.add(JobKey(key.namespace, name))
        waited = before.waiting if before else {}
        for name, waiting in after.waiting.items():
            if name not in waited:
                self.queue.add(JobKey(key.namespace, name))
            elif waited[name] != waiting:
                self.queue.add_after(JobKey(key.namespace, name), _QUEUE_MESSAGE_SECONDS)

    def _wake_all(self, key: OuKey) -> None:
        for job in self.world.jobs(key.namespace):
            self.queue.add(job.key)


def _installed(status: StreamResourceStatus) -> set[tuple[str, str]]:
    """Libraries that jobs can be started with."""
    return {(each.name, each.version) for each in status.libraries if each.state is LibraryState.INSTALLED}


def _log_transition(job: Job, status: StreamJobStatus) -> None:
    ready = next((condition for condition in status.conditions if condition.type == "Ready"), None)
    was = next((condition for condition in job.status.conditions if condition.type == "Ready"), None)
    if ready and (was is None or (was.status, was.reason) != (ready.status, ready.reason)):
        facts = {"namespace": job.key.namespace, "job": job.key.name, "attempt": status.attempt}
        logger.info("%s: %s", ready.reason, ready.message, extra=facts)
