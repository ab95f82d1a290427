"""Reads around the cache, for what a cache cannot show: that something is gone."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from streamjob_api import kinds
from streamjob_operator.api_server.cluster import Cluster
from streamjob_operator.observed import JobKey, Manifest, OuKey, Resource
from streamjob_operator.validation import in_force
from streamjob_operator.world import World

# From so many jobs on, two listings of the namespace cost less than two reads for each job.
_MANY = 10


class News(Protocol):
    """Who takes in what is read, and gives those their turn who are concerned: no watch tells it a second time."""

    def job(self, deleted: bool, body: Manifest) -> None:
        """A job."""
        ...

    def job_gone(self, key: JobKey) -> None:
        """A job is not there."""
        ...

    def resource(self, deleted: bool, body: Manifest) -> None:
        """A StreamResource."""
        ...

    def resource_gone(self, resource: Resource) -> None:
        """A StreamResource is not there."""
        ...

    def pods(self, key: JobKey, bodies: Iterable[Manifest]) -> None:
        """All drivers and executors of a job."""
        ...


@dataclass(frozen=True)
class LiveReads:
    """Reads that bring the cache up to date."""

    cluster: Cluster
    world: World
    news: News

    async def refresh_for(self, key: JobKey) -> None:
        """Read what a job's start rests on: whether it has pods."""
        self.news.pods(key, await self.cluster.pods_of(key))

    async def refresh_job(self, key: JobKey) -> None:
        """Read a job and its pods as they are now."""
        body = await self.cluster.job(key)
        if body is None:
            self.news.job_gone(key)
        else:
            self.news.job(False, body)
        self.news.pods(key, await self.cluster.pods_of(key))

    async def refresh_jobs(self, namespace: str, names: Collection[str]) -> None:
        """Read some jobs of a namespace, and their pods, as they are now."""
        if len(names) < _MANY:
            for name in names:
                await self.refresh_job(JobKey(namespace, name))
            return
        jobs = await self.cluster.listed(kinds.STREAM_JOB, namespace)
        pods = await self.cluster.listed("Pod", namespace, kinds.PODS_SELECTOR)
        bodies = {body["metadata"]["name"]: body for body in jobs}
        of_job: dict[str, list[Manifest]] = {}
        for pod in pods:
            of_job.setdefault(pod["metadata"]["labels"].get(kinds.JOB_LABEL, ""), []).append(pod)
        for name in names:
            if name in bodies:
                self.news.job(False, bodies[name])
            else:
                self.news.job_gone(JobKey(namespace, name))
            self.news.pods(JobKey(namespace, name), of_job.get(name, ()))

    async def refresh_resources(self, key: OuKey) -> None:
        """Read the StreamResources of a namespace as they are now."""
        bodies = {body["metadata"]["name"]: body for body in await self.cluster.resources_of(key)}
        for resource in self.world.resources(key.namespace):
            if resource.name not in bodies:
                self.news.resource_gone(resource)
        for body in bodies.values():
            self.news.resource(False, body)

    async def resource_in_force(self, key: OuKey) -> Resource | None:
        """The StreamResource in force as it is now; where the cache has its version, only that is read."""
        known = in_force(self.world.resources(key.namespace))
        version = known and await self.cluster.version(kinds.STREAM_RESOURCE, key.namespace, known.name)
        known = in_force(self.world.resources(key.namespace))
        if known is None or known.resource_version != version:
            await self.refresh_resources(key)
        return in_force(self.world.resources(key.namespace))
