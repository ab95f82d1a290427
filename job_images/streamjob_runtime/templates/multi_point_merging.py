"""Multi-point merging: an expression over the last values of several points of one asset, triggered by records or time.

Triggered by records, each record of a policy's trigger point calculates once, in the order in which records are taken;
the result has the record's time. The other points have their last values, those with the highest times: a record that
is not later than the last one of its asset and point is dropped and counted as ``late``. Of a point that other jobs
calculate, a record of the same time replaces that one instead, and calculates again.

With a latency, records of a point are taken in the order of their time (``ordering``): a record of the trigger point
waits until the watermark of its own asset and point, the highest time that arrived, has reached its time plus the
latency. It then sees of each other point the last value that is not later than itself, whether that waits or not; where
none such waits, the last one that was taken. So values of one time meet, in whichever order they arrive within the
latency.

Triggered by the clock (``merging_ticks``), the latest value of each point counts, and nothing waits.

A calculation has no result, and is counted once for each policy, where a value that the expression needs was never
seen or is older than ``maxAge`` (``missing``) or of another type (``wrongType``), where an attribute is
(``attributeMissing``, ``attributeInvalid``), where it divides by zero (``divisionByZero``), or where something in it is
not finite (``notFinite``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import polars as pl

from streamjob_api.points import PointRef
from streamjob_api.templates.multi_point_merging import MultiPointMerging as MultiPointMergingSpec
from streamjob_runtime.rows import Kind
from streamjob_runtime.shards import Shards
from streamjob_runtime.templates.arrays import Flags
from streamjob_runtime.templates.chosen import Chosen
from streamjob_runtime.templates.merging_edits import forget, held
from streamjob_runtime.templates.merging_plan import MergingPlan
from streamjob_runtime.templates.merging_points import PointTrigger
from streamjob_runtime.templates.merging_state import CLOCK, SERIES, WAITING, MergingState
from streamjob_runtime.templates.merging_ticks import ClockTrigger
from streamjob_runtime.templates.protocols import RESULTS, BlockStore, Combiner, Folded, Held
from streamjob_runtime.templates.series_combiner import ARRIVED, SeriesCombiner
from streamjob_runtime.templates.surroundings import Surroundings


@dataclass(frozen=True)
class MultiPointMerging:
    """The template for one job."""

    plan: MergingPlan
    surroundings: Surroundings

    @classmethod
    def of(cls, spec: MultiPointMergingSpec, surroundings: Surroundings) -> Self:
        """Return the template that a job configures."""
        return cls(MergingPlan.of(spec, surroundings.names), surroundings)

    @property
    def inputs(self) -> frozenset[PointRef]:
        """The points that the job reads."""
        return self.plan.points

    @property
    def texts(self) -> frozenset[PointRef]:
        """The points whose values may be texts or truth values."""
        return self.plan.texts

    @property
    def identity(self) -> str:
        """Hash of all that makes a checkpoint (in)compatible."""
        return self.plan.identity

    @property
    def uses_clock(self) -> bool:
        """Whether the clock triggers; where records do, event time alone decides."""
        return self.plan.every_ms is not None

    def combiner(self, shards: Shards) -> Combiner:
        """Return a new combiner, for one partition of one micro-batch.

        Every record crosses: each one of a trigger point calculates, and one of another point is late or not, and so
        counted or not, by what only the state knows.
        """
        texts = ("text",) if self.texts else ()
        return SeriesCombiner(self.plan.inputs, shards, ("time", "value", "is_int", *texts, ARRIVED))

    def fold(self, store: BlockStore, blocks: Sequence[pl.DataFrame], now_ms: int) -> Folded:
        """Fold the blocks of one shard into its last values.

        ``counts``: ``late``, and why calculations have no results; ``severalPartitions``, how many assets and inputs
        had records in more than one block, so that their order is not known.
        """
        every_ms = self.plan.every_ms
        if every_ms is not None:
            return ClockTrigger(self.plan, self.surroundings, every_ms).fold(store, blocks, now_ms)
        return PointTrigger(self.plan, self.surroundings).fold(store, blocks)

    def forget(self, store: BlockStore, chosen: Chosen, now_ms: int) -> Mapping[Kind, pl.DataFrame]:  # noqa: ARG002
        """Drop the last values of some assets and inputs, and their records that wait."""
        is_forgotten = self._flags(store, chosen)
        if is_forgotten.any():
            forget(store, is_forgotten, self.plan.first)
        return {}

    def held(self, store: BlockStore, chosen: Chosen) -> Iterator[Held]:
        """Yield the last values of some assets and inputs, and their records that wait."""
        return held(store, self._flags(store, chosen), self.plan.inputs)

    def _flags(self, store: BlockStore, chosen: Chosen) -> Flags:
        state = MergingState.load(store)
        return chosen.flags(state.assets, state.inputs, self.plan.inputs)

    def close(self, store: BlockStore) -> Folded:
        """Take what waits, and leave nothing behind."""
        folded = Folded(RESULTS.to_frame(), {})
        if self.plan.every_ms is None:
            folded = PointTrigger(self.plan, self.surroundings).close(store)
        for bucket in (SERIES, WAITING, CLOCK):
            if store.get(bucket) is not None:
                store.remove(bucket)
        return folded
