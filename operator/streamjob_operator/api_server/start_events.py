"""Read the warnings recorded of a pod whose container is not made in time: its own status does not say why.

A Secret that is missing, a volume that cannot be mounted: the kubelet tells these by Events alone. They are listed for
the one pod, and only while it is being created, since a watch would bring every Event of the namespace.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

import aiohttp

from streamjob_operator.api_server.cluster import ApiError, Cluster
from streamjob_operator.observed import JobKey, Manifest, Pod
from streamjob_operator.obstacles import Warned, hindrance
from streamjob_operator.world import World

# A container is made within this time where the image is on the node.
_FIRST_SECONDS = 4.0
# Then as often as is told within fifteen seconds, whatever the request itself takes.
_AGAIN_SECONDS = 8.0
_AT_ONCE = 16  # requests under way

logger = logging.getLogger(__name__)


class StartEvents:
    """Looks after the drivers that are being created, and says whose hindrance is new."""

    def __init__(self, cluster: Cluster, world: World, wake: Callable[[JobKey], None]) -> None:
        self._cluster = cluster
        self._world = world
        self._wake = wake
        self._timers: dict[JobKey, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._limit = asyncio.Semaphore(_AT_ONCE)

    def see(self, key: JobKey) -> None:
        """A job's driver may be on its way: look at it soon, unless that is arranged already."""
        if key not in self._timers and self._created(key):
            self._later(key, _FIRST_SECONDS)

    async def close(self) -> None:
        """Look no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for timer in self._timers.values():
            timer.cancel()

    def _later(self, key: JobKey, seconds: float) -> None:
        self._timers[key] = asyncio.get_running_loop().call_later(seconds, self._due, key)

    def _due(self, key: JobKey) -> None:
        pod = self._created(key)
        if pod is None:
            del self._timers[key]
            return
        task = asyncio.get_running_loop().create_task(self._look(key, pod))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _created(self, key: JobKey) -> Pod | None:
        return next((pod for pod in self._world.pods(key) if pod.is_being_created), None)

    async def _look(self, key: JobKey, pod: Pod) -> None:
        try:
            async with self._limit:
                warnings = await self._cluster.warnings_of(pod)
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            logger.info("events of pod %s/%s not read: %s", pod.namespace, pod.name, error)
        else:
            if self._world.hinder(pod, hindrance(pod, [_warned(body) for body in warnings])):
                self._wake(key)
        finally:
            self._later(key, _AGAIN_SECONDS)


def _warned(body: Manifest) -> Warned:
    """An Event of either form: of the kubelet's older recorder, or of the newer one."""
    series = body.get("series") or {}
    times = (series.get("lastObservedTime"), body.get("deprecatedLastTimestamp"), body.get("eventTime"))
    at = next((time for time in times if time), body["metadata"]["creationTimestamp"])
    return Warned(body.get("reason", ""), body.get("note", ""), datetime.fromisoformat(at))
