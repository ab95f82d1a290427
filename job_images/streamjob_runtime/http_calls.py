"""Requests to hosts that the StreamResource allows: each ends in time, and is never led elsewhere."""

import base64
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from streamjob_api.permissions import HttpCalls
from streamjob_runtime.faults import InvalidConfiguration
from streamjob_runtime.waiting import FIRST_PAUSE_SECONDS, Waits, longer

LARGEST_ANSWER = 64 * 1024
_TOO_MANY_REQUESTS, _FIRST_OF_SERVER = 429, 500


class CallFailed(Exception):  # noqa: N818 (a result like any other)
    """A request that gave nothing; its text is the cause, without the address or any secret."""

    def __init__(self, cause: str, *, may_pass: bool = False) -> None:
        super().__init__(cause)
        self.may_pass = may_pass


@dataclass(frozen=True)
class Request:
    """What is asked; equal ones have the same answer."""

    method: str
    url: str
    body: bytes | None = None


@dataclass
class HttpClient:
    """Asks one request at a time; threads may share it.

    Attributes:
        allowed: hosts that may be asked.
        timeout_seconds: time for the request and its whole answer; connecting and agreeing on TLS have as much again,
            each, and the look-up of a name has the system's.
        retries: further attempts where a request may pass later.
        auth_dir: folder of the secret's files, read for each attempt.
        waits: whose abort ends the pauses.
    """

    allowed: HttpCalls | None
    timeout_seconds: float
    retries: int
    auth_dir: Path
    waits: Waits = field(default_factory=Waits)

    def ask(self, request: Request) -> Any:
        """Return the JSON document that a request is answered with.

        Raises:
            InvalidConfiguration: the host is not allowed.
            CallFailed: it gave nothing, in the last attempt.
            Interrupted: the driver is told to stop meanwhile.
        """
        if self.allowed is None or not self.allowed.allows(request.url):
            raise InvalidConfiguration("a stage asks a host that spec.pipelines.http.hosts does not list; ask for it")
        pause = FIRST_PAUSE_SECONDS
        for _ in range(self.retries):
            try:
                return self._attempt(request)
            except CallFailed as failed:
                if not failed.may_pass:
                    raise
            self.waits.pause(pause)
            pause = longer(pause)
        return self._attempt(request)

    def _attempt(self, request: Request) -> Any:
        is_late = threading.Event()
        try:
            with closing(self._connection(request.url)) as connection:
                connection.connect()
                with _ended(connection.sock, self.timeout_seconds, is_late):
                    status, content = self._exchange(connection, request)
        except (OSError, http.client.HTTPException) as error:
            if is_late.is_set() or isinstance(error, TimeoutError):
                raise CallFailed(f"did not answer within {self.timeout_seconds:g} s", may_pass=True) from None
            raise CallFailed("could not be reached", may_pass=True) from None
        except ValueError:
            raise CallFailed("could not be asked: its secret cannot be sent") from None
        # A connection that was cut looks like the end of an answer without a length.
        if is_late.is_set():
            raise CallFailed(f"did not answer within {self.timeout_seconds:g} s", may_pass=True)
        return _document(status, content)

    def _connection(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, parts.port, timeout=self.timeout_seconds)
        authority = self.auth_dir / "ca.crt"
        trusted = ssl.create_default_context(cafile=str(authority) if authority.exists() else None)
        return http.client.HTTPSConnection(host, parts.port, timeout=self.timeout_seconds, context=trusted)

    def _exchange(self, connection: http.client.HTTPConnection, request: Request) -> tuple[int, bytes]:
        parts = urlsplit(request.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Accept": "application/json", **self._authorization()}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        connection.request(request.method, target, request.body, headers)
        with connection.getresponse() as answer:
            return answer.status, answer.read(LARGEST_ANSWER + 1)

    def _authorization(self) -> dict[str, str]:
        """Return the header of the secret as it is now; none where it has neither a token nor a name."""
        if token := self._secret("token"):
            return {"Authorization": f"Bearer {token}"}
        if name := self._secret("username"):
            pair = base64.b64encode(f"{name}:{self._secret('password')}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        return {}

    def _secret(self, key: str) -> str:
        path = self.auth_dir / key
        return path.read_text().strip() if path.exists() else ""


@contextmanager
def _ended(connected: socket.socket, seconds: float, is_late: threading.Event) -> Iterator[None]:
    """Cut a connection after some time: a socket's own timeout begins anew with every byte."""

    def cut() -> None:
        is_late.set()
        # That of a TLS socket would pull away what the other thread is reading from.
        with suppress(OSError):
            socket.socket.shutdown(connected, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _document(status: int, content: bytes) -> Any:
    if not http.client.OK <= status < http.client.MULTIPLE_CHOICES:
        may_pass = status == _TOO_MANY_REQUESTS or status >= _FIRST_OF_SERVER
        raise CallFailed(f"answered {status}", may_pass=may_pass)
    if len(content) > LARGEST_ANSWER:
        raise CallFailed("answer is longer than 64 KiB")
    try:
        return json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise CallFailed("answer is no JSON") from None


def _no_number(name: str) -> Any:
    raise ValueError(name)
