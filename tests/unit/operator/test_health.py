"""What liveness says, asked over HTTP; and when an operator is deaf."""

from __future__ import annotations

import socket

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from streamjob_operator.health import Check, HealthServer
from streamjob_operator.service import Operator
from streamjob_operator.settings import Settings
from streamjob_operator.watches import Watches


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def asked(seconds: float, *, ready: bool, path: str) -> tuple[int, str]:
    port = free_port()
    checks = [Check(lambda: seconds, 30, "the loop is {seconds:.0f} s late"), Check(lambda: 0.0, 30, "never")]
    server = HealthServer(("127.0.0.1", port), CollectorRegistry(), checks, lambda: ready)
    await server.start()
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, await answer.text()
    finally:
        await server.stop()


@pytest.mark.parametrize(
    ("seconds", "answer"), [(0, (200, "ok\n")), (30, (200, "ok\n")), (31, (500, "the loop is 31 s late\n"))]
)
async def test_what_is_past_its_limit_is_not_healthy_and_says_why(seconds: float, answer: tuple[int, str]) -> None:
    assert await asked(seconds, ready=True, path="/healthz") == answer


async def test_readiness_is_the_first_listing() -> None:
    assert await asked(0, ready=False, path="/readyz") == (503, "the first listing is not complete\n")
    assert await asked(0, ready=True, path="/readyz") == (200, "ok\n")


@pytest.mark.parametrize(
    ("oldest", "newest", "deaf"),
    [
        (300.0, 10.0, 300.0),  # one watch is dead, another one was answered
        (300.0, 300.0, 0.0),  # the API server answers nobody: starting anew would not help
        (100.0, 10.0, 100.0),  # within the time between two questions
    ],
)
async def test_an_operator_is_deaf_only_while_the_api_server_answers(
    monkeypatch: pytest.MonkeyPatch, oldest: float, newest: float, deaf: float
) -> None:
    monkeypatch.setattr(Watches, "oldest_seconds", oldest)
    monkeypatch.setattr(Watches, "newest_seconds", newest)
    assert Operator(Settings(), lambda: None)._deaf_seconds() == deaf
