"""Multi-point merging: an expression over the last values of several points of one asset, triggered by records.

Each record of a policy's trigger point calculates once, in the order in which records are taken; the result has the
record's time and is final. The other points have their last values, those with the highest times: a record that is not
later than the last one of its asset and point is dropped and counted as ``late``.

With a latency, records of a point are taken in the order of their time (``ordering``): a record of the trigger point
waits until the watermark of its own asset and point, the highest time that arrived, has reached its time plus the
latency. It then sees of each other point the last value that is not later than itself, whether that waits or not; where
none such waits, the last one that was taken. So values of one time meet, in whichever order they arrive within the
latency.

A record of a trigger point has no result, and is counted once for each of its policies, where a value that the
expression needs was never seen or is older than ``maxAge`` (``missing``), where it divides by zero
(``divisionByZero``), or where something in it is not finite (``notFinite``). Points are numbers; so is what an
expression gives.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Self

import numpy as np
import polars as pl

from streamjob_api.points import PointRef
from streamjob_api.templates.multi_point_merging import MultiPointMerging as MultiPointMergingSpec
from streamjob_runtime.expressions import Fault, calculated
from streamjob_runtime.templates.arrays import Flags, Slots
from streamjob_runtime.templates.inputs import in_several
from streamjob_runtime.templates.merging_combiner import MergingCombiner
from streamjob_runtime.templates.merging_plan import MergingPlan, Policy
from streamjob_runtime.templates.merging_records import NO_RECORDS, Moments, Records
from streamjob_runtime.templates.merging_results import Output, merging_results
from streamjob_runtime.templates.merging_state import SERIES, MergingState, load_waiting, save_waiting
from streamjob_runtime.templates.merging_timeline import Timeline
from streamjob_runtime.templates.merging_values import TriggerRecords
from streamjob_runtime.templates.ordering import Reached, put_in_order
from streamjob_runtime.templates.protocols import RESULTS, BlockStore, Combiner, Folded
from streamjob_runtime.templates.surroundings import Surroundings

_REASONS = {
    Fault.MISSING: "missing",
    Fault.DIVISION_BY_ZERO: "divisionByZero",
    Fault.NOT_FINITE: "notFinite",
}


@dataclass(frozen=True)
class MultiPointMerging:
    """The template for one job whose trigger mode is Point."""

    plan: MergingPlan

    @classmethod
    def of(cls, spec: MultiPointMergingSpec, surroundings: Surroundings) -> Self:  # noqa: ARG003
        """Return the template that a job configures."""
        return cls(MergingPlan.of(spec))

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
        return MergingCombiner(self.plan.inputs)

    def fold(self, store: BlockStore, blocks: Sequence[pl.DataFrame], now_ms: int) -> Folded:  # noqa: ARG002
        """Fold the blocks of one shard into its last values. Event time alone decides: ``now_ms`` is not used.

        ``counts``: ``late``, ``missing``, ``divisionByZero``, ``notFinite``; ``severalPartitions``, how many assets and
        inputs had records in more than one block, so that their order is not known.
        """
        if not blocks:
            return Folded(RESULTS.to_frame(), {})
        state = MergingState.load(store)
        slots = state.place(blocks, self.plan.first)
        timeline, reached, late = self._ordered(store, state, _arrived(blocks, slots))
        results, counts = self._results(state, timeline, timeline.is_taken, timeline.taken)
        taken = timeline.records.take(timeline.is_taken)
        state.value[taken.slot], state.is_int[taken.slot] = taken.value, taken.is_int  # of several the last one stays
        state.reached = reached
        state.save(store)
        return Folded(results, {**counts, "late": late, "severalPartitions": in_several(slots)})

    def close(self, store: BlockStore) -> Folded:
        """Take what waits, and leave nothing behind."""
        state, waiting = MergingState.load(store), load_waiting(store)
        if not state.assets:
            return Folded(RESULTS.to_frame(), {})
        timeline = Timeline.of(waiting, NO_RECORDS, state.reached.highest, self.plan.latency_ms)
        count = len(waiting.slot)
        results, counts = self._results(state, timeline, np.ones(count, np.bool_), np.full(count, timeline.end))
        save_waiting(store, NO_RECORDS, count)
        store.remove(SERIES)
        return Folded(results, counts)

    def _ordered(self, store: BlockStore, state: MergingState, arrived: Records) -> tuple[Timeline, Reached, int]:
        """Put what waited and what arrived in order, write what goes on waiting, and count what was late."""
        latency_ms = self.plan.latency_ms
        waited = load_waiting(store) if latency_ms else NO_RECORDS
        records, count = Records.concat([waited, arrived]), len(waited.slot)
        order = put_in_order(records.slot, records.time, count, state.reached, latency_ms)
        if latency_ms:
            save_waiting(store, records.take(order.waiting), count)
        kept = records.take(np.concatenate([order.taken, order.waiting]))
        return Timeline.of(kept, arrived, state.reached.highest, latency_ms), order.reached, order.late

    def _results(
        self, state: MergingState, timeline: Timeline, is_taken: Flags, moment: Moments
    ) -> tuple[pl.DataFrame, dict[str, int]]:
        """Calculate with each record of a trigger point that is taken."""
        counts: Counter[str] = Counter()
        inputs = np.array(state.inputs, np.int32)[timeline.records.slot]
        outputs: list[Output] = []
        for trigger, policies in groupby(self.plan.policies, lambda policy: policy.trigger):
            rows = np.flatnonzero(is_taken & (inputs == trigger))
            if len(rows):
                outputs += self._outputs(TriggerRecords(timeline, state, trigger, rows, moment[rows]), policies, counts)
        return merging_results(outputs, state), dict(counts)

    def _outputs(self, records: TriggerRecords, policies: Iterable[Policy], counts: Counter[str]) -> Iterator[Output]:
        """Yield what the policies of one trigger point give."""
        seen = cache(records.last_value)
        for policy in policies:
            variables = {
                self.plan.inputs[number]: seen(number).column(records.time, policy.max_age_ms)
                for number in policy.reads
            }
            given = calculated(policy.logic, variables, len(records.rows))
            for fault, reason in _REASONS.items():
                counts[reason] += int((given.fault == fault).sum())
            is_given = given.fault == Fault.NONE
            where = (records.slot[is_given], records.time[is_given])
            yield Output(policy.output, *where, given.value[is_given], given.is_int[is_given])


def _arrived(blocks: Sequence[pl.DataFrame], slots: Sequence[Slots]) -> Records:
    """Return the records of MERGING_BLOCKs, those of one block after those of the other."""
    parts, begin = [NO_RECORDS], 0
    for block, own in zip(blocks, slots, strict=True):
        parts.append(Records.of_block(block, own, begin))
        begin = int(parts[-1].arrived.max()) + 1
    return Records.concat(parts)
