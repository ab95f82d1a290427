"""Sliding windows, put together from panes: which of them are due, and what they hold.

A *pane* is ``[start, start + slide)``; a window is as many panes as its size has slides, so that the windows of a pane
end at each slide from ``start + slide`` to ``start + size``. Each window that is due reads its panes once; nothing is
kept for a window that is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from streamjob_runtime.templates.arrays import NEVER, Flags, Places, Slots, Times
from streamjob_runtime.templates.ranges import each_of
from streamjob_runtime.templates.running_maximum import earlier_maximum
from streamjob_runtime.templates.window_plan import WindowPlan
from streamjob_runtime.templates.window_rows import Rows


@dataclass(frozen=True)
class Panes:
    """Panes of one micro-batch.

    Attributes:
        rows: what they hold; ``start`` is the pane's, or of a record its time.
        missed: how many of the first windows of its pane a row does not count in: it came too late for them.
        until: in how many of the first windows of its pane it counts at most: in the others something replaces it.
    """

    rows: Rows
    missed: NDArray[np.int32]
    until: NDArray[np.int32]

    @classmethod
    def whole(cls, rows: Rows, plan: WindowPlan) -> Self:
        """Return rows that count in every window of their pane."""
        return cls(rows, np.zeros(len(rows.slot), np.int32), plan.overlaps[rows.group])

    def take(self, index: Places | Flags) -> "Panes":
        """Return some of the panes."""
        return Panes(self.rows.take(index), self.missed[index], self.until[index])

    def ends(self, plan: WindowPlan) -> tuple[Times, Times]:
        """Return the ends of the first and the last window that each row counts in."""
        slide = plan.slides_ms[self.rows.group]
        pane = self.rows.start // slide * slide
        return pane + (self.missed + 1) * slide, pane + self.until * slide


@dataclass(frozen=True)
class Ends:
    """Ends of windows, from ``low`` to ``high`` in steps of the slide, of one asset, input and group each."""

    slot: Slots
    group: Slots
    low: Times
    high: Times

    @classmethod
    def concat(cls, parts: "Sequence[Ends]") -> Self:
        """Put ends one after the other."""
        names = cls.__dataclass_fields__
        return cls(**{name: np.concatenate([getattr(ends, name) for ends in parts]) for name in names})

    def take(self, index: Places | Flags) -> "Ends":
        """Return some of the ends, by position or by mask."""
        return Ends(self.slot[index], self.group[index], self.low[index], self.high[index])

    def series(self, plan: WindowPlan) -> Times:
        """Number asset, input and group."""
        return _series(self.slot, self.group, plan)


def reached(panes: Panes, after: Times, until: Times, plan: WindowPlan) -> Ends:
    """Return which windows that each pane counts in end in ``(after, until]``; nothing for a pane of none."""
    rows, slide = panes.rows, plan.slides_ms[panes.rows.group]
    first, last = panes.ends(plan)
    low = np.maximum(first, (after // slide + 1) * slide)
    high = np.minimum(last, until // slide * slide)
    return Ends(rows.slot, rows.group, low, high).take(low <= high)


def each_once(ends: Ends, plan: WindowPlan) -> Ends:
    """Return every single end, by asset, input and group, then time; ``low`` is ``high``."""
    if not len(ends.slot):
        return ends
    ends = ends.take(np.lexsort((ends.low, ends.series(plan))))
    _, series = np.unique(ends.series(plan), return_inverse=True)
    covered = earlier_maximum(series.astype(np.int32), ends.high, np.full(series[-1] + 1, NEVER))
    slide = plan.slides_ms[ends.group]
    low = np.maximum(ends.low, covered + slide)
    row, step = each_of(np.zeros(len(low), np.intp), (ends.high - low) // slide + 1)
    end = low[row] + step * slide[row]
    return Ends(ends.slot[row], ends.group[row], end, end)


def windows_of(due: Ends, whole: Rows, cut: Panes, plan: WindowPlan) -> Rows:
    """Put windows together.

    Args:
        due: the windows, as ``each_once`` gives them.
        whole: panes that count in all windows that are due, one row for each asset, input, group and start; those of
            an asset, input and group are by time.
        cut: panes that do not count in all windows that are due.

    Returns:
        The windows that hold anything; those of an asset, input and group are by time.
    """
    windows = _gathered(due, whole, plan)
    if not len(cut.missed):
        return windows
    return Rows.concat([windows, _scattered(due, cut, plan)]).merged()


def _gathered(due: Ends, panes: Rows, plan: WindowPlan) -> Rows:
    """Merge for each window its panes, which lie side by side."""
    order = np.argsort(_series(panes.slot, panes.group, plan), kind="stable")
    panes = panes.take(np.append(order, order[:1]))  # One more, since the end of the last window must be a place too.
    count, start = len(order), due.high - plan.sizes_ms[due.group]
    line = _Line.of(_series(panes.slot, panes.group, plan)[:count], panes.start[:count])
    begin, end = line.between(due.series(plan), start, due.high)
    holds = begin < end
    if not holds.any():
        return panes.take(np.empty(0, np.intp))
    # Every other stretch is a window; between them is what lies from the end of one to the begin of the next.
    places = np.stack([begin[holds], end[holds]], axis=1).ravel()
    return replace(panes.reduced(places).take(np.arange(0, len(places), 2)), start=start[holds])


def _scattered(due: Ends, cut: Panes, plan: WindowPlan) -> Rows:
    """Repeat each pane for each of its windows that it counts in."""
    rows, (low, high) = cut.rows, cut.ends(plan)
    line = _Line.of(due.series(plan), due.high)
    row, window = each_of(*line.between(_series(rows.slot, rows.group, plan), low, high + 1))
    return replace(rows.take(row), start=due.high[window] - plan.sizes_ms[due.group[window]])


def _series(slot: Slots, group: Slots, plan: WindowPlan) -> Times:
    return slot.astype(np.int64) * len(plan.groups) + group


@dataclass(frozen=True)
class _Line:
    """Places of times in a sequence that is sorted by series, then time."""

    times: Times
    keys: Times

    @classmethod
    def of(cls, series: Times, time: Times) -> Self:
        times, rank = np.unique(time, return_inverse=True)
        # By the rank of its time, not the time itself, a key cannot overflow.
        return cls(times, series * len(times) + rank)

    def between(self, series: Times, low: Times, high: Times) -> tuple[Places, Places]:
        """Return the places of the times in ``[low, high)``."""
        count = len(self.times)
        begin, end = (series * count + np.searchsorted(self.times, time) for time in (low, high))
        return np.searchsorted(self.keys, begin), np.searchsorted(self.keys, end)
