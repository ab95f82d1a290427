"""Records that replace each other: of those with one time of an asset and input, the last to arrive counts.

A replaced record is as if it had never been. What replaces it is judged by the threshold for itself; where that shuts
it out, nothing is left at this time, but the place is remembered (a row with a count of 0), so that a window from which
its only value was taken back says so. A record outside the threshold that replaces nothing leaves no trace.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streamjob_runtime.templates.arrays import Flags, Places
from streamjob_runtime.templates.sliding_windows import Merged
from streamjob_runtime.templates.window_panes import Panes
from streamjob_runtime.templates.window_plan import WindowPlan
from streamjob_runtime.templates.window_rows import Rows


def merged_records(opened: Sequence[Rows], brought: Panes, passed: NDArray[np.int32], plan: WindowPlan) -> Merged:
    """Merge records; those brought are in the order of their arrival.

    A record counts in the windows from the first one that it is in time for, to before the first one that the next
    record at its time is in time for.
    """
    overlap = plan.overlaps[brought.rows.group]
    missed = np.maximum(brought.missed, passed)
    in_time = missed < overlap
    before = Rows.concat([*opened, brought.rows.take(np.empty(0, np.intp))])
    rows = Rows.concat([before, brought.rows.take(in_time)])
    missed = np.concatenate([np.zeros(len(before.slot), np.int32), missed[in_time]])
    passed = np.concatenate([np.zeros(len(before.slot), np.int32), passed[in_time]])
    order = np.lexsort((rows.is_settled, rows.start, rows.group, rows.slot))
    rows, missed, passed = rows.take(order), missed[order], passed[order]
    is_first = _first_of_their_time(rows)
    until = plan.overlaps[rows.group]
    is_replaced = np.append(~is_first[1:], False)[: len(is_first)]
    until[is_replaced] = missed[1:][is_replaced[:-1]]
    counts = (until > missed) & _after_a_value(rows, is_first)
    panes = Panes(rows, missed, until)
    is_whole = (missed == passed) & ~is_replaced
    return Merged(rows.take(counts & is_whole), panes.take(counts & ~is_whole), rows.take(counts & ~is_replaced))


def _first_of_their_time(rows: Rows) -> Flags:
    """Whether a row is the first at its place; rows are sorted by place."""
    names = ("slot", "group", "start", "is_settled")
    same = np.logical_and.reduce([getattr(rows, name)[1:] == getattr(rows, name)[:-1] for name in names])
    return np.append(True, ~same)[: len(rows.slot)]


def _after_a_value(rows: Rows, is_first: Flags) -> Flags:
    """Whether a row is a value or has one before it at its place."""
    numbers = np.arange(len(rows.slot))
    latest: Places = np.maximum.accumulate(np.where((rows.count > 0) | ~rows.is_new, numbers, -1))
    first: Places = np.maximum.accumulate(np.where(is_first, numbers, 0))
    after: Flags = latest >= first
    return after
