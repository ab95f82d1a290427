"""A turn of an OU: a pass over its ledger and its StreamResource's status, or a look at its thing models."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from streamjob_api.resources import RunningMode
from streamjob_api.status import StreamResourceStatus
from streamjob_operator.api_server.cluster import Cluster, Conflict, NotFound
from streamjob_operator.api_server.connection_checks import ConnectionChecks
from streamjob_operator.api_server.live_reads import LiveReads
from streamjob_operator.api_server.models_reader import ModelsReader
from streamjob_operator.key_queue import KeyQueue
from streamjob_operator.ledger import Ledger, settle
from streamjob_operator.observed import Job, JobKey, Key, ModelsKey, OuKey, Resource
from streamjob_operator.ou.claims import Held, changed, claims, granted, held, leavers
from streamjob_operator.ou.library_status import users_of
from streamjob_operator.ou.ou_pace import Leaver, OuPace
from streamjob_operator.ou.resource_status import (
    installed,
    is_in_numbers_alone,
    summarise_duplicate,
    summarise_resource,
)
from streamjob_operator.validation import Runnable, capacity, in_force
from streamjob_operator.world import World

# A job's place in the queue changes with every start before it; its message follows a little later, and the later the
# further behind it is, or thousands that wait would be written at every start.
_QUEUE_MESSAGE_SECONDS = 5.0
# Whoever reads the thing models wakes who waits for them; this is the net below it.
MODELS_SECONDS = 10.0


@dataclass(frozen=True)
class OuTurns:
    """What a turn needs."""

    cluster: Cluster
    world: World
    queue: KeyQueue[Key]
    live: LiveReads
    models: ModelsReader
    checks: ConnectionChecks
    now: Callable[[], datetime]
    paces: dict[str, OuPace] = field(default_factory=dict)

    async def look_at_models(self, key: ModelsKey) -> float | None:
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

    async def reconcile(self, key: OuKey) -> float | None:
        """One pass over an OU's ledger, or how long it rests after the last one."""
        pace = self.paces.setdefault(key.namespace, OuPace())
        began = self.now()
        if rest := pace.rest_seconds(began):
            return rest
        if not self.models.is_read(key.namespace):
            self.queue.add(ModelsKey(key.namespace))
            return MODELS_SECONDS
        resource = in_force(self.world.resources(key.namespace))
        if resource is None:
            self.paces.pop(key.namespace)
            if self.world.ledgers.pop(key.namespace, None):
                self._wake_all(key)
            return None
        try:
            again_in = await self._pass(key, resource, pace)
        except (Conflict, NotFound):
            await self.live.refresh_resources(key)
            return 0.0
        pace.passed(began, self.now())
        return again_in

    async def admits(self, job: Job, runnable: Runnable) -> bool:
        """Whether a job's grant is there at this moment: asked after its intent is written, before its driver comes.

        Whoever takes the grant back looks for the intent afterwards: one of the two sees the other.
        """
        resource = await self.live.resource_in_force(OuKey(job.key.namespace))
        mode = runnable.spec.resources.mode
        return resource is not None and granted(resource.status, mode, job.key.name, job.uid) >= runnable.cu

    async def _pass(self, key: OuKey, resource: Resource, pace: OuPace) -> float | None:
        """Recompute the ledger and write it, if it is still based on what is there."""
        pace.note(leavers(resource.status), self.now())
        before = self.world.ledgers.get(key.namespace)
        ledger = await self._settled(key, resource, pace)
        facts = self.world.verdicts.facts(key.namespace)
        users = users_of(self.world.jobs(key.namespace))
        status, again_in = summarise_resource(resource, ledger, facts, users, self.now())
        status = self.checks.told(resource, status, self.now())
        numbers_in = pace.numbers_in(self.now()) if is_in_numbers_alone(resource.status, status) else 0
        if status != resource.status and not numbers_in:
            await self._put(resource, status)
            pace.wrote(self.now())
        pace.note(leavers(status), self.now())
        self.world.ledgers[key.namespace] = ledger
        for name in changed(resource.status, status):
            self.queue.add(JobKey(key.namespace, name))
        self._wake_waiting(key, before, ledger)
        if installed(status) != installed(resource.status):
            self._wake_all(key)
        await self._write_duplicates(key, resource)
        check_in = await self.checks.go_on(resource, status, self.now())
        return min(filter(None, (again_in, numbers_in, check_in, pace.ripe_in(self.now()))), default=None)

    async def _settled(self, key: OuKey, resource: Resource, pace: OuPace) -> Ledger:
        """The ledger; what is free and what was not granted is concluded from live reads alone."""
        checked = pace.ripe(self.now())
        held = self._held(key, resource, checked)
        doubtful = {holder.name for _, holder in checked}
        doubtful |= {holder.name for pool in held.values() for holder in pool.unexpected}
        if doubtful:
            await self.live.refresh_jobs(key.namespace, doubtful)
            held = self._held(key, resource, checked)
        jobs = [(job, self.world.in_force(job)) for job in self.world.jobs(key.namespace)]
        return Ledger(
            {mode: settle(capacity(resource, mode), claims(mode, jobs, held[mode]), mode) for mode in RunningMode}
        )

    def _held(self, key: OuKey, resource: Resource, checked: set[Leaver]) -> dict[RunningMode, Held]:
        drivers, executors = self.world.pods_of_ou(key.namespace), self.world.executors_of_ou(key.namespace)
        return {
            mode: held(mode, drivers, executors, resource.status, {holder for of, holder in checked if of is mode})
            for mode in RunningMode
        }

    async def _write_duplicates(self, key: OuKey, older: Resource) -> None:
        for resource in self.world.resources(key.namespace):
            if resource.uid == older.uid or resource.deleting:
                continue
            status = summarise_duplicate(resource, older, self.now())
            if status != resource.status:
                await self._put(resource, status)

    async def _put(self, resource: Resource, status: StreamResourceStatus) -> None:
        """Compare and swap: a status is written at the version that it was computed from, or not at all."""
        dumped = status.model_dump(mode="json", by_alias=True, exclude_none=True)
        self.world.see_resource(await self.cluster.put_resource_status(resource, dumped))

    def _wake_waiting(self, key: OuKey, before: Ledger | None, after: Ledger) -> None:
        """Wake the jobs that are new in the queue or left it, and in a while those whose place or numbers changed."""
        waited = before.waiting if before else {}
        for name in waited.keys() - after.waiting.keys():
            self.queue.add(JobKey(key.namespace, name))
        for name, waiting in after.waiting.items():
            if name not in waited:
                self.queue.add(JobKey(key.namespace, name))
            elif waited[name] != waiting:
                self.queue.add_after(JobKey(key.namespace, name), _QUEUE_MESSAGE_SECONDS + waiting.place)

    def _wake_all(self, key: OuKey) -> None:
        for job in self.world.jobs(key.namespace):
            self.queue.add(job.key)
