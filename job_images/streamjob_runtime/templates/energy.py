"""The three energy templates: a day's energy of each asset, by meter reading, by instant or by average power.

Records are taken in the order of their time (``ordering``): with a latency they wait for that, without one a record
that is not later than the last one taken is dropped and counted as ``late``; of two at the same time the first stays.
Each record ends an interval that begins at the series' reference; ``meter_reading`` and ``power`` say which energy it
has, ``energy_sums`` to which day and detail it belongs. A day is that of the job's time zone, else of its OU's.

A daily result's time is the day's local 00:00, a detailed one's the start of its detail. Both leave once, as ``final``,
when the first record of a later day or detail is taken; a silent asset's last day stays open. With ``runningTotal`` the
sum of the open day leaves too, as ``running``, in each micro-batch that changed it: of several changes in one
micro-batch the last one counts. With ``midnight: Proportional`` an interval is split over the days that it crosses, and
a day that is final already leaves again if the reading was flat since then: the sum of a day's details is always the
day's value.

A record counts as ``outside`` once for each policy of its input whose threshold its power, or the slope that it ends,
is outside of.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from streamjob_api.points import PointRef
from streamjob_api.templates.energy import EnergyBlock
from streamjob_runtime.templates.arrays import Slots, Times
from streamjob_runtime.templates.chains import NO_RECORDS, Chains, Records
from streamjob_runtime.templates.days import Days
from streamjob_runtime.templates.energy_plan import EnergyPlan, Policy
from streamjob_runtime.templates.energy_results import Output, energy_results
from streamjob_runtime.templates.energy_state import SERIES, EnergyState, load_waiting, save_waiting
from streamjob_runtime.templates.energy_sums import Course, Pieces, add_up, details_of, split_at_midnight
from streamjob_runtime.templates.inputs import in_several
from streamjob_runtime.templates.intervals import Intervals, Reference
from streamjob_runtime.templates.ordering import NEVER, put_in_order
from streamjob_runtime.templates.protocols import RESULTS, BlockStore, Combiner, Folded
from streamjob_runtime.templates.series_combiner import SeriesCombiner
from streamjob_runtime.templates.surroundings import Surroundings


@dataclass(frozen=True)
class Energy:
    """An energy template for one job."""

    plan: EnergyPlan
    days: Days

    @classmethod
    def of(cls, spec: EnergyBlock, surroundings: Surroundings) -> Self:
        """Return the template that a job configures."""
        plan = EnergyPlan.of(spec, surroundings.timezone)
        return cls(plan, Days(plan.timezone.zone))

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
        return SeriesCombiner(self.plan.inputs)

    def fold(self, store: BlockStore, blocks: Sequence[pl.DataFrame], now_ms: int) -> Folded:  # noqa: ARG002
        """Fold the blocks of one shard into its days. Event time alone decides: ``now_ms`` is not used.

        ``counts``: ``late``, ``outside``; ``severalPartitions``, how many assets and inputs had records in more than
        one block, so that their order is not known.
        """
        if not blocks:
            return Folded(RESULTS.to_frame(), {})
        state = EnergyState.load(store, self.plan.width)
        slots = state.place(blocks)
        arrived = [_records(block, own) for block, own in zip(blocks, slots, strict=True)]
        folded = self._take(store, state, arrived)
        state.save(store)
        return Folded(folded.results, {**folded.counts, "severalPartitions": in_several(slots)})

    def close(self, store: BlockStore) -> Folded:
        """Take what waits, give what is open as ``final``, and leave nothing behind."""
        state = EnergyState.load(store, self.plan.width)
        if not state.assets:
            return Folded(RESULTS.to_frame(), {})
        folded = self._take(store, state, [], is_ended=True)
        store.remove(SERIES)
        return folded

    def _take(
        self, store: BlockStore, state: EnergyState, arrived: Sequence[Records], *, is_ended: bool = False
    ) -> Folded:
        """Take the records whose turn it is; where the input has ended, it is that of all."""
        latency_ms = self.plan.latency_ms
        waited = [load_waiting(store)] if latency_ms else []
        count = sum(len(records.slot) for records in waited)
        records = Records.concat([NO_RECORDS, *waited, *arrived])
        order = put_in_order(records.slot, records.time, count, state.reached, 0 if is_ended else latency_ms)
        if latency_ms:
            save_waiting(store, records.take(order.waiting), count)
        before, state.reached = state.reached.taken, order.reached
        counts = Counter(late=order.late, outside=0)
        with np.errstate(over="ignore", invalid="ignore"):  # What is not finite leaves as null.
            outputs = list(self._outputs(state, before, records.take(order.taken), counts, is_ended=is_ended))
        return Folded(energy_results(outputs, state), dict(counts))

    def _outputs(
        self, state: EnergyState, before: Times, records: Records, counts: Counter[str], *, is_ended: bool
    ) -> Iterator[Output]:
        """Move the references of each input, and yield what its outputs are to be given."""
        inputs = np.array(state.inputs)
        for number, point in enumerate(self.plan.inputs):
            chains = Chains.of(records.take(inputs[records.slot] == number))
            is_open = (inputs == number) & (state.reached.taken != NEVER)
            slots = np.flatnonzero(is_open).astype(np.int32) if is_ended else chains.slot[chains.ends]
            if not len(slots):
                continue
            policies = [policy for policy in self.plan.policies if policy.input == point]
            intervals = [
                policy.calculation.intervals(chains, Reference(state.since, state.value[policy.rank]))
                for policy in policies
            ]
            since = state.since[slots]
            _move(state, chains, policies, intervals)
            course = Course(slots, before[slots], state.reached.taken[slots], since, state.since[slots], is_ended)
            for policy, found in zip(policies, intervals, strict=True):
                counts["outside"] += found.outside
                yield from self._sums(policy, chains, found, course, state)

    def _sums(
        self, policy: Policy, chains: Chains, found: Intervals, course: Course, state: EnergyState
    ) -> Iterator[Output]:
        """Yield the sums of one policy's outputs."""
        pieces = Pieces(chains.slot, chains.time, found.energy)
        if policy.is_proportional:
            pieces = split_at_midnight(pieces, found.since, found.is_accepted, self.days)
        cal_type = policy.calculation.cal_type
        daily = add_up(pieces, course, state.day[policy.rank], self.days.starts)
        yield Output(policy.daily, cal_type, daily if policy.has_running_total else daily.only_over)
        if policy.detailed is not None and policy.interval_ms is not None:
            starts = details_of(self.days, policy.interval_ms)
            detailed = add_up(pieces, course, state.detail[policy.rank], starts)
            yield Output(policy.detailed, cal_type, detailed.only_over)


def _records(block: pl.DataFrame, slots: Slots) -> Records:
    """Return the records of a SERIES_BLOCK."""
    counts = block["time"].list.len().to_numpy()
    return Records(np.repeat(slots, counts), block["time"].explode().to_numpy(), block["value"].explode().to_numpy())


def _move(state: EnergyState, chains: Chains, policies: Sequence[Policy], intervals: Sequence[Intervals]) -> None:
    """Let the references of one input be what its last records left; their time is the same for each policy."""
    slots = chains.slot[chains.ends]
    for policy, found in zip(policies, intervals, strict=True):
        state.value[policy.rank, slots] = found.reached.value[chains.ends]
        state.since[slots] = found.reached.time[chains.ends]
