"""Watching a driver at work: a mark at each commit, memory twice a second; feeding it a round for each micro-batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.driven.driver_session import DriverSession
from benchmarks.driven.feeder import Feeder
from benchmarks.driven.spark_log import SparkLog
from localcluster.progress import Step

_LOOK_SECONDS = 0.02
_MEMORY_SECONDS = 0.5
_PATIENCE_SECONDS = 240.0  # without a commit; a start on a busy machine takes a minute


class Fault(Exception):  # noqa: N818 (what refuses a measurement)
    """The measurement is none, and why."""


@dataclass(frozen=True)
class Mark:
    """What had been done, and what it had taken, when a micro-batch was seen to be committed."""

    batches: int
    messages: int
    seconds: float
    cpu_seconds: float


class Follower:
    """Looks at a driver's checkpoint and processes."""

    def __init__(self, driver: DriverSession, step: Step) -> None:
        self.marks: list[Mark] = []
        self.peak_mib = 0.0
        self._driver, self._step = driver, step
        self._log = SparkLog(driver.job)
        self._began = self._moved = time.monotonic()
        self._memory_at = self._began

    def until(self, messages: int) -> None:
        """Wait until so many messages are committed."""
        self._turn_until(lambda: self.committed >= messages)

    def wait(self, seconds: float) -> None:
        """Watch for a while."""
        end = time.monotonic() + seconds
        self._turn_until(lambda: time.monotonic() >= end)

    def in_step(self, feeder: Feeder, batches: Iterable[Sequence[int]]) -> None:
        """Send rounds for one micro-batch after the other: one waits while the one before it is under way."""
        for rounds in batches:
            self._turn_until(lambda: self._log.planned_messages() >= feeder.sent_messages)
            feeder.send(rounds)
        self.until(feeder.sent_messages)

    @property
    def committed(self) -> int:
        """Messages that were committed when it was looked last."""
        return self.marks[-1].messages if self.marks else 0

    def _turn_until(self, is_reached: Callable[[], bool]) -> None:
        self._look()
        while not is_reached():
            if complaint := self._driver.complaint():
                raise Fault(f"the driver {complaint}")
            if time.monotonic() - self._moved > _PATIENCE_SECONDS:
                raise Fault(f"no commit for {_PATIENCE_SECONDS:.0f} s, after {self.committed:,} messages")
            time.sleep(_LOOK_SECONDS)
            self._look()

    def _look(self) -> None:
        reached, now = self._log.committed(), time.monotonic()
        if reached.batches > (self.marks[-1].batches if self.marks else 0):
            seconds = now - self._began
            self.marks.append(Mark(reached.batches, reached.messages, seconds, self._driver.cpu_seconds()))
            self._moved = now
            self._step.note(f"{reached.messages:,} messages in {reached.batches} micro-batches")
        if now >= self._memory_at:
            self._driver.cpu_seconds()  # takes note of processes that may end before the next commit
            self.peak_mib = max(self.peak_mib, self._driver.memory_mib())
            self._memory_at = now + _MEMORY_SECONDS


@dataclass(frozen=True)
class Steady:
    """What messages cost between two marks.

    Attributes:
        cpu: CPU seconds per million messages.
        rate: messages a second.
        per_key: messages per key and micro-batch.
    """

    messages: int
    batches: int
    cpu: float
    rate: int
    per_key: float


def steady(marks: Sequence[Mark], after: int, until: int, keys: int) -> Steady:
    """The cost between the first mark at ``after`` messages or beyond, and the last one up to ``until``.

    Raises:
        Fault: there are no two such marks.
    """
    between = [mark for mark in marks if after <= mark.messages <= until]
    if len(between) < 2:
        raise Fault(f"too few micro-batches between {after:,} and {until:,} messages to measure: send more")
    first, last = between[0], between[-1]
    messages, batches = last.messages - first.messages, last.batches - first.batches
    return Steady(
        messages=messages,
        batches=batches,
        cpu=round((last.cpu_seconds - first.cpu_seconds) / messages * 1e6, 2),
        rate=round(messages / (last.seconds - first.seconds)),
        per_key=round(messages / batches / keys, 2),
    )
