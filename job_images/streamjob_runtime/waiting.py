"""Why the driver waits: what is away, in whose words, and since when."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from streamjob_runtime.faults import DependencyUnavailable

_log = logging.getLogger(__name__)
# How often a call that failed is tried again, at first and at most.
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
DENIED_SECONDS = 300.0


@dataclass(frozen=True)
class Wait:
    """What is waited for, as one word and a sentence."""

    reason: str
    message: str
    since: float


class Interrupted(Exception):  # noqa: N818 (asked for)
    """The driver was told to stop while it waited."""


class Waits:
    """What each part of the driver waits for; shared by its threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._by_part: dict[str, Wait] = {}
        self._lock = threading.Lock()
        self._clock = clock
        self._abort = threading.Event()

    def report(self, part: str, reason: str, message: str) -> None:
        """A part waits; the time of the first report of a reason counts."""
        with self._lock:
            held = self._by_part.get(part)
            is_new = held is None or held.reason != reason
            since = self._clock() if held is None or is_new else held.since
            self._by_part[part] = Wait(reason, message, since)
        if is_new:
            _log.warning("waiting", extra={"part": part, "reason": reason, "detail": message})

    def clear(self, part: str) -> None:
        """A part goes on."""
        with self._lock:
            held = self._by_part.pop(part, None)
        if held is not None:
            seconds = round(self._clock() - held.since, 1)
            _log.info("going on", extra={"part": part, "reason": held.reason, "seconds": seconds})

    def current(self) -> Wait | None:
        """What has been waited for the longest; None when nothing is."""
        with self._lock:
            return min(self._by_part.values(), key=lambda wait: wait.since, default=None)

    def abort(self) -> None:
        """Let every pause end in ``Interrupted``."""
        self._abort.set()

    @property
    def is_aborted(self) -> bool:
        """Whether pauses end in ``Interrupted``."""
        return self._abort.is_set()

    def pause(self, seconds: float) -> None:
        """Wait before trying again.

        Raises:
            Interrupted: the driver is told to stop.
            DependencyUnavailable: see ``refuse_denial``.
        """
        if self._abort.wait(seconds):
            raise Interrupted
        self.refuse_denial()

    def refuse_denial(self) -> None:
        """End a driver that has been denied for minutes: the next one reads the secrets as they are then.

        Raises:
            DependencyUnavailable: in the words of what denied it.
        """
        wait = self.current()
        if wait and wait.reason.endswith("Denied") and self._clock() - wait.since > DENIED_SECONDS:
            raise DependencyUnavailable(f"{wait.reason}: {wait.message}")


def longer(pause_seconds: float) -> float:
    """The next pause after one that was in vain."""
    return min(pause_seconds * 2, LONGEST_PAUSE_SECONDS)
