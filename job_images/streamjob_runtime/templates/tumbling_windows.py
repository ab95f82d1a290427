"""Folding a micro-batch into tumbling windows: the state holds the open windows themselves."""

import numpy as np
import polars as pl

from streamjob_runtime.templates.arrays import Times
from streamjob_runtime.templates.protocols import BlockStore
from streamjob_runtime.templates.window_plan import WindowPlan
from streamjob_runtime.templates.window_results import window_results
from streamjob_runtime.templates.window_rows import Rows
from streamjob_runtime.templates.window_state import NEVER, Head, load_windows, reindex, save_windows


def fold_windows(
    store: BlockStore, head: Head, before: Times, rows: Rows, plan: WindowPlan
) -> tuple[pl.DataFrame, int]:
    """Merge what a micro-batch brought into the open windows, and write what changed.

    Args:
        store: the state.
        head: with the watermarks of now.
        before: the watermarks from before the micro-batch, by slot.
        rows: what it brought.
        plan: the job's policies.

    Returns:
        The results that are due, and the number of late records.
    """
    is_late = _final_at(rows, plan) <= before[rows.slot]
    new = rows.take(~is_late)
    touched = np.union1d(new.start, _crossed(head, before, plan.latency_ms))
    known = np.intersect1d(touched, head.starts)
    opened = load_windows(store, known.tolist(), has_sums=plan.has_sums)
    windows = Rows.concat([new, *opened]).merged()
    marks = head.marks[windows.slot]
    is_final = _final_at(windows, plan) <= marks
    is_over = _end(windows, plan) <= marks
    is_on_time = is_over & ~is_final & (windows.is_new | ~windows.on_time)
    windows.on_time[is_on_time] = True
    changed = np.unique(windows.start[is_final | is_on_time | windows.is_new])
    still_open = windows.take(~is_final)
    places = still_open.start
    save_windows(store, np.intersect1d(changed, np.union1d(known, places)).tolist(), still_open, places)
    reindex(head, touched, places, plan.sizes_ms[still_open.group])
    head.save(store)
    is_due = is_final | is_on_time
    return window_results(windows.take(is_due), is_final[is_due], head, plan), int(rows.count[is_late].sum())


def _crossed(head: Head, before: Times, latency_ms: int) -> Times:
    """Return the starts of open windows across whose end, or end of latency, a watermark has moved."""
    has_moved = (before != NEVER) & (head.marks > before)
    was, now = np.sort(before[has_moved]), np.sort(head.marks[has_moved])
    crossed = np.zeros(len(head.starts), np.bool_)
    for distance in {0, latency_ms}:
        due = head.starts + head.sizes + distance
        # As many watermarks were below as are now, or more: the difference crossed.
        crossed |= np.searchsorted(was, due) > np.searchsorted(now, due)
    return head.starts[crossed]


def _end(rows: Rows, plan: WindowPlan) -> Times:
    ends: Times = rows.start + plan.sizes_ms[rows.group]
    return ends


def _final_at(rows: Rows, plan: WindowPlan) -> Times:
    return _end(rows, plan) + plan.latency_ms
