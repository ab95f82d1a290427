"""Closing the windows of assets that have been silent for too long."""

import numpy as np
import polars as pl

from streamjob_runtime.templates.arrays import NEVER, Slots
from streamjob_runtime.templates.protocols import RESULTS, BlockStore
from streamjob_runtime.templates.silence import silent
from streamjob_runtime.templates.window_closing import close_windows
from streamjob_runtime.templates.window_marks import Watermarks
from streamjob_runtime.templates.window_plan import WindowPlan
from streamjob_runtime.templates.window_results import window_results
from streamjob_runtime.templates.window_rows import Rows
from streamjob_runtime.templates.window_state import Head


def note_arrivals(head: Head, slots: Slots, rows: Rows, marks: Watermarks, now_ms: int, plan: WindowPlan) -> None:
    """Note that something came from these slots, and the windows that it may have opened."""
    head.arrivals[slots] = now_ms
    ends = plan.ends(rows)
    np.maximum.at(head.latest, rows.slot, np.where(ends > marks.final(rows), ends, NEVER))


def forget_past(head: Head, plan: WindowPlan) -> None:
    """Forget of windows what the watermarks say as well."""
    head.latest[head.latest + plan.latency_ms <= head.marks] = NEVER
    head.closed[head.closed + plan.latency_ms <= head.marks[:, np.newaxis]] = NEVER


def close_silent(store: BlockStore, head: Head, now_ms: int, timeout_ms: int, plan: WindowPlan) -> pl.DataFrame:
    """Close what is open of silent slots; returns RESULTS, all of them final."""
    _expect_arrivals(head, now_ms, plan)
    is_silent, head.arrivals = silent(head.arrivals, now_ms, timeout_ms)
    is_closed = is_silent & (head.latest != NEVER)
    if not is_closed.any():
        return RESULTS.to_frame()
    windows = close_windows(store, head, is_closed, plan)
    np.maximum.at(head.closed, (windows.slot, windows.group), plan.ends(windows))
    head.latest[is_closed] = NEVER
    return window_results(windows, np.ones(len(windows.slot), np.bool_), head, plan)


def _expect_arrivals(head: Head, now_ms: int, plan: WindowPlan) -> None:
    """Begin to count the silence of slots that are in a state from before there was an idle timeout."""
    unknown = head.arrivals == NEVER
    if unknown.any():
        head.arrivals[unknown] = now_ms
        starts = np.concatenate([head.windows.starts, head.records.starts, [NEVER]])
        furthest = starts.max() + int((plan.sizes_ms + plan.of_records.buckets_ms + plan.buckets_ms).max())
        head.latest[unknown] = furthest if len(starts) > 1 else NEVER


def deadline(head: Head, timeout_ms: int | None) -> int | None:
    """When the first asset that has something open will have been silent for too long."""
    waiting = head.arrivals[head.latest != NEVER]
    return int(waiting.min()) + timeout_ms if timeout_ms is not None and len(waiting) else None
