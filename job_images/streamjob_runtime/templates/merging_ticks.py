"""Merging that is triggered by the clock: each asset's policies with the latest values, tick by tick.

The ticks are the multiples of the period. At a fold whose time has come to a tick that is not done, records of the
micro-batch are taken first; then the latest such tick is done, and only that one: earlier ones are not made up.

A policy of an asset is *live* while any of the points that it reads has a value, and one that ``maxAge`` lets pass. It
is calculated at a tick if it was live for the one that was due next, before the records of the micro-batch: so an
asset's results do not depend on which others lie in its shard, and a shard without anything live needs no tick at all.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from streamjob_runtime.templates.arrays import NEVER, Slots
from streamjob_runtime.templates.inputs import in_several
from streamjob_runtime.templates.merging_outputs import Calculator
from streamjob_runtime.templates.merging_plan import MergingPlan, Policy
from streamjob_runtime.templates.merging_records import Records
from streamjob_runtime.templates.merging_results import merging_results
from streamjob_runtime.templates.merging_state import MergingState, load_ticked, save_ticked
from streamjob_runtime.templates.merging_values import TickedAssets
from streamjob_runtime.templates.ordering import put_in_order
from streamjob_runtime.templates.protocols import RESULTS, BlockStore, Folded
from streamjob_runtime.templates.surroundings import Surroundings

# A policy, and the slots of its first input of the assets that it is calculated for.
_Due = tuple[Policy, Slots]


@dataclass(frozen=True)
class ClockTrigger:
    """Calculates at the ticks of the clock."""

    plan: MergingPlan
    surroundings: Surroundings
    every_ms: int

    def fold(self, store: BlockStore, blocks: Sequence[pl.DataFrame], now_ms: int) -> Folded:
        """Take the records of one shard, then do the tick that is due."""
        state, ticked = MergingState.load(store), load_ticked(store)
        tick = now_ms - now_ms % self.every_ms
        due: list[_Due] = []
        if ticked is not None and ticked < tick:
            due = list(self._live(state, ticked + self.every_ms))
        counts = self._take(store, state, blocks) if blocks else Counter[str]()
        if not state.assets:
            return Folded(RESULTS.to_frame(), dict(counts))
        results = self._results(state, tick, due, counts)
        if ticked is None or ticked < tick:
            ticked = tick
            save_ticked(store, tick)
        following = ticked + self.every_ms
        deadline = following if any(self._live(state, following)) else None
        return Folded(results, dict(counts), deadline, is_steady=deadline is not None)

    @property
    def replaced(self) -> Sequence[bool]:
        """Whether, by input, a record replaces an earlier one of its time."""
        return [ref in self.surroundings.calculated for ref in self.plan.inputs]

    def _take(self, store: BlockStore, state: MergingState, blocks: Sequence[pl.DataFrame]) -> Counter[str]:
        """Take records as they arrived; of each series the one with the highest time counts."""
        slots = state.place(blocks, self.plan.first)
        records = Records.of_blocks(blocks, slots, state.texts)
        order = put_in_order(records.slot, records.time, 0, state.reached, 0, state.of_inputs(self.replaced))
        taken = records.take(order.taken)
        state.value[taken.slot], state.kind[taken.slot] = taken.value, taken.kind  # of several the last one stays
        state.reached = order.reached
        state.save(store)
        return Counter(late=order.late, severalPartitions=in_several(slots))

    def _live(self, state: MergingState, tick: int) -> Iterator[_Due]:
        """Yield the policies that are live at a tick."""
        inputs = np.array(state.inputs, np.int32)
        for policy in self.plan.policies:
            if not policy.reads:
                continue
            slots = np.flatnonzero(inputs == policy.reads[0]).astype(np.int32)
            oldest = NEVER + 1 if policy.max_age_ms is None else tick - policy.max_age_ms
            is_live = np.zeros(len(slots), np.bool_)
            for number in policy.reads:
                is_live |= state.reached.taken[slots + np.int32(number - policy.reads[0])] >= oldest
            if is_live.any():
                yield policy, slots[is_live]

    def _results(self, state: MergingState, tick: int, due: Sequence[_Due], counts: Counter[str]) -> pl.DataFrame:
        """Calculate what is due at a tick."""
        calculator = Calculator(self.plan, self.surroundings.attributes, counts)
        outputs = [
            output
            for policy, slots in due
            for output in calculator.outputs(TickedAssets(state, policy.reads[0], slots, tick), [policy], state)
        ]
        return merging_results(outputs, state, "frequency")
