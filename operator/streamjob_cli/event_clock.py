"""A clock that goes with the records: their highest event time so far, since a file tells no time of arrival."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl

from streamjob_runtime.templates import Folded
from streamjob_runtime.templates.arrays import Places, Times

# Ticks between two records, or between the last one and the end: a day of one a second is less.
MOST_TICKS = 100_000


class TooManyTicks(Exception):  # noqa: N818 (what there is)
    """The clock is to go so far at once that more ticks are due than are made.

    Attributes:
        begin_ms, end_ms: from where to where.
        message: the one that it goes on to; None: it goes to the end.
        most: how many ticks are made.
    """

    def __init__(self, begin_ms: int, end_ms: int, message: int | None) -> None:
        self.most = MOST_TICKS
        super().__init__(f"more than {self.most:,} ticks from {begin_ms} to {end_ms}")
        self.begin_ms = begin_ms
        self.end_ms = end_ms
        self.message = message


class Fold(Protocol):
    """Folds points, or ticks without any, at a time of the clock."""

    def __call__(self, points: pl.DataFrame | None, now_ms: int) -> Folded:
        """Return what the template gave."""
        ...


@dataclass
class EventClock:
    """Runs a template that uses the clock, as if every message were a micro-batch of its own and ticks came in time.

    A deadline that a message reaches ticks before it is folded. Messages that leave the clock where it is are folded
    at once, and so are those up to the deadline where the template says that the clock makes no difference.

    Attributes:
        now_ms: the clock.
    """

    fold: Fold
    now_ms: int = 0
    _deadline: int | None = None
    _is_steady: bool = False

    def take(self, points: pl.DataFrame) -> Iterator[Folded]:
        """Fold points (``Decoded.points``), with the ticks that are due before each.

        Raises:
            TooManyTicks: a message's time lies too far ahead.
        """
        if points.is_empty():
            return
        begins, clocks = _clocks(points, self.now_ms)
        ends = np.append(begins[1:], points.height)
        message = 0
        while message < len(clocks):
            yield from self.tick_until(int(clocks[message]), int(points["message"][int(begins[message])]))
            after = int(np.searchsorted(clocks, self._end_of_group(int(clocks[message]))))
            self.now_ms = int(clocks[after - 1])
            yield self._noted(self.fold(points[int(begins[message]) : int(ends[after - 1])], self.now_ms))
            message = after

    def _end_of_group(self, clock: int) -> int:
        """The first time of the clock that needs a fold of its own."""
        return self._deadline if self._is_steady and self._deadline is not None else clock + 1

    def tick_until(self, now_ms: int, message: int | None = None) -> Iterator[Folded]:
        """Make the ticks that are due up to a time, that of a message if one is given, one after the other.

        Raises:
            TooManyTicks: there are too many.
        """
        begin_ms, made = self.now_ms, 0
        while self._deadline is not None and self._deadline <= now_ms:
            if made == MOST_TICKS:
                raise TooManyTicks(begin_ms, now_ms, message)
            made += 1
            self.now_ms = self._deadline
            yield self._noted(self.fold(None, self.now_ms))
        self.now_ms = max(self.now_ms, now_ms)

    def _noted(self, folded: Folded) -> Folded:
        self._deadline, self._is_steady = folded.deadline, folded.is_steady
        return folded


def _clocks(points: pl.DataFrame, so_far_ms: int) -> tuple[Places, Times]:
    """Return where each message's points begin, and the clock with that message."""
    messages, times = points["message"].to_numpy(), points["time"].to_numpy()
    begins = np.append(np.intp(0), np.flatnonzero(np.diff(messages)) + 1)
    highest = np.maximum.reduceat(times, begins)
    return begins, np.maximum.accumulate(np.maximum(highest, so_far_ms))
