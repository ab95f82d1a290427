"""Folding a micro-batch into tumbling windows: the state holds the open windows themselves."""

import numpy as np
import polars as pl

from streamjob_runtime.templates.arrays import Times
from streamjob_runtime.templates.protocols import BlockStore
from streamjob_runtime.templates.window_marks import Watermarks
from streamjob_runtime.templates.window_plan import WindowPlan
from streamjob_runtime.templates.window_results import window_results
from streamjob_runtime.templates.window_rows import Rows
from streamjob_runtime.templates.window_state import Head, Index, load_rows, save_rows


def fold_windows(
    store: BlockStore, head: Head, marks: Watermarks, rows: Rows, plan: WindowPlan
) -> tuple[pl.DataFrame, int]:
    """Merge what a micro-batch brought into the open windows, and write what changed.

    Args:
        store: the state.
        head: its index of windows is brought up to date.
        marks: the watermarks from before the micro-batch, and of now.
        rows: what it brought.
        plan: the job's policies.

    Returns:
        The results that are due, and the number of late records.
    """
    index = head.windows
    is_late = plan.ends(rows) <= marks.final_before(rows)
    new = rows.take(~is_late)
    touched = np.union1d(new.start, _crossed(index, marks))
    known = np.intersect1d(touched, index.starts)
    opened = load_rows(store, index, known.tolist(), has_sums=plan.has_sums)
    windows = Rows.concat([new, *opened]).merged()
    ends = plan.ends(windows)
    is_final = ends <= marks.final(windows)
    is_over = ends <= marks.now[windows.slot]
    is_on_time = is_over & ~is_final & (windows.is_new | ~windows.is_settled)
    windows.is_settled[is_on_time] = True
    changed = np.unique(windows.start[is_final | is_on_time | windows.is_new])
    still_open = windows.take(~is_final)
    places = still_open.start
    save_rows(store, index, np.intersect1d(changed, np.union1d(known, places)).tolist(), still_open, places)
    index.update(touched, places, plan.sizes_ms[still_open.group])
    is_due = is_final | is_on_time
    return window_results(windows.take(is_due), is_final[is_due], head, plan), int(rows.count[is_late].sum())


def _crossed(index: Index, marks: Watermarks) -> Times:
    """Return the starts of open windows across whose end, or end of latency, a watermark has moved."""
    was, now = (np.sort(times) for times in marks.moved())
    crossed = np.zeros(len(index.starts), np.bool_)
    for distance in {0, marks.latency_ms}:
        due = index.starts + index.sizes + distance
        # As many watermarks were below as are now, or more: the difference crossed.
        crossed |= np.searchsorted(was, due) > np.searchsorted(now, due)
    return index.starts[crossed]
