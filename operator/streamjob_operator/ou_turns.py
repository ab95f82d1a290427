"""A turn of an OU: a pass over its ledger and its StreamResource's status, or a look at its thing models."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from streamjob_api.status import LibraryState, StreamResourceStatus
from streamjob_operator.cluster import Cluster, Conflict, NotFound
from streamjob_operator.key_queue import KeyQueue
from streamjob_operator.ledger import Ledger, settle
from streamjob_operator.library_status import users_of
from streamjob_operator.live_reads import LiveReads
from streamjob_operator.models_reader import ModelsReader
from streamjob_operator.observed import JobKey, Key, Manifest, ModelsKey, OuKey, Resource
from streamjob_operator.resource_status import claims, shrunk, summarise_duplicate, summarise_resource
from streamjob_operator.validation import capacity, in_force
from streamjob_operator.world import World

# A job's place in the queue changes with every start before it; its message follows a little later.
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
    now: Callable[[], datetime]

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
        """One pass over an OU's ledger."""
        bodies = await self.live.refresh_resources(key)
        if not self.models.is_read(key.namespace):
            self.queue.add(ModelsKey(key.namespace))
            return MODELS_SECONDS
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
            await self.live.refresh_job(JobKey(key.namespace, name))
        return self._settle(key, resource)

    def _settle(self, key: OuKey, resource: Resource) -> Ledger:
        jobs = [(job, self.world.in_force(job)) for job in self.world.jobs(key.namespace)]
        found = claims(jobs, self.world.pods_of_ou(key.namespace), resource.status.admitted)
        return settle(capacity(resource), found)

    async def _write_duplicates(self, key: OuKey, older: Resource, bodies: dict[str, Manifest]) -> None:
        for resource in self.world.resources(key.namespace):
            # one that came after the look has a turn of its own
            if resource.uid == older.uid or resource.deleting or resource.name not in bodies:
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
