"""Live reads of many jobs of an OU at once: who asks while a read is under way shares the next one.

A read that begins after the question is as good as one of the asker's own; a thousand starts then cost some dozens.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

from streamjob_operator.api_server.live_reads import LiveReads
from streamjob_operator.observed import JobKey, OuKey, Resource
from streamjob_operator.validation import in_force

Read = Callable[[list[JobKey]], Coroutine[None, None, None]]

# A read that follows another one waits this long for more who want to share it.
_GATHERING_SECONDS = 0.1
# Names in one label selector: they are part of the URL.
_NAMES_AT_ONCE = 50


@dataclass(frozen=True)
class SharedReads(LiveReads):
    """Live reads that wait for one another."""

    _under_way: dict[str, asyncio.Lock] = field(default_factory=dict)
    _next: dict[str, tuple[set[JobKey], asyncio.Task[None]]] = field(default_factory=dict)
    _ended: dict[str, float] = field(default_factory=dict)  # when the last one did

    async def refresh_for(self, key: JobKey) -> None:
        """Read what a job's start rests on, together with others of its OU."""
        await self._share(f"pods of {key.namespace}", key, self._refresh_pods)

    async def resource_in_force(self, key: OuKey) -> Resource | None:
        """The StreamResource in force, read once for all who ask at a time."""
        await self._share(f"resources of {key.namespace}", JobKey(key.namespace, ""), self._refresh_resource)
        return in_force(self.world.resources(key.namespace))

    async def _share(self, lane: str, key: JobKey, read: Read) -> None:
        keys, task = self._next.get(lane) or self._begin(lane, read)
        keys.add(key)
        await asyncio.shield(task)
        if task.cancelled():
            raise RuntimeError(f"the read of the {lane} was given up")  # the turn is tried again
        task.result()

    def _begin(self, lane: str, read: Read) -> tuple[set[JobKey], asyncio.Task[None]]:
        task = asyncio.get_running_loop().create_task(self._read(lane, read))
        self._next[lane] = (set(), task)
        return self._next[lane]

    async def _read(self, lane: str, read: Read) -> None:
        lock = self._under_way.setdefault(lane, asyncio.Lock())
        async with lock:
            await asyncio.sleep(self._ended.get(lane, -_GATHERING_SECONDS) + _GATHERING_SECONDS - time.monotonic())
            keys, _ = self._next.pop(lane)
            try:
                await read(sorted(keys))
            finally:
                self._ended[lane] = time.monotonic()

    async def _refresh_resource(self, keys: list[JobKey]) -> None:
        await super().resource_in_force(OuKey(keys[0].namespace))

    async def _refresh_pods(self, keys: list[JobKey]) -> None:
        for first in range(0, len(keys), _NAMES_AT_ONCE):
            chosen = keys[first : first + _NAMES_AT_ONCE]
            found = await self.cluster.pods_of_jobs(chosen)
            for key in chosen:
                self.news.pods(key, found[key])
