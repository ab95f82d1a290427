"""When driver pods came, were asked to end, and went: seen by a watch of the benchmark's own."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp

from benchmarks.operator.access import Access, Manifest
from streamjob_api import kinds

_PATH = "/api/v1/pods"
_SELECTOR = f"{kinds.COMPONENT_LABEL}={kinds.DRIVER}"


@dataclass
class PodsSeen:
    """Moments by job ("namespace/name") and attempt, of pods in the benchmark's namespaces."""

    prefix: str
    created: dict[str, dict[int, float]] = field(default_factory=dict)
    ending: dict[str, dict[int, float]] = field(default_factory=dict)
    gone: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def changes(self) -> tuple[int, int, int]:
        """How many pods came, were asked to end, and went, so far."""
        return (sum(map(len, self.created.values())), sum(map(len, self.ending.values())), self.gone)

    async def follow(self, access: Access) -> None:
        """Watch for ever, from now on; a watch that the API server ends is begun anew."""
        version = (await access.request("GET", f"{_PATH}?limit=1"))["metadata"]["resourceVersion"]
        while True:
            with suppress(aiohttp.ClientError):
                async for event in access.watch(_PATH, _SELECTOR, version):
                    if event["type"] == "ERROR":
                        raise RuntimeError(f"the watch of pods failed: {event['object']}")
                    version = event["object"]["metadata"]["resourceVersion"]
                    self._see(event["type"], event["object"]["metadata"])

    def _see(self, kind: str, meta: Manifest) -> None:
        if not meta["namespace"].startswith(self.prefix):
            return
        job, attempt = (
            f"{meta['namespace']}/{meta['labels'][kinds.JOB_LABEL]}",
            int(meta["labels"][kinds.ATTEMPT_LABEL]),
        )
        now = time.time()
        if kind == "ADDED":
            self.created.setdefault(job, {}).setdefault(attempt, now)
        if "deletionTimestamp" in meta:
            self.ending.setdefault(job, {}).setdefault(attempt, now)
        if kind == "DELETED":
            self.gone += 1
        self._changed.set()

    async def until_created(self, jobs: int, within_seconds: float) -> None:
        """Wait until so many jobs have had a pod."""
        async with asyncio.timeout(within_seconds):
            while len(self.created) < jobs:
                self._changed.clear()
                await self._changed.wait()

    async def until_replaced(self, job: str, attempt: int, within_seconds: float) -> tuple[float, float]:
        """When the pod before this attempt was asked to end, and when this attempt's came."""
        async with asyncio.timeout(within_seconds):
            while attempt not in self.created.get(job, {}):
                self._changed.clear()
                await self._changed.wait()
        return self.ending[job][attempt - 1], self.created[job][attempt]

    def forget(self) -> None:
        """Begin anew, with another fleet."""
        self.created.clear()
        self.ending.clear()
        self.gone = 0
