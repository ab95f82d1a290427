"""Folding a micro-batch into sliding windows: the state holds panes, which windows are put together from when due.

Rows that came too late for some windows of their pane must not count in these, but they may where they are merged into
the state: the windows that a row missed are final by then, and no window is put together again after it is final.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streamjob_runtime.templates.arrays import Flags, Times
from streamjob_runtime.templates.protocols import BlockStore
from streamjob_runtime.templates.window_panes import Ends, Panes, each_once, reached, windows_of
from streamjob_runtime.templates.window_plan import WindowPlan
from streamjob_runtime.templates.window_results import window_results
from streamjob_runtime.templates.window_rows import Rows
from streamjob_runtime.templates.window_state import NEVER, Head, load_windows, reindex, save_windows


def fold_panes(
    store: BlockStore, head: Head, before: Times, brought: Panes, plan: WindowPlan
) -> tuple[pl.DataFrame, int]:
    """Merge what a micro-batch brought into the panes, and write what changed.

    Args:
        store: the state.
        head: with the watermarks of now.
        before: the watermarks from before the micro-batch, by slot.
        brought: its panes, with the windows that they missed within the micro-batch.
        plan: the job's policies.

    Returns:
        The results that are due, and the number of records that are late by ``before`` alone.
    """
    missed = _missed(brought.rows, before, plan)
    late = int(brought.rows.count[(missed > 0) & (brought.missed == 0)].sum())
    is_cut = brought.missed > missed
    touched = np.union1d(_buckets(brought.rows, plan), _needed(head, before, brought, plan))
    known = np.intersect1d(touched, head.starts)
    opened = load_windows(store, known.tolist(), has_sums=plan.has_sums)
    whole, cut = Rows.concat([brought.rows.take(~is_cut), *opened]).merged(), brought.take(is_cut)
    panes = Rows.concat([whole, cut.rows]).merged() if is_cut.any() else whole
    due = each_once(_due(whole, cut, panes, head.marks, before, plan), plan)
    _write(store, head, panes, known, touched, plan)
    windows = windows_of(due, whole, cut, plan)
    is_final = windows.start + plan.sizes_ms[windows.group] + plan.latency_ms <= head.marks[windows.slot]
    return window_results(windows, is_final, head, plan), late


def open_windows(head: Head, panes: Rows, plan: WindowPlan) -> Rows:
    """Return the windows of all panes that are not final yet."""
    never = np.full(len(panes.start), -NEVER)
    due = each_once(reached(_unmissed(panes), head.marks[panes.slot] - plan.latency_ms, never, plan), plan)
    return windows_of(due, panes, _unmissed(panes.take(np.empty(0, np.intp))), plan)


def _missed(rows: Rows, before: Times, plan: WindowPlan) -> NDArray[np.int32]:
    """For how many windows of its pane each row is too late by the watermark from before."""
    slide = plan.slides_ms[rows.group]
    over = (before[rows.slot] - plan.latency_ms - rows.start) // slide
    missed: NDArray[np.int32] = np.clip(over, 0, plan.sizes_ms[rows.group] // slide).astype(np.int32)
    return missed


def _unmissed(rows: Rows) -> Panes:
    return Panes(rows, np.zeros(len(rows.slot), np.int32))


def _buckets(rows: Rows, plan: WindowPlan) -> Times:
    width = plan.buckets_ms[rows.group]
    buckets: Times = rows.start // width * width
    return buckets


def _due(whole: Rows, cut: Panes, panes: Rows, marks: Times, before: Times, plan: WindowPlan) -> Ends:
    """Return the windows that a watermark ended or made final, and those that changed in between."""
    latency = plan.latency_ms
    final = [
        reached(part, before[part.rows.slot] - latency, marks[part.rows.slot] - latency, plan)
        for part in (_unmissed(whole), cut)
    ]
    mark = marks[panes.slot]
    # A pane with new records has changed all its windows that are over.
    since = np.where(panes.is_new, NEVER, before[panes.slot])
    on_time = reached(_unmissed(panes), np.maximum(since, mark - latency), mark, plan)
    return Ends.concat([*final, on_time])


def _write(store: BlockStore, head: Head, panes: Rows, known: Times, touched: Times, plan: WindowPlan) -> None:
    """Write the buckets that changed, and the head; a pane goes with the last of its windows."""
    is_over = panes.start + plan.sizes_ms[panes.group] + plan.latency_ms <= head.marks[panes.slot]
    changed = np.unique(_buckets(panes.take(is_over | panes.is_new), plan))
    still_open = panes.take(~is_over)
    still_open = still_open.take(np.argsort(_buckets(still_open, plan), kind="stable"))
    places = _buckets(still_open, plan)
    save_windows(store, np.intersect1d(changed, np.union1d(known, places)).tolist(), still_open, places)
    reindex(head, touched, places, plan.sizes_ms[still_open.group])
    head.save(store)


def _needed(head: Head, before: Times, new: Panes, plan: WindowPlan) -> Times:
    """Return the buckets that hold panes of windows which are due."""
    needed: Flags = np.zeros(len(head.starts), np.bool_)
    changed = reached(new, before[new.rows.slot] - plan.latency_ms, head.marks[new.rows.slot], plan)
    for size, slide, width in np.unique([plan.sizes_ms, plan.slides_ms, plan.buckets_ms], axis=1).T.tolist():
        is_of_span = (plan.sizes_ms[changed.group] == size) & (plan.slides_ms[changed.group] == slide)
        spans = [*_crossed(head, before, slide, plan.latency_ms), (changed.low[is_of_span], changed.high[is_of_span])]
        first, last = (np.sort(np.concatenate(ends)) for ends in zip(*spans, strict=True))
        # The panes of windows that end from first to last lie in [first - size, last). As many stretches begin before
        # the end of a bucket as end by its start, or more: the difference has panes in it.
        begun = np.searchsorted(first - size, head.starts + width)
        ended = np.searchsorted(last, head.starts, side="right")
        needed |= (head.sizes == size) & (begun > ended)
    return head.starts[needed]


def _crossed(head: Head, before: Times, slide: int, latency_ms: int) -> Iterator[tuple[Times, Times]]:
    """Return the first and last end of windows that each watermark has moved across; then of their latency."""
    has_moved = (before != NEVER) & (head.marks > before)
    for distance in {0, latency_ms}:
        first = ((before[has_moved] - distance) // slide + 1) * slide
        last = (head.marks[has_moved] - distance) // slide * slide
        yield first[first <= last], last[first <= last]
