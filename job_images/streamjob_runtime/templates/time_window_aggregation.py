"""Time window aggregation over event-time windows ``[start, start + size)``, one at each multiple of the slide.

The slide of tumbling windows is their size; all windows are anchored at the Unix epoch.

The watermark of an asset and input is the highest event time that was accepted. A window's result is ``final`` when
the watermark reaches its end plus the latency; with a latency above 0 there is an ``onTime`` result when the watermark
reaches the end, and another in each micro-batch in which late records changed it. When a single micro-batch brings
both, only the final result leaves.

A record counts as ``outside`` once for each input and threshold. It counts as ``late`` once for each input, threshold,
window size and slide of which it came too late for a window or more, whatever the number of windows and policies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from streamjob_api.points import PointRef
from streamjob_api.templates.time_window_aggregation import TimeWindowAggregation as TimeWindowAggregationSpec
from streamjob_runtime.templates.inputs import in_several
from streamjob_runtime.templates.protocols import RESULTS, BlockStore, Combiner, Folded
from streamjob_runtime.templates.sliding_windows import fold_panes, open_windows
from streamjob_runtime.templates.surroundings import Surroundings
from streamjob_runtime.templates.tumbling_windows import fold_windows
from streamjob_runtime.templates.window_combiner import WindowCombiner, parted
from streamjob_runtime.templates.window_panes import Panes
from streamjob_runtime.templates.window_plan import WindowPlan
from streamjob_runtime.templates.window_results import window_results
from streamjob_runtime.templates.window_rows import Rows
from streamjob_runtime.templates.window_state import NEVER, Head, load_windows


@dataclass(frozen=True)
class TimeWindowAggregation:
    """The template for one job."""

    plan: WindowPlan

    @classmethod
    def of(cls, spec: TimeWindowAggregationSpec, surroundings: Surroundings) -> Self:  # noqa: ARG003
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

    @property
    def texts(self) -> frozenset[PointRef]:
        """Only numbers are calculated with."""
        return frozenset()

    @property
    def uses_clock(self) -> bool:
        """Event time alone decides."""
        return False

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
        if self.plan.is_sliding:
            panes = Panes(rows, np.concatenate([windows.missed for _, windows in brought]))
            results, late = fold_panes(store, head, before, panes, self.plan)
        else:
            results, late = fold_windows(store, head, before, rows, self.plan)
        return Folded(results, {"late": late, "severalPartitions": in_several(slots)})

    def close(self, store: BlockStore) -> Folded:
        """Give every open window as ``final``; the watermarks stay where they are."""
        head = Head.load(store)
        buckets = np.unique(head.starts)
        opened = load_windows(store, buckets.tolist(), has_sums=self.plan.has_sums)
        if not opened:
            return Folded(RESULTS.to_frame(), {})
        windows = Rows.concat(opened)
        if self.plan.is_sliding:
            windows = open_windows(head, windows, self.plan)
        results = window_results(windows, np.ones(len(windows.start), np.bool_), head, self.plan)
        for bucket in buckets.tolist():
            store.remove(bucket)
        head.starts = head.sizes = np.empty(0, np.int64)
        head.save(store)
        return Folded(results, {})
