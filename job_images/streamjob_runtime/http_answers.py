"""Answers to many requests: equal ones are asked once, and their answers kept a while."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from streamjob_runtime.http_calls import Answer, HttpClient, Request

# Answers that a stage keeps, each of 64 KiB at most; the oldest go first.
MOST_KEPT = 10_000


@dataclass
class HttpAnswers:
    """The answers to one stage's requests.

    Attributes:
        kept_seconds: how long an answer serves equal requests.
        clock: seconds that only go forward.
    """

    client: HttpClient
    kept_seconds: float
    clock: Callable[[], float] = time.monotonic
    _kept: dict[Request, tuple[float, Answer]] = field(default_factory=dict)

    def of(self, requests: Sequence[Request]) -> list[Answer]:
        """Return the answers in the order of the requests; failures are asked anew each time.

        Raises:
            InvalidConfiguration: a host is not allowed.
        """
        now = self.clock()
        self._forget(now)
        answers = {request: self._kept[request][1] for request in requests if request in self._kept}
        asked = [request for request in dict.fromkeys(requests) if request not in answers]
        for request, answer in zip(asked, self.client.ask(asked), strict=True):
            answers[request] = answer
            if answer.cause is None and self.kept_seconds:
                self._kept[request] = (now, answer)
        return [answers[request] for request in requests]

    def _forget(self, now: float) -> None:
        """Drop what is too old, and the oldest where there is too much; it lies in the order of its asking."""
        surplus = len(self._kept) - MOST_KEPT
        for number, (request, (asked_at, _)) in enumerate([*self._kept.items()]):
            if number >= surplus and now - asked_at < self.kept_seconds:
                break
            del self._kept[request]


@lru_cache(maxsize=32)
def answers_of(client: HttpClient, kept_seconds: float) -> HttpAnswers:
    """Return what asks in a way; what it keeps lives from one micro-batch to the next."""
    return HttpAnswers(client, kept_seconds)
