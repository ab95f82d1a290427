"""Folding a micro-batch into sliding windows: the state holds panes, which windows are put together from when due.

Rows that came too late for some windows of their pane must not count in these, but they may where they are merged into
the state: the windows that a row missed are final by then, and no window is put together again after it is final.

Where records replace each other (``replaced_records``) the rows are single records, and windows that tumble are put
together in the same way: as sliding ones, whose slide is their size.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streamjob_runtime.templates.arrays import NEVER, Flags, Times
from streamjob_runtime.templates.protocols import BlockStore
from streamjob_runtime.templates.window_marks import Watermarks
from streamjob_runtime.templates.window_panes import Ends, Panes, each_once, reached, windows_of
from streamjob_runtime.templates.window_plan import WindowPlan
from streamjob_runtime.templates.window_results import window_results
from streamjob_runtime.templates.window_rows import Rows
from streamjob_runtime.templates.window_state import Head, Index, load_rows, save_rows


@dataclass(frozen=True)
class Merged:
    """What was there and what a micro-batch brought, as one.

    Attributes:
        whole: rows that count in all of their windows that are due; those of an asset, input and group are by time.
        cut: rows that do not.
        kept: what is left for later micro-batches.
    """

    whole: Rows
    cut: Panes
    kept: Rows


# Merges rows of the state with those brought, which are too late by the watermark from before for so many windows.
Merge = Callable[[Sequence[Rows], Panes, NDArray[np.int32], WindowPlan], Merged]


def merged_panes(opened: Sequence[Rows], brought: Panes, passed: NDArray[np.int32], _plan: WindowPlan) -> Merged:
    """Merge panes: all that falls into a pane counts."""
    is_cut = brought.missed > passed
    whole, cut = Rows.concat([brought.rows.take(~is_cut), *opened]).merged(), brought.take(is_cut)
    return Merged(whole, cut, Rows.concat([whole, cut.rows]).merged() if is_cut.any() else whole)


def fold_panes(
    store: BlockStore, head: Head, index: Index, marks: Watermarks, brought: Panes, plan: WindowPlan, merge: Merge
) -> tuple[pl.DataFrame, int]:
    """Merge what a micro-batch brought into the panes, and write what changed.

    Args:
        store: the state.
        head: names the slots.
        index: the buckets of the panes; it is brought up to date.
        marks: the watermarks from before the micro-batch, and of now.
        brought: its panes, with the windows that they missed within the micro-batch.
        plan: the job's policies.
        merge: how panes become one.

    Returns:
        The results that are due, and the number of records that are late by the watermarks from before alone.
    """
    passed = passed_windows(brought.rows, marks, plan)
    late = int(brought.rows.count[(passed > 0) & (brought.missed == 0)].sum())
    touched = np.union1d(plan.buckets(brought.rows), _needed(index, marks, brought, plan))
    known = np.intersect1d(touched, index.starts)
    merged = merge(load_rows(store, index, known.tolist(), has_sums=plan.has_sums), brought, passed, plan)
    due = each_once(_due(merged, marks, plan), plan)
    _write(store, index, merged.kept, marks, known, touched, plan)
    windows = windows_of(due, merged.whole, merged.cut, plan)
    is_final = plan.ends(windows) <= marks.final(windows)
    return window_results(windows, is_final, head, plan), late


def passed_windows(rows: Rows, marks: Watermarks, plan: WindowPlan) -> NDArray[np.int32]:
    """For how many windows of its pane each row is too late by the watermark from before."""
    slide = plan.slides_ms[rows.group]
    over = marks.final_before(rows) // slide - rows.start // slide
    passed: NDArray[np.int32] = np.clip(over, 0, plan.overlaps[rows.group]).astype(np.int32)
    return passed


def _due(merged: Merged, marks: Watermarks, plan: WindowPlan) -> Ends:
    """Return the windows that a watermark ended or made final, and those that changed in between."""
    final = [
        reached(part, marks.final_before(part.rows), marks.final(part.rows), plan)
        for part in (Panes.whole(merged.whole, plan), merged.cut)
    ]
    kept = merged.kept
    # A pane with new records has changed all its windows that are over.
    since = np.where(kept.is_new, NEVER, marks.before[kept.slot])
    on_time = reached(Panes.whole(kept, plan), np.maximum(since, marks.final(kept)), marks.now[kept.slot], plan)
    return Ends.concat([*final, on_time])


def _write(
    store: BlockStore, index: Index, kept: Rows, marks: Watermarks, known: Times, touched: Times, plan: WindowPlan
) -> None:
    """Write the buckets that changed; a pane goes with the last of its windows."""
    is_over = plan.ends(kept) <= marks.final(kept)
    changed = np.unique(plan.buckets(kept.take(is_over | kept.is_new)))
    still_open = kept.take(~is_over)
    still_open = still_open.take(np.argsort(plan.buckets(still_open), kind="stable"))
    places = plan.buckets(still_open)
    save_rows(store, index, np.intersect1d(changed, np.union1d(known, places)).tolist(), still_open, places)
    index.update(touched, places, plan.sizes_ms[still_open.group])


def _needed(index: Index, marks: Watermarks, new: Panes, plan: WindowPlan) -> Times:
    """Return the buckets that hold panes of windows which are due."""
    needed: Flags = np.zeros(len(index.starts), np.bool_)
    changed = reached(new, marks.final_before(new.rows), marks.now[new.rows.slot], plan)
    for size, slide, width in np.unique([plan.sizes_ms, plan.slides_ms, plan.buckets_ms], axis=1).T.tolist():
        is_of_span = (plan.sizes_ms[changed.group] == size) & (plan.slides_ms[changed.group] == slide)
        spans = [*_crossed(marks, slide), (changed.low[is_of_span], changed.high[is_of_span])]
        first, last = (np.sort(np.concatenate(ends)) for ends in zip(*spans, strict=True))
        # The panes of windows that end from first to last lie in [first - size, last). As many stretches begin before
        # the end of a bucket as end by its start, or more: the difference has panes in it.
        begun = np.searchsorted(first - size, index.starts + width)
        ended = np.searchsorted(last, index.starts, side="right")
        needed |= (index.sizes == size) & (begun > ended)
    return index.starts[needed]


def _crossed(marks: Watermarks, slide: int) -> Iterator[tuple[Times, Times]]:
    """Return the first and last end of windows that each watermark has moved across; then of their latency."""
    was, now = marks.moved()
    for distance in {0, marks.latency_ms}:
        first = ((was - distance) // slide + 1) * slide
        last = (now - distance) // slide * slide
        yield first[first <= last], last[first <= last]
