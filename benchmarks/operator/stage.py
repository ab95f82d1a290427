"""What the phases share: the cluster, the fake nodes, the watch of pods; and making and removing fleets."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.operator import fleet, running_operator, volumes
from benchmarks.operator.access import Access
from benchmarks.operator.pods_seen import PodsSeen
from benchmarks.operator.running_operator import RunningOperator, Setup
from localcluster.providers import Cluster

_REMOVAL_SECONDS = 1800


def say(text: str) -> None:
    """A line for whoever waits; the figures alone go to stdout."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Stage:
    """Where everything happens."""

    cluster: Cluster
    access: Access
    folder: Path
    pods: PodsSeen
    whole_cluster: bool
    pace: int = 1
    profile: tuple[str, ...] = ()

    @contextmanager
    def setup(self, *fleets: fleet.Fleet) -> Iterator[Setup]:
        """What an operator for these fleets needs."""
        named = [] if self.whole_cluster else [name for each in fleets for name in each.namespaces]
        with running_operator.installation(self.cluster, self.folder, named, self.pace, self.profile) as setup:
            yield setup

    @asynccontextmanager
    async def ous(self, made: fleet.Fleet) -> AsyncIterator[None]:
        """Namespaces; they and their volumes go at the end."""
        self.pods.forget()
        say(f"{made.ous} OUs for {made.size} jobs")
        spaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in made.namespaces]
        try:
            await self.access.all("POST", [("/api/v1/namespaces", each) for each in spaces])
            yield
        finally:
            say("removing them")
            await self.access.all("DELETE", [(f"/api/v1/namespaces/{name}", None) for name in made.namespaces])
            await self._until_removed(made)
            await volumes.remove(self.access)

    async def fill(self, made: fleet.Fleet) -> None:
        """StreamResources and thing models. The operator's rights in the namespaces are there by now."""
        objects = [each for name in made.namespaces for each in fleet.ou_objects(made, name)]
        await self.access.all("POST", [(path, body) for path, body in objects])

    async def _until_removed(self, made: fleet.Fleet) -> None:
        deadline = time.monotonic() + _REMOVAL_SECONDS
        while time.monotonic() < deadline:
            listed = await self.access.request("GET", "/api/v1/namespaces")
            if not {each["metadata"]["name"] for each in listed["items"]}.intersection(made.namespaces):
                return
            await asyncio.sleep(2)
        raise TimeoutError(f"the namespaces of {made.name} are not gone after {_REMOVAL_SECONDS} s")

    @asynccontextmanager
    async def operator(self, setup: Setup) -> AsyncIterator[RunningOperator]:
        """The operator, acting; it is stopped at the end."""
        running = running_operator.start(setup)
        try:
            await until_acting(running)
            yield running
        finally:
            await asyncio.to_thread(running.process.stop)

    async def load(self, made: fleet.Fleet, rate: float = 0.0) -> dict[str, float]:
        """Apply all jobs by a process of its own; when each was sent, by job."""
        argv = ["-m", "benchmarks.operator.load", str(self.cluster.kubeconfig), "--rate", str(rate)]
        loader = await asyncio.create_subprocess_exec(
            sys.executable, *argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await loader.communicate(fleet.load_lines(made).encode())
        if loader.returncode != 0:
            raise RuntimeError("the loader failed; its words are above")
        sent: dict[str, float] = json.loads(printed)
        return sent

    async def phases(self, made: fleet.Fleet) -> dict[str, int]:
        """How many jobs are in each phase."""
        counted: dict[str, int] = {}
        for namespace in made.namespaces:
            listed = await self.access.request("GET", f"{fleet.jobs_path(namespace)}?resourceVersion=0")
            for each in listed["items"]:
                phase = each.get("status", {}).get("phase", "none")
                counted[phase] = counted.get(phase, 0) + 1
        return counted

    async def until_running(self, made: fleet.Fleet, within_seconds: float) -> None:
        """Wait until every job says Running."""
        deadline = time.monotonic() + within_seconds
        while (counted := await self.phases(made)).get("Running", 0) < made.size:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not all jobs run after {within_seconds:.0f} s: {counted}")
            say(f"{counted}")
            await asyncio.sleep(10)


async def until_acting(running: RunningOperator, within_seconds: float = 120) -> None:
    """Wait until the first listing is done."""
    deadline = time.monotonic() + within_seconds
    while not await asyncio.to_thread(running.is_ready):
        if not running.process.is_running or time.monotonic() > deadline:
            raise RuntimeError(f"the operator does not get ready:\n{running.process.log.read_text()[-3000:]}")
        await asyncio.sleep(0.1)
