"""Answers to many requests: equal ones are asked once, and their answers kept a while."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cachetools import TTLCache

from streamjob_runtime.http_calls import HttpClient
from streamjob_runtime.templates.hosts import Answer, Asking, Request

# Answers that are kept for stages that ask alike, each of 64 KiB at most; those not asked for the longest go first.
MOST_KEPT = 10_000


@dataclass
class HttpHosts:
    """The hosts that are allowed, with what they answered.

    Attributes:
        clock: seconds that only go forward.
    """

    client: HttpClient
    clock: Callable[[], float] = time.monotonic
    _kept: dict[Asking, TTLCache[Request, Answer]] = field(default_factory=dict)

    def ask(self, requests: Sequence[Request], asking: Asking) -> list[Answer]:
        """Return the answers in the order of the requests; failures are asked anew each time.

        Raises:
            InvalidConfiguration: a host is not allowed.
            Interrupted: the driver is told to stop, and a request would have to be made again.
        """
        kept = self._kept.setdefault(asking, TTLCache(MOST_KEPT, asking.kept_seconds, self.clock))
        distinct = dict.fromkeys(requests)
        answers = {request: answer for request in distinct if (answer := kept.get(request))}
        asked = [request for request in distinct if request not in answers]
        found = dict(zip(asked, self.client.ask(asked, asking), strict=True))
        kept.update({request: answer for request, answer in found.items() if answer.cause is None})
        answers |= found
        return [answers[request] for request in requests]
