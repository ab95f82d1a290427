"""What watches, listings and live reads show: taken into the cache, and whose turn that makes it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from streamjob_api import kinds
from streamjob_operator.api_server.cluster import Cluster
from streamjob_operator.api_server.start_events import StartEvents
from streamjob_operator.key_queue import KeyQueue
from streamjob_operator.metrics import Metrics
from streamjob_operator.observed import Job, JobKey, Key, Manifest, ModelsKey, OuKey, Pod, Resource
from streamjob_operator.ou.ou_pace import pass_in
from streamjob_operator.ou.resource_status import concerned
from streamjob_operator.progress import ProgressPuller
from streamjob_operator.world import World

# A starting pod's steps follow each other within seconds; the job has one turn for them. One of them is that no node
# takes it, while the scheduler has not yet heard of the claim that was made right before.
_STEPS_SECONDS = 2.0


class Sightings:
    """Between what was seen and the queue.

    Attributes:
        acts: whether this replica acts; until then it only keeps its cache warm.
        counts_starts: whether pods that are new to the cache are new indeed: the first listing is complete.
        starts: reads the warnings of pods that are being created, once this replica acts.
    """

    def __init__(self, world: World, queue: KeyQueue[Key], metrics: Metrics, puller: ProgressPuller) -> None:
        self._world = world
        self._queue = queue
        self._metrics = metrics
        self._puller = puller
        self.acts = False
        self.counts_starts = False
        self.starts: StartEvents | None = None

    async def relist(self, cluster: Cluster, namespaces: Sequence[str]) -> None:
        """List everything in these namespaces, or everywhere, and forget what is no longer there."""
        for namespace in namespaces or (None,):
            known = self._world.known(namespace)
            for body in await cluster.listed(kinds.STREAM_RESOURCE, namespace):
                known.discard(body["metadata"]["uid"])
                self.resource(False, body)
            async for _, page in cluster.pages(kinds.STREAM_JOB, namespace):
                for body in page:
                    known.discard(body["metadata"]["uid"])
                    self.job(False, body)
            async for _, page in cluster.pages("Pod", namespace, kinds.PODS_SELECTOR):
                for body in page:
                    known.discard(body["metadata"]["uid"])
                    self.pod(False, body)
            for key in self._world.forget(namespace, known):
                self._queue.add(key)

    def job(self, deleted: bool, body: Manifest) -> None:
        """A job, and those whose verdict may rest on it."""
        meta = body["metadata"]
        key = JobKey(meta["namespace"], meta["name"])
        before = self._world.job(key)
        near = self._world.neighbours(key) if before and (deleted or _is_other(before, meta)) else set()
        if deleted:
            self._world.lose_job(key, meta["uid"])
        elif not self._world.see_job(body):
            return
        after = self._world.job(key)
        if before is None or after is None or _is_other(before, meta):
            for other in near | self._world.neighbours(key):
                self._wake(other)
            self._wake(OuKey(key.namespace))
        elif (wanted_in := pass_in(before.status, after.status)) is not None:
            self._queue.add_after(OuKey(key.namespace), wanted_in)
        self._wake(key)

    def job_gone(self, key: JobKey) -> None:
        """A live read has not found a job."""
        if job := self._world.job(key):
            self.job(True, {"metadata": {"namespace": key.namespace, "name": key.name, "uid": job.uid}})

    def resource(self, deleted: bool, body: Manifest) -> None:
        """A StreamResource: every job of the OU may be concerned, or those whose grant is another."""
        meta = body["metadata"]
        before = self._world.resource(meta["namespace"], meta["name"])
        if deleted:
            self._world.lose_resource(meta["namespace"], meta["name"], meta["uid"])
        elif not self._world.see_resource(body):
            return
        after = self._world.resource(meta["namespace"], meta["name"])
        names = concerned(before, after) if before and after else None
        if names is not None:
            self._wake(OuKey(meta["namespace"]))
            for name in names:
                self._wake(JobKey(meta["namespace"], name))
            return
        # An orgId that becomes free may be waited for in another namespace.
        for namespace in {meta["namespace"], *(resource.namespace for resource in self._world.stalled_resources())}:
            self._wake(OuKey(namespace))
            for job in self._world.jobs(namespace):
                self._wake(job.key)
        self._wake(ModelsKey(meta["namespace"]))

    def resource_gone(self, resource: Resource) -> None:
        """A live read has not found a StreamResource."""
        meta = {"namespace": resource.namespace, "name": resource.name, "uid": resource.uid}
        self.resource(True, {"metadata": meta})

    def pods(self, key: JobKey, bodies: Iterable[Manifest]) -> None:
        """A live read has shown all drivers and executors of a job."""
        shown = set()
        for body in bodies:
            shown.add(body["metadata"]["uid"])
            self.pod(False, body)
        if self._world.keep_pods(key, shown):
            self._wake(OuKey(key.namespace))
            self._wake(key)

    def pod(self, deleted: bool, body: Manifest) -> None:
        """A pod of the operator's or of a driver's making."""
        meta = body["metadata"]
        key = JobKey(meta["namespace"], meta["labels"].get(kinds.JOB_LABEL, ""))
        if meta["labels"].get(kinds.COMPONENT_LABEL) == kinds.CHECK:
            self._check(deleted, key, body)
            return
        before = self._world.pod(key, meta["name"])
        if deleted:
            if before and before.uid == meta["uid"]:
                self._world.see_pod(body)  # as it was at its end, with its last words
            self._world.lose_pod(key, meta["name"], meta["uid"])
        elif not self._world.see_pod(body):
            return
        after = self._world.pod(key, meta["name"])
        if after and self.counts_starts and after.component == kinds.DRIVER:
            self._metrics.saw_pod(self._world.job(key), before, after)
        if after and self.acts and after.component == kinds.DRIVER:
            self._listen(key, before, after)
        if self.starts:
            self.starts.see(key)
        if after is None or after.finished:
            self._wake(OuKey(key.namespace))
        if before and after and _is_on_its_way(before, after):
            self._queue.add_after(key, _STEPS_SECONDS)
        else:
            self._wake(key)

    def _listen(self, key: JobKey, before: Pod | None, after: Pod) -> None:
        """Ask a driver that has something new to say, and soon one that can be asked from now on."""
        if before is None or before.ready != after.ready:
            self._puller.ask(key)
        elif before.ip != after.ip:
            self._puller.expect(key)

    def _check(self, deleted: bool, key: JobKey, body: Manifest) -> None:
        """A pod that asks an OU's connections: what it says is the OU's matter."""
        meta = body["metadata"]
        if deleted:
            self._world.lose_pod(key, meta["name"], meta["uid"])
        elif not self._world.see_pod(body):
            return
        self._wake(OuKey(key.namespace))

    def _wake(self, key: Key) -> None:
        """News once this replica acts; until then all is routine, or what comes later would wait for all of it."""
        self._queue.add(key, routine=not self.acts)


def _is_on_its_way(before: Pod, after: Pod) -> bool:
    """Whether a pod that starts took a step that programs do not look at: a node or none yet, an address, it runs."""
    if after.finished or after.terminating or after.container.state == "waiting":
        return False
    steps = {each: getattr(after, each) for each in ("node", "ip", "phase", "container", "scheduled", "scheduling")}
    return not before.ready and replace(before, **steps) == after


def _is_other(before: Job, meta: Manifest) -> bool:
    """Whether the metadata are of another job or spec."""
    return (before.uid, before.generation) != (meta["uid"], meta.get("generation", 0)) or (
        not before.deleting and "deletionTimestamp" in meta
    )
