"""What is seen gives those their turn whom it concerns, by whichever way it came."""

from __future__ import annotations

import asyncio
from typing import Any

from streamjob_operator.api_server.cluster import Cluster
from streamjob_operator.api_server.live_reads import LiveReads
from streamjob_operator.key_queue import KeyQueue
from streamjob_operator.metrics import Metrics
from streamjob_operator.observed import JobKey, Key, Manifest, OuKey
from streamjob_operator.progress import ProgressPuller
from streamjob_operator.settings import Settings
from streamjob_operator.sightings import Sightings
from streamjob_operator.world import World
from unit.operator.builders import CATALOGUE, job_manifest

KEY = JobKey("ou", "extremes")


class Answers(Cluster):
    """An API server that knows one job, or none, and no pods."""

    def __init__(self, body: Manifest | None) -> None:
        self.body = body

    async def job(self, key: JobKey) -> Manifest | None:  # noqa: ARG002 (it knows of no other)
        return self.body

    async def pods_of(self, key: JobKey) -> list[Manifest]:  # noqa: ARG002
        return []


class Woken(KeyQueue[Key]):
    """Whose turn it is."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: set[Key] = set()

    def add(self, key: Key, *, routine: bool = False) -> None:  # noqa: ARG002
        self.keys.add(key)


def seen(body: Manifest) -> tuple[World, set[Key], Sightings]:
    """The cache after a job was watched, and the keys that are queued from then on."""
    world, queue = World(CATALOGUE), Woken()
    sightings = Sightings(world, queue, Metrics(world, queue), ProgressPuller(world, Settings(), queue.add))
    sightings.job(False, body)
    queue.keys.clear()
    return world, queue.keys, sightings


def at(version: str, generation: int, **spec: Any) -> Manifest:
    body = job_manifest(**spec)
    return {**body, "metadata": {**body["metadata"], "resourceVersion": version, "generation": generation}}


def read(world: World, sightings: Sightings, body: Manifest | None) -> None:
    asyncio.run(LiveReads(Answers(body), world, sightings).refresh_job(KEY))


def test_news_of_a_live_read_give_the_job_its_turn_though_the_watch_tells_nothing_new_any_more() -> None:
    world, woken, sightings = seen(at("10", 1))
    edited = at("11", 2, state="Paused")
    read(world, sightings, edited)
    assert woken == {KEY, OuKey("ou")}
    woken.clear()
    sightings.job(False, edited)
    assert woken == set()


def test_a_job_that_a_live_read_does_not_find_leaves_its_capacity_to_others() -> None:
    world, woken, sightings = seen(at("10", 1))
    read(world, sightings, None)
    assert world.job(KEY) is None
    assert OuKey("ou") in woken
