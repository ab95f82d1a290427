"""Time window aggregation over tumbling event-time windows ``[start, start + size)``, anchored at the Unix epoch.

The watermark of an asset and input is the highest event time that was accepted. A window's result is ``final`` when
the watermark reaches its end plus the latency; with a latency above 0 there is an ``onTime`` result when the watermark
reaches the end, and another in each micro-batch in which late records changed it. When a single micro-batch brings
both, only the final result leaves.

A record counts as ``outside`` once for each input and threshold and as ``late`` once for each input, threshold and
window size that it would have belonged to, whatever the number of policies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streamjob_api.points import PointRef
from streamjob_api.templates.time_window_aggregation import TimeWindowAggregation as TimeWindowAggregationSpec
from streamjob_runtime.templates.protocols import RESULTS, BlockStore, Combiner, Folded
from streamjob_runtime.templates.window_combiner import WindowCombiner, parted
from streamjob_runtime.templates.window_plan import WindowPlan
from streamjob_runtime.templates.window_results import window_results
from streamjob_runtime.templates.window_rows import Rows
from streamjob_runtime.templates.window_state import NEVER, Head, load_windows, save_windows


@dataclass(frozen=True)
class TimeWindowAggregation:
    """The template for one job."""

    plan: WindowPlan

    @classmethod
    def of(cls, spec: TimeWindowAggregationSpec) -> Self:
        """Return the template that a job configures."""
        return cls(WindowPlan.of(spec))

    @property
    def inputs(self) -> frozenset[PointRef]:
        """The points that the job reads."""
        return frozenset(self.plan.inputs)

    @property
    def identity(self) -> str:
        """Hash of all that makes a checkpoint (in)compatible."""
        return self.plan.identity

    def combiner(self) -> Combiner:
        """Return a new combiner, for one partition of one micro-batch."""
        return WindowCombiner(self.plan)

    def fold(self, store: BlockStore, blocks: Sequence[pl.DataFrame], now_ms: int) -> Folded:  # noqa: ARG002
        """Fold the blocks of one shard into its open windows. Event time alone decides: ``now_ms`` is not used.

        ``counts``: ``late``; ``severalPartitions``, how many assets and inputs had records in more than one block, so
        that their order is not known.
        """
        if not blocks:
            return Folded(RESULTS.to_frame(), {})
        head, brought = Head.load(store), [parted(block, has_sums=self.plan.has_sums) for block in blocks]
        before = head.marks.copy()
        slots = [head.advance(series) for series, _ in brought]
        before = np.concatenate([before, np.full(len(head.marks) - len(before), NEVER)])
        rows = Rows.concat([windows.placed(slot) for (_, windows), slot in zip(brought, slots, strict=True)])
        is_late = self._final_at(rows) <= before[rows.slot]
        windows = self._update(store, head, before, rows.take(~is_late))
        counts = {"late": int(rows.count[is_late].sum()), "severalPartitions": _repeated(slots)}
        return Folded(windows, counts)

    def close(self, store: BlockStore) -> Folded:
        """Give every open window as ``final``; the watermarks stay where they are."""
        head = Head.load(store)
        opened = load_windows(store, np.unique(head.starts).tolist(), has_sums=self.plan.has_sums)
        if not opened:
            return Folded(RESULTS.to_frame(), {})
        windows = Rows.concat(opened)
        save_windows(store, np.unique(windows.start).tolist(), windows.take(np.zeros(len(windows.start), np.bool_)))
        results = window_results(windows, np.ones(len(windows.start), np.bool_), head, self.plan)
        head.starts = head.sizes = np.empty(0, np.int64)
        head.save(store)
        return Folded(results, {})

    def _update(self, store: BlockStore, head: Head, before: NDArray[np.int64], new: Rows) -> pl.DataFrame:
        """Merge new rows into the open windows, write what changed, and return the results that are due."""
        touched = np.union1d(new.start, self._crossed(head, before))
        known = np.intersect1d(touched, head.starts)
        opened = load_windows(store, known.tolist(), has_sums=self.plan.has_sums)
        windows = Rows.concat([new, *opened]).merged()
        marks = head.marks[windows.slot]
        is_final = self._final_at(windows) <= marks
        is_over = self._end(windows) <= marks
        is_on_time = is_over & ~is_final & (windows.is_new | ~windows.on_time)
        windows.on_time[is_on_time] = True
        changed = np.unique(windows.start[is_final | is_on_time | windows.is_new])
        still_open = windows.take(~is_final)
        save_windows(store, np.intersect1d(changed, np.union1d(known, still_open.start)).tolist(), still_open)
        _reindex(head, touched, still_open, self.plan.sizes_ms)
        head.save(store)
        is_due = is_final | is_on_time
        return window_results(windows.take(is_due), is_final[is_due], head, self.plan)

    def _crossed(self, head: Head, before: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the starts of open windows across whose end, or end of latency, a watermark has moved."""
        has_moved = (before != NEVER) & (head.marks > before)
        was, now = np.sort(before[has_moved]), np.sort(head.marks[has_moved])
        crossed = np.zeros(len(head.starts), np.bool_)
        for distance in {0, self.plan.latency_ms}:
            due = head.starts + head.sizes + distance
            # As many watermarks were below as are now, or more: the difference crossed.
            crossed |= np.searchsorted(was, due) > np.searchsorted(now, due)
        return head.starts[crossed]

    def _end(self, rows: Rows) -> NDArray[np.int64]:
        ends: NDArray[np.int64] = rows.start + self.plan.sizes_ms[rows.group]
        return ends

    def _final_at(self, rows: Rows) -> NDArray[np.int64]:
        return self._end(rows) + self.plan.latency_ms


def _repeated(slots: Sequence[NDArray[np.int32]]) -> int:
    _, times = np.unique(np.concatenate(slots), return_counts=True)
    return int((times > 1).sum())


def _reindex(head: Head, touched: NDArray[np.int64], still_open: Rows, sizes_ms: NDArray[np.int64]) -> None:
    """Bring the index up to date for the buckets that were touched."""
    kept = ~np.isin(head.starts, touched)
    starts = np.concatenate([head.starts[kept], still_open.start])
    sizes = np.concatenate([head.sizes[kept], sizes_ms[still_open.group]])
    head.starts, head.sizes = np.unique(np.stack([starts, sizes]), axis=1)
