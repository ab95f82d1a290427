"""Live reads of many jobs of an OU at once: who asks while a read is under way shares the next one.

A read that begins after the question is as good as one of the asker's own; a thousand starts then cost some dozens.
"""

import asyncio
from dataclasses import dataclass, field

from streamjob_operator.live_reads import LiveReads
from streamjob_operator.observed import JobKey, OuKey

# Names in one label selector: they are part of the URL.
_NAMES_AT_ONCE = 50


@dataclass(frozen=True)
class SharedReads(LiveReads):
    """Live reads that wait for one another."""

    _under_way: dict[str, asyncio.Lock] = field(default_factory=dict)
    _next: dict[str, tuple[set[JobKey], asyncio.Task[None]]] = field(default_factory=dict)

    async def refresh_for(self, key: JobKey) -> None:
        """Read what a job's start rests on, together with others of its OU."""
        keys, read = self._next.get(key.namespace) or self._begin(key.namespace)
        keys.add(key)
        await asyncio.shield(read)
        if read.cancelled():
            raise asyncio.CancelledError
        read.result()

    def _begin(self, namespace: str) -> tuple[set[JobKey], asyncio.Task[None]]:
        read = asyncio.get_running_loop().create_task(self._read(namespace))
        self._next[namespace] = (set(), read)
        return self._next[namespace]

    async def _read(self, namespace: str) -> None:
        lock = self._under_way.setdefault(namespace, asyncio.Lock())
        async with lock:
            keys, _ = self._next.pop(namespace)
            await asyncio.gather(self._refresh_pods(sorted(keys)), self.refresh_resources(OuKey(namespace)))

    async def _refresh_pods(self, keys: list[JobKey]) -> None:
        for first in range(0, len(keys), _NAMES_AT_ONCE):
            chosen = keys[first : first + _NAMES_AT_ONCE]
            found = await self.cluster.pods_of_jobs(chosen)
            for key in chosen:
                self.world.replace_pods(key, found[key])
