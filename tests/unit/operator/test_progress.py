"""Drivers are asked over HTTP: what they answer, and what becomes of those that do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from streamjob_api.job_file import DRIVER_HTTP_PORT
from streamjob_api.progress import DriverState
from streamjob_operator.observed import JobKey
from streamjob_operator.progress import ProgressPuller
from streamjob_operator.settings import Settings
from streamjob_operator.world import World
from unit.operator.builders import CATALOGUE, job_manifest

KEY = JobKey("ou", "extremes")
# An address of this machine that nothing else listens on.
ADDRESS = "127.83.0.1"
ANSWER = (
    '{"state": "Running", "attempt": 1, "startedAt": "2026-01-31T11:00:00Z", "observedAt": "2026-01-31T11:59:00Z"%s}'
)


def world() -> World:
    seen = World(CATALOGUE)
    seen.see_job(job_manifest())
    meta = {
        "name": "extremes-1-driver",
        "namespace": "ou",
        "uid": "pod-1",
        "creationTimestamp": "2026-01-31T11:00:00Z",
        "labels": {"streamjob.dev/job": "extremes"},
    }
    seen.see_pod({"metadata": meta, "status": {"phase": "Running", "podIP": ADDRESS}})
    return seen


@asynccontextmanager
async def driver(answer: str, status: int = 200) -> AsyncIterator[None]:
    async def respond(_: web.Request) -> web.Response:
        return web.Response(text=answer, status=status)

    app = web.Application()
    app.add_routes([web.get("/progress", respond)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, ADDRESS, DRIVER_HTTP_PORT).start()
    yield
    await runner.cleanup()


async def asked(seen: World) -> list[JobKey]:
    """Ask once; who was woken."""
    woken: list[JobKey] = []
    puller = ProgressPuller(seen, Settings(), woken.append)
    puller.ask(KEY)
    async with asyncio.timeout(10):
        await asyncio.gather(*puller._asking.values())
    await puller.close()
    return woken


async def test_an_answer_is_kept_and_wakes_the_job_when_it_is_news() -> None:
    seen = world()
    async with driver(ANSWER % ""):
        assert await asked(seen) == [KEY]
        progress = seen.heard(KEY, "pod-1")
        assert progress
        assert progress.state is DriverState.RUNNING
        assert seen.heard(KEY, "another pod") is None


async def test_a_driver_that_does_not_answer_was_asked_nevertheless() -> None:
    seen = world()
    assert await asked(seen) == [KEY]
    assert seen.was_asked(KEY, "pod-1")
    assert seen.heard(KEY, "pod-1") is None
    assert await asked(seen) == []


async def test_answers_that_are_too_long_or_no_progress_count_as_none() -> None:
    for text in (ANSWER % (', "message": "' + "x" * 5000 + '"'), "[]", "<html>"):
        seen = world()
        async with driver(text):
            await asked(seen)
        assert seen.heard(KEY, "pod-1") is None


async def test_an_error_page_counts_as_no_answer() -> None:
    seen = world()
    async with driver(ANSWER % "", status=500):
        await asked(seen)
    assert seen.heard(KEY, "pod-1") is None
