"""Requests to hosts that the StreamResource allows: each ends in time, and is never led elsewhere."""

import asyncio
import json
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from streamjob_api.permissions import HttpCalls
from streamjob_runtime.faults import InvalidConfiguration
from streamjob_runtime.templates.hosts import NOT_LISTED, Answer, Asking, Request
from streamjob_runtime.waiting import FIRST_PAUSE_SECONDS, Interrupted, longer

LARGEST_ANSWER = 64 * 1024
# Not packed, so that the limit holds for what is read.
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}


class _Failed(Exception):  # noqa: N818 (a result like any other)
    """An attempt that gave nothing; its text is the cause."""

    def __init__(self, cause: str, *, may_pass: bool = False) -> None:
        super().__init__(cause)
        self.may_pass = may_pass


@dataclass(frozen=True)
class HttpClient:
    """Asks several requests at a time; connections serve one after the other, until all are answered.

    Attributes:
        allowed: hosts that may be asked.
        auth_dir: folder of the secret's files, read for each call of ``ask``; None: there is no secret.
        is_stop_asked: whether to give up what does not pass at once.
    """

    allowed: HttpCalls
    auth_dir: Path | None
    is_stop_asked: Callable[[], bool]

    def ask(self, requests: Sequence[Request], asking: Asking) -> list[Answer]:
        """Return what each request is answered with, in their order.

        Raises:
            InvalidConfiguration: a host is not allowed; then none is asked.
            Interrupted: the driver is told to stop, and a request would have to be made again.
        """
        if not all(self.allowed.allows(request.url) for request in requests):
            raise InvalidConfiguration(NOT_LISTED)
        return asyncio.run(self._answers(requests, asking)) if requests else []

    async def _answers(self, requests: Sequence[Request], asking: Asking) -> list[Answer]:
        answers = [Answer()] * len(requests)
        waiting = iter(enumerate(requests))

        async def ask_in_turn(session: aiohttp.ClientSession) -> None:
            for place, request in waiting:
                answers[place] = await self._answer(session, request, asking)

        try:
            trusted, headers = self._trusted(), _HEADERS | self._authorization()
        except (OSError, ValueError):
            return [Answer(cause="could not be asked: its secret cannot be read")] * len(requests)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=trusted),
            timeout=aiohttp.ClientTimeout(total=asking.timeout_seconds),
            headers=headers,
            skip_auto_headers=["User-Agent"],
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        ) as session:
            await asyncio.gather(*(ask_in_turn(session) for _ in range(min(asking.parallelism, len(requests)))))
        return answers

    async def _answer(self, session: aiohttp.ClientSession, request: Request, asking: Asking) -> Answer:
        """Return the answer of the last attempt."""
        pauses = _pauses(asking.retries)
        while True:
            try:
                return Answer(await _attempt(session, request))
            except _Failed as failed:
                pause = next(pauses, None)
                if pause is None or not failed.may_pass:
                    return Answer(cause=str(failed))
            if self.is_stop_asked():
                raise Interrupted
            await asyncio.sleep(pause)

    def _trusted(self) -> ssl.SSLContext | bool:
        authority = self._secret("ca.crt")
        return ssl.create_default_context(cadata=authority) if authority else True

    def _authorization(self) -> dict[str, str]:
        """Return the header of the secret as it is now; none where it has neither a token nor a name."""
        if token := self._secret("token"):
            return {"Authorization": f"Bearer {token}"}
        if name := self._secret("username"):
            return {"Authorization": aiohttp.encode_basic_auth(name, self._secret("password"), "utf-8")}
        return {}

    def _secret(self, key: str) -> str:
        path = self.auth_dir / key if self.auth_dir else None
        return path.read_text().strip() if path and path.exists() else ""


async def _attempt(session: aiohttp.ClientSession, request: Request) -> Any:
    headers = {} if request.body is None else {"Content-Type": "application/json"}
    try:
        async with session.request(
            request.method, _address(request.url), data=request.body, headers=headers, allow_redirects=False
        ) as answer:
            content = await _content(answer.content)
    except TimeoutError:
        raise _Failed(f"did not answer within {session.timeout.total:g} s", may_pass=True) from None
    except (aiohttp.ClientError, OSError):
        raise _Failed("could not be reached", may_pass=True) from None
    except ValueError:
        raise _Failed("could not be asked: its secret cannot be sent") from None
    return _document(answer.status, content)


def _pauses(retries: int) -> Iterator[float]:
    pause = FIRST_PAUSE_SECONDS
    for _ in range(retries):
        yield pause
        pause = longer(pause)


def _address(url: str) -> URL:
    """Return an address whose host is read as where it was compared with those that are allowed."""
    parts = urlsplit(url)
    return URL.build(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=parts.port,
        path=parts.path or "/",
        query_string=parts.query,
        encoded=True,
    )


async def _content(stream: aiohttp.StreamReader) -> bytes:
    """Return an answer's content, or as much as shows that it is too long."""
    try:
        return await stream.readexactly(LARGEST_ANSWER + 1)
    except asyncio.IncompleteReadError as whole:
        return whole.partial


def _document(status: int, content: bytes) -> Any:
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        may_pass = status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        raise _Failed(f"answered {status}", may_pass=may_pass)
    if len(content) > LARGEST_ANSWER:
        raise _Failed("answered with more than 64 KiB")
    try:
        return json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _Failed("answered with no JSON") from None


def _no_number(name: str) -> Any:
    raise ValueError(name)
