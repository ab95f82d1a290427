"""What keeps kopf's watches alive, on a real HTTP server that answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from streamjob_operator.watches import Watches

PATH = "/api/v1/pods"


class Server:
    """Answers with these statuses in turn, then with 200; and what it was asked."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.query_string)
        return web.json_response({}, status=self.statuses.pop(0) if self.statuses else 200)


class Noted:
    def __init__(self) -> None:
        self.ended: list[str] = []
        self.listed = 0
        self.watches = Watches(self.ended.append, self.list)

    def list(self) -> None:
        self.listed += 1


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made, application = Server(), web.Application()
    application.router.add_get(PATH, made.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"{site.name}{PATH}"
    yield made
    await runner.cleanup()


async def get(noted: Noted, server: Server, **query: str) -> int:
    async with (
        aiohttp.ClientSession(middlewares=(noted.watches.over,)) as session,
        session.get(server.url, params=query) as answer,
    ):
        return answer.status


async def watch(noted: Noted, server: Server) -> int:
    return await get(noted, server, watch="true", resourceVersion="7")


async def test_an_expired_version_begins_anew_without_it_and_asks_for_a_listing(server: Server) -> None:
    noted = Noted()
    server.statuses = [410]
    assert await watch(noted, server) == 200
    assert server.asked == ["watch=true&resourceVersion=7", "watch=true"]
    assert noted.listed == 1


@pytest.mark.parametrize("status", [400, 404, 405, 409, 415])
async def test_a_refusal_that_would_end_a_watch_is_like_a_connection_that_failed(server: Server, status: int) -> None:
    noted = Noted()
    server.statuses = [status]
    with pytest.raises(aiohttp.ClientConnectionError):
        await watch(noted, server)
    assert noted.watches.answers == {("WATCH", str(status)): 1}


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
async def test_what_is_tried_again_or_signed_in_for_anew_is_passed_on(server: Server, status: int) -> None:
    noted = Noted()
    server.statuses = [status]
    assert await watch(noted, server) == status


async def test_a_watch_begins_at_a_version_with_a_listing_of_nothing_and_all_is_listed_after_it(server: Server) -> None:
    noted = Noted()
    await get(noted, server, limit="500", labelSelector="streamjob.dev/component")
    assert server.asked == ["limit=500&labelSelector=streamjob.dev/nothing"]
    assert noted.listed == 1
    await watch(noted, server)
    assert noted.listed == 1


async def test_the_end_of_a_watching_task_is_told_and_its_cancellation_is_not(server: Server) -> None:
    noted = Noted()

    async def ends() -> None:
        await watch(noted, server)
        raise RuntimeError("ERROR event")

    async def lasts() -> None:
        await watch(noted, server)
        await asyncio.Event().wait()

    ending, lasting = asyncio.create_task(ends()), asyncio.create_task(lasts())
    await asyncio.wait([ending])
    lasting.cancel()
    await asyncio.wait([lasting])
    assert noted.ended == [f"watch of {PATH} ended: RuntimeError('ERROR event')"]
    assert isinstance(ending.exception(), RuntimeError)


async def test_a_watch_that_is_not_answered_grows_old_beside_one_that_is(server: Server) -> None:
    noted = Noted()
    await watch(noted, server)
    young = noted.watches.oldest_seconds
    server.statuses = [500]
    await asyncio.sleep(0.05)
    await watch(noted, server)
    assert noted.watches.oldest_seconds >= young + 0.05
    await watch(noted, server)
    assert noted.watches.oldest_seconds < 0.05 + young
