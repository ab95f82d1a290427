"""Merging that is triggered by records: what each record of a trigger point sees when its turn comes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import polars as pl

from streamjob_runtime.templates.arrays import Flags
from streamjob_runtime.templates.inputs import in_several
from streamjob_runtime.templates.merging_outputs import Calculator
from streamjob_runtime.templates.merging_plan import MergingPlan
from streamjob_runtime.templates.merging_records import NO_RECORDS, Moments, Records
from streamjob_runtime.templates.merging_results import Output, merging_results
from streamjob_runtime.templates.merging_state import MergingState, load_waiting, save_waiting
from streamjob_runtime.templates.merging_timeline import Timeline
from streamjob_runtime.templates.merging_values import TriggerRecords
from streamjob_runtime.templates.ordering import Reached, put_in_order
from streamjob_runtime.templates.protocols import RESULTS, BlockStore, Folded
from streamjob_runtime.templates.surroundings import Surroundings


@dataclass(frozen=True)
class PointTrigger:
    """Calculates at the records of the policies' trigger points."""

    plan: MergingPlan
    surroundings: Surroundings

    def fold(self, store: BlockStore, blocks: Sequence[pl.DataFrame]) -> Folded:
        """Fold the blocks of one shard into its last values."""
        if not blocks:
            return Folded(RESULTS.to_frame(), {})
        state = MergingState.load(store)
        slots = state.place(blocks, self.plan.first)
        arrived = Records.of_blocks(blocks, slots, state.texts)
        timeline, reached, late = self._ordered(store, state, arrived)
        results, counts = self._results(state, timeline, timeline.has_turn, timeline.taken)
        taken = timeline.records.take(timeline.is_taken)
        state.value[taken.slot], state.kind[taken.slot] = taken.value, taken.kind  # of several the last one stays
        state.reached = reached
        state.save(store)
        return Folded(results, {**counts, "late": late, "severalPartitions": in_several(slots)})

    def close(self, store: BlockStore) -> Folded:
        """Take what waits."""
        state = MergingState.load(store)
        waiting = load_waiting(store, state.texts)
        if not len(waiting.slot):
            return Folded(RESULTS.to_frame(), {})
        timeline = Timeline.of(waiting, NO_RECORDS, state.reached.highest, self.plan.latency_ms)
        count = len(waiting.slot)
        return Folded(*self._results(state, timeline, np.ones(count, np.bool_), np.full(count, timeline.end)))

    @property
    def replaced(self) -> Sequence[bool]:
        """Whether, by input, a record replaces an earlier one of its time."""
        return [ref in self.surroundings.calculated for ref in self.plan.inputs]

    def _ordered(self, store: BlockStore, state: MergingState, arrived: Records) -> tuple[Timeline, Reached, int]:
        """Put what waited and what arrived in order, write what goes on waiting, and count what was late."""
        latency_ms = self.plan.latency_ms
        waited = load_waiting(store, state.texts) if latency_ms else NO_RECORDS
        records, count = Records.concat([waited, arrived]), len(waited.slot)
        order = put_in_order(
            records.slot, records.time, count, state.reached, latency_ms, state.of_inputs(self.replaced)
        )
        kept = records.take(np.concatenate([order.taken, order.waiting]))
        timeline = Timeline.of(kept, arrived, state.reached.highest, latency_ms)
        if latency_ms:
            save_waiting(store, timeline.records.take(timeline.still_waits), count, state.texts)
        return timeline, order.reached, order.late

    def _results(
        self, state: MergingState, timeline: Timeline, has_turn: Flags, moment: Moments
    ) -> tuple[pl.DataFrame, dict[str, int]]:
        """Calculate with each record of a trigger point whose turn has come."""
        counts: Counter[str] = Counter()
        calculator = Calculator(self.plan, self.surroundings.attributes, counts)
        inputs = np.array(state.inputs, np.int32)[timeline.records.slot]
        outputs: list[Output] = []
        for trigger, policies in groupby(self.plan.policies, lambda policy: policy.trigger):
            rows = np.flatnonzero(has_turn & (inputs == trigger))
            if trigger is not None and len(rows):
                due = TriggerRecords(timeline, state, trigger, rows, moment[rows])
                outputs += calculator.outputs(due, policies, state)
        return merging_results(outputs, state, "point"), dict(counts)
