"""Check pods: made while an OU's connections are not known, removed when they have answered."""

import logging
from dataclasses import dataclass, field
from datetime import datetime

from streamjob_api.faults import InvalidSpec
from streamjob_api.progress import Progress
from streamjob_api.status import StreamResourceStatus
from streamjob_operator.api_server.cluster import ApiError, Cluster, Conflict
from streamjob_operator.observed import Pod, Resource
from streamjob_operator.plan.check import check_name, check_pod
from streamjob_operator.settings import DriverSettings
from streamjob_operator.telling.conditions import settled
from streamjob_operator.telling.connections import conditions, connections, heard, is_overdue, step
from streamjob_operator.validation import OuFacts, Refusal, resource_faults
from streamjob_operator.world import World

logger = logging.getLogger(__name__)


@dataclass
class ConnectionChecks:
    """The checks of every OU."""

    cluster: Cluster
    world: World
    settings: DriverSettings
    _ended: dict[str, datetime] = field(default_factory=dict)  # by UID of the resource

    def told(self, resource: Resource, status: StreamResourceStatus, now: datetime) -> StreamResourceStatus:
        """The status with what is known of the connections; of a resource that is refused nothing is said."""
        spec = resource.spec
        if isinstance(spec, InvalidSpec) or self._image(resource) is None:
            return status
        said = connections(resource, spec, self._check(resource), heard(self._drivers(resource.namespace)))
        added = settled(resource.status.conditions, conditions(resource, said, now))
        return status.model_copy(update={"conditions": [*status.conditions, *added]})

    async def go_on(self, resource: Resource, status: StreamResourceStatus, now: datetime) -> float | None:
        """Do what is next, after the status was written; seconds until there is more to do."""
        pods, spec, image = self.world.checks(resource.namespace), resource.spec, self._image(resource)
        for pod in pods:
            if pod.name == check_name(resource) and (pod.finished or is_overdue(pod, now)):
                self._ended[resource.uid] = pod.container.finished_at or now
        if isinstance(spec, InvalidSpec) or image is None:
            await self._remove(pods)
            return None
        next_step = step(resource, pods, status.conditions, self._ended.get(resource.uid), now)
        await self._remove(next_step.remove)
        if next_step.start:
            await self._start(resource, check_pod(resource, spec, image, self.settings), now)
        return next_step.again_in

    async def _start(self, resource: Resource, pod: dict[str, object], now: datetime) -> None:
        try:
            self.world.see_pod(await self.cluster.create("Pod", resource.namespace, pod))
        except Conflict:
            return  # another one of this name is there, and will be seen
        except ApiError as refused:
            # nothing else of the OU may wait for a check that a quota does not let through
            self._ended[resource.uid] = now
            logger.warning("check of StreamResource %s not started: %s", resource.name, refused)

    async def _remove(self, pods: tuple[Pod, ...]) -> None:
        for pod in pods:
            await self.cluster.delete_pod(pod)

    def _check(self, resource: Resource) -> Pod | None:
        pods = self.world.checks(resource.namespace)
        return next((pod for pod in pods if pod.name == check_name(resource) and pod.owner_uid == resource.uid), None)

    def _image(self, resource: Resource) -> str | None:
        """An installed library's runtime; None where nothing is to be checked."""
        facts: OuFacts = self.world.verdicts.facts(resource.namespace)
        if isinstance(resource.spec, InvalidSpec) or any(not fault.may_come for fault in resource_faults(facts)):
            return None
        named = (self.world.catalogue.image(each.name, each.version) for each in resource.spec.libraries)
        return next((image for image in named if image), None)

    def _drivers(self, namespace: str) -> list[tuple[str, Progress]]:
        """What drivers say that were given the present connections."""
        found = []
        for job in self.world.jobs(namespace):
            uid, progress = self.world.progress.get(job.key, ("", None))
            if progress is None:
                continue
            pod = next((pod for pod in self.world.pods(job.key) if pod.uid == uid and not pod.finished), None)
            verdict = self.world.in_force(job)
            if pod and not isinstance(verdict, Refusal) and pod.spec_hash == verdict.spec_hash:
                found.append((job.key.name, progress))
        return found
