"""Time window aggregation over event-time windows ``[start, start + size)``, one at each multiple of the slide.

The slide of tumbling windows is their size; all windows are anchored at the Unix epoch.

The watermark of an asset and input is the highest event time that was accepted. A window's result is ``final`` when
the watermark reaches its end plus the latency; with a latency above 0 there is an ``onTime`` result when the watermark
reaches the end, and another in each micro-batch in which late records changed it. When a single micro-batch brings
both, only the final result leaves.

A record counts as ``outside`` once for each input and threshold. It counts as ``late`` once for each input, threshold,
window size and slide of which it came too late for a window or more, whatever the number of windows and policies.

On an input that another job calculates, and on all inputs with ``duplicates: ReplaceSameTime``, a record replaces the
earlier one of the same asset, input and time, in every window that it is not too late for (``replaced_records``).

With an idle timeout, whatever is open of an asset and input is closed as ``final`` when nothing has come from it for so
long (``silence``); for the windows closed like this later records are late, whatever the watermark is.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from streamjob_api.points import PointRef
from streamjob_api.templates.time_window_aggregation import TimeWindowAggregation as TimeWindowAggregationSpec
from streamjob_runtime.rows import Kind
from streamjob_runtime.shards import Shards
from streamjob_runtime.templates.arrays import NEVER
from streamjob_runtime.templates.chosen import Chosen
from streamjob_runtime.templates.inputs import in_several
from streamjob_runtime.templates.protocols import RESULTS, BlockStore, Combiner, Folded, Held
from streamjob_runtime.templates.replaced_records import merged_records
from streamjob_runtime.templates.sliding_windows import fold_panes, merged_panes
from streamjob_runtime.templates.surroundings import Surroundings
from streamjob_runtime.templates.tumbling_windows import fold_windows
from streamjob_runtime.templates.window_closing import close_windows, convert
from streamjob_runtime.templates.window_combiner import WindowCombiner, parted
from streamjob_runtime.templates.window_edits import forget, held
from streamjob_runtime.templates.window_marks import Watermarks
from streamjob_runtime.templates.window_pages import Brought, Page, Pages
from streamjob_runtime.templates.window_panes import Panes
from streamjob_runtime.templates.window_plan import WindowPlan
from streamjob_runtime.templates.window_results import window_results
from streamjob_runtime.templates.window_rows import Rows
from streamjob_runtime.templates.window_silence import close_silent, deadline, forget_past, note_arrivals
from streamjob_runtime.templates.window_state import Head


@dataclass(frozen=True)
class TimeWindowAggregation:
    """The template for one job."""

    plan: WindowPlan
    idle_timeout_ms: int | None

    @classmethod
    def of(cls, spec: TimeWindowAggregationSpec, surroundings: Surroundings) -> Self:
        """Return the template that a job configures."""
        return cls(WindowPlan.of(spec, surroundings.calculated), surroundings.idle_timeout_ms)

    @property
    def inputs(self) -> frozenset[PointRef]:
        """The points that the job reads."""
        return frozenset(self.plan.inputs)

    @property
    def texts(self) -> frozenset[PointRef]:
        """Only numbers are calculated with."""
        return frozenset()

    @property
    def identity(self) -> str:
        """Hash of all that makes a checkpoint (in)compatible."""
        return self.plan.identity

    @property
    def uses_clock(self) -> bool:
        """Event time alone decides, but for silence."""
        return self.idle_timeout_ms is not None

    def combiner(self, shards: Shards) -> Combiner:
        """Return a new combiner, for one partition of one micro-batch."""
        return WindowCombiner(self.plan, shards)

    def fold(self, store: BlockStore, blocks: Sequence[pl.DataFrame], now_ms: int) -> Folded:
        """Fold the blocks of one shard into its open windows; then close those of silent assets.

        ``counts``: ``late``; ``severalPartitions``, how many assets and inputs had records in more than one block, so
        that their order is not known.
        """
        if not blocks and not self.uses_clock:
            return Folded(RESULTS.to_frame(), {})
        brought = [parted(block, has_sums=self.plan.has_sums) for block in blocks]
        pages = Pages.load(store)
        parts = pages.parted(brought, self.plan) if brought else []
        if self.uses_clock:
            touched = {page.number for page, _ in parts}
            parts += [(page, []) for page in pages.all() if page.number not in touched]
        return _joined([self._fold_page(page, own, now_ms) for page, own in parts])

    def _fold_page(self, store: Page, brought: Sequence[Brought], now_ms: int) -> Folded:
        head = Head.load(store, len(self.plan.groups))
        convert(store, head, self.plan)
        results, counts = self._fold_brought(store, head, brought, now_ms) if brought else ([], {})
        forget_past(head, self.plan)
        if self.idle_timeout_ms is None:
            head.forget_arrivals()
        else:
            results.append(close_silent(store, head, now_ms, self.idle_timeout_ms, self.plan))
        head.save(store)
        return Folded(pl.concat([RESULTS.to_frame(), *results]), counts, deadline(head, self.idle_timeout_ms))

    def _fold_brought(
        self, store: BlockStore, head: Head, brought: Sequence[Brought], now_ms: int
    ) -> tuple[list[pl.DataFrame], dict[str, int]]:
        before = head.marks.copy()
        slots = head.advance([series for series, _ in brought], self.plan)
        before = np.concatenate([before, np.full(len(head.marks) - len(before), NEVER)])
        marks = Watermarks(before, head.marks, head.closed, self.plan.latency_ms)
        rows = Rows.concat([windows.placed(slot) for (_, windows), slot in zip(brought, slots, strict=True)])
        missed = np.concatenate([windows.missed for _, windows in brought])
        panes = Panes(rows, missed, self.plan.overlaps[rows.group])
        results, late = self._fold_panes(store, head, marks, panes)
        if self.uses_clock:
            note_arrivals(head, np.concatenate(slots), rows, marks, now_ms, self.plan)
        return results, {"late": late, "severalPartitions": in_several(slots)}

    def _fold_panes(
        self, store: BlockStore, head: Head, marks: Watermarks, panes: Panes
    ) -> tuple[list[pl.DataFrame], int]:
        """Fold what was combined, and what was not, each into its own part of the state."""
        results, late, plan = [], 0, self.plan
        replaces = plan.replaces[panes.rows.group]
        if not plan.replaces.all():
            combined = panes.take(~replaces)
            if plan.is_sliding:
                given, count = fold_panes(
                    store, head, head.windows, marks.of(~head.replaces), combined, plan, merged_panes
                )
            else:
                given, count = fold_windows(store, head, marks.of(~head.replaces), combined.rows, plan)
            results, late = [given], count
        if plan.replaces.any():
            given, count = fold_panes(
                store,
                head,
                head.records,
                marks.of(head.replaces),
                panes.take(replaces),
                plan.of_records,
                merged_records,
            )
            results, late = [*results, given], late + count
        return results, late

    def forget(self, store: BlockStore, chosen: Chosen, now_ms: int) -> Mapping[Kind, pl.DataFrame]:  # noqa: ARG002
        """Drop watermarks and all that is open of some assets and inputs."""
        pages = Pages.load(store)
        for page in pages.all():
            head = Head.load(page, len(self.plan.groups))
            is_forgotten = chosen.flags(head.assets.to_list(), head.inputs.tolist(), self.plan.inputs)
            if is_forgotten.any():
                convert(page, head, self.plan)
                forget(page, head, is_forgotten, self.plan)
        pages.forget(chosen, self.plan)
        return {}

    def held(self, store: BlockStore, chosen: Chosen) -> Iterator[Held]:
        """Yield watermarks and all that is open of some assets and inputs."""
        for page in Pages.load(store).all():
            head = Head.load(page, len(self.plan.groups))
            yield from held(
                page, head, chosen.flags(head.assets.to_list(), head.inputs.tolist(), self.plan.inputs), self.plan
            )

    def close(self, store: BlockStore) -> Folded:
        """Give every open window as ``final``; the watermarks stay where they are."""
        return _joined([self._close_page(page) for page in Pages.load(store).all()])

    def _close_page(self, store: Page) -> Folded:
        head = Head.load(store, len(self.plan.groups))
        convert(store, head, self.plan)
        windows = close_windows(store, head, np.ones(len(head.marks), np.bool_), self.plan)
        head.latest[:] = NEVER
        head.save(store)
        return Folded(window_results(windows, np.ones(len(windows.start), np.bool_), head, self.plan), {})


def _joined(pages: Sequence[Folded]) -> Folded:
    """Put what the pages of a shard gave together."""
    if len(pages) == 1:
        return pages[0]
    counts: Counter[str] = Counter()
    for page in pages:
        counts.update(page.counts)
    deadlines = [page.deadline for page in pages if page.deadline is not None]
    return Folded(
        pl.concat([RESULTS.to_frame(), *(page.results for page in pages)]), dict(counts), min(deadlines, default=None)
    )
