"""Answers to many requests: equal ones are asked once, several at a time, and kept a while."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from streamjob_api.job_file import HTTP_AUTH_DIR
from streamjob_api.permissions import HttpCalls
from streamjob_runtime.http_calls import CallFailed, HttpClient, Request

# Answers that a stage keeps, each of 64 KiB at most; the oldest go first.
MOST_KEPT = 10_000


@dataclass(frozen=True)
class Setting:
    """How a stage asks.

    Attributes:
        hosts: that may be asked.
        timeout_seconds, retries: of each request; see HttpClient.
        parallelism: requests under way at once.
        kept_seconds: how long an answer serves equal requests.
    """

    hosts: tuple[str, ...]
    timeout_seconds: float
    retries: int
    parallelism: int
    kept_seconds: float


@dataclass(frozen=True)
class Answer:
    """What came of a request.

    Attributes:
        document: JSON; None where there is none.
        cause: why there is none, without the address or any secret.
    """

    document: Any = None
    cause: str | None = None


@dataclass
class HttpAnswers:
    """The answers to one stage's requests.

    Attributes:
        clock: seconds that only go forward.
    """

    setting: Setting
    client: HttpClient
    clock: Callable[[], float] = time.monotonic
    _kept: dict[Request, tuple[float, Answer]] = field(default_factory=dict)

    def of(self, requests: Sequence[Request]) -> list[Answer]:
        """Return the answers in the order of the requests; failures are asked anew each time.

        Raises:
            InvalidConfiguration: a host is not allowed.
            Interrupted: the driver is told to stop meanwhile.
        """
        now = self.clock()
        self._forget(now)
        answers = {request: self._kept[request][1] for request in requests if request in self._kept}
        asked = [request for request in dict.fromkeys(requests) if request not in answers]
        with ThreadPoolExecutor(self.setting.parallelism) as pool:
            for request, answer in zip(asked, pool.map(self._ask, asked), strict=True):
                answers[request] = answer
                if answer.cause is None and self.setting.kept_seconds:
                    self._kept[request] = (now, answer)
        return [answers[request] for request in requests]

    def _ask(self, request: Request) -> Answer:
        try:
            return Answer(self.client.ask(request))
        except CallFailed as failed:
            return Answer(cause=f"the host {failed}")

    def _forget(self, now: float) -> None:
        """Drop what is too old, and the oldest where there is too much; it lies in the order of its asking."""
        surplus = len(self._kept) - MOST_KEPT
        for number, (request, (asked_at, _)) in enumerate([*self._kept.items()]):
            if number >= surplus and now - asked_at < self.setting.kept_seconds:
                break
            del self._kept[request]


@lru_cache(maxsize=32)
def answers_of(setting: Setting) -> HttpAnswers:
    """Return what asks in a way; what it keeps lives from one micro-batch to the next."""
    allowed = HttpCalls(hosts=[*setting.hosts]) if setting.hosts else None
    client = HttpClient(allowed, setting.timeout_seconds, setting.retries, Path(HTTP_AUTH_DIR))
    return HttpAnswers(setting, client)
