"""Reads around the cache, for what a cache cannot show: that something is gone."""

from dataclasses import dataclass

from streamjob_operator.cluster import Cluster
from streamjob_operator.observed import JobKey, Manifest, OuKey
from streamjob_operator.world import World


@dataclass(frozen=True)
class LiveReads:
    """Reads that bring the cache up to date."""

    cluster: Cluster
    world: World

    async def refresh_for(self, key: JobKey) -> None:
        """Read what a job's start rests on: its pods, and the admissions of its OU."""
        self.world.replace_pods(key, await self.cluster.pods_of(key))
        await self.refresh_resources(OuKey(key.namespace))

    async def refresh_job(self, key: JobKey) -> None:
        """Read a job and its pods as they are now."""
        body = await self.cluster.job(key)
        if body is None:
            self.world.lose_job(key)
        else:
            self.world.see_job(body)
        self.world.replace_pods(key, await self.cluster.pods_of(key))

    async def refresh_resources(self, key: OuKey) -> dict[str, Manifest]:
        """Read the StreamResources of a namespace as they are now; bodies by name."""
        bodies = {body["metadata"]["name"]: body for body in await self.cluster.resources_of(key)}
        for resource in self.world.resources(key.namespace):
            if resource.name not in bodies:
                self.world.lose_resource(key.namespace, resource.name)
        for body in bodies.values():
            self.world.see_resource(body)
        return bodies
