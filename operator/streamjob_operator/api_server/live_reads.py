"""Reads around the cache, for what a cache cannot show: that something is gone."""

from collections.abc import Collection
from dataclasses import dataclass

from streamjob_api import kinds
from streamjob_operator.api_server.cluster import Cluster
from streamjob_operator.observed import JobKey, Manifest, OuKey, Resource
from streamjob_operator.validation import in_force
from streamjob_operator.world import World

# From so many jobs on, two listings of the namespace cost less than two reads for each job.
_MANY = 10


@dataclass(frozen=True)
class LiveReads:
    """Reads that bring the cache up to date."""

    cluster: Cluster
    world: World

    async def refresh_for(self, key: JobKey) -> None:
        """Read what a job's start rests on: whether it has pods."""
        self.world.replace_pods(key, await self.cluster.pods_of(key))

    async def refresh_job(self, key: JobKey) -> None:
        """Read a job and its pods as they are now."""
        body = await self.cluster.job(key)
        if body is None:
            self.world.lose_job(key)
        else:
            self.world.see_job(body)
        self.world.replace_pods(key, await self.cluster.pods_of(key))

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
                self.world.see_job(bodies[name])
            else:
                self.world.lose_job(JobKey(namespace, name))
            self.world.replace_pods(JobKey(namespace, name), of_job.get(name, ()))

    async def refresh_resources(self, key: OuKey) -> None:
        """Read the StreamResources of a namespace as they are now."""
        bodies = {body["metadata"]["name"]: body for body in await self.cluster.resources_of(key)}
        for resource in self.world.resources(key.namespace):
            if resource.name not in bodies:
                self.world.lose_resource(key.namespace, resource.name)
        for body in bodies.values():
            self.world.see_resource(body)

    async def resource_in_force(self, key: OuKey) -> Resource | None:
        """The StreamResource in force as it is now; where the cache has its version, only that is read."""
        known = in_force(self.world.resources(key.namespace))
        version = known and await self.cluster.version(kinds.STREAM_RESOURCE, key.namespace, known.name)
        known = in_force(self.world.resources(key.namespace))
        if known is None or known.resource_version != version:
            await self.refresh_resources(key)
        return in_force(self.world.resources(key.namespace))
