"""The three energy templates: a day's energy of each asset, by meter reading, by instant or by average power.

Records are taken in the order of their time (``energy_order``): with a latency they wait for that, without one a record
that is not later than the reference is dropped. Each record ends an interval that begins at the series' reference;
``meter_reading`` and ``power`` say which energy it has, ``energy_sums`` to which day and detail it belongs. A day is
that of the job's time zone, else of its OU's.

A daily result's time is the day's local 00:00, a detailed one's the start of its detail. Both leave as ``final`` when
the first record of a later day or detail is taken. With ``runningTotal`` the sum of the open day leaves too, as
``running``, in each micro-batch that changed it: of several changes in one micro-batch the last one counts. With an
idle timeout, a series that was silent for so long by the clock (``silence``) has what is open given as if a later day
had come, once, after all that waits of it was taken; its reference stays, and a later record of the same day has the
day given again. A record that is dropped makes a silence last longer, but begins none.

A day that is final leaves again where more energy turns out to be its own: with ``midnight: Proportional``, which
splits an interval over the days that it crosses, if the reading was flat since then; after a record of that day that
came between a flat one and the next; after it was closed for silence. The sum of a day's details is always the day's
value.

A record counts as ``outside`` once for each policy of its input whose threshold its power, or the slope that it ends,
is outside of.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from streamjob_api.points import PointRef
from streamjob_api.templates.energy import EnergyBlock
from streamjob_api.templates.energy_by_meter_reading import EnergyByMeterReading
from streamjob_runtime.rows import Kind
from streamjob_runtime.shards import Shards
from streamjob_runtime.templates.arrays import NEVER, Flags, Slots
from streamjob_runtime.templates.chains import NO_RECORDS, Chains, Records
from streamjob_runtime.templates.chosen import Chosen
from streamjob_runtime.templates.days import Days
from streamjob_runtime.templates.energy_attributes import BoundNumbers
from streamjob_runtime.templates.energy_edits import forget, held
from streamjob_runtime.templates.energy_order import EnergyOrder, Marks
from streamjob_runtime.templates.energy_plan import EnergyPlan, Policy
from streamjob_runtime.templates.energy_results import Output, energy_results
from streamjob_runtime.templates.energy_state import CLOSED, SERIES, EnergyState, load_waiting, save_waiting
from streamjob_runtime.templates.energy_sums import Course, Pieces, Turn, add_up, details_of, split_at_midnight
from streamjob_runtime.templates.inputs import in_several
from streamjob_runtime.templates.intervals import Intervals
from streamjob_runtime.templates.protocols import RESULTS, BlockStore, Combiner, Folded, Held
from streamjob_runtime.templates.series_combiner import SeriesCombiner
from streamjob_runtime.templates.silence import silent
from streamjob_runtime.templates.surroundings import Attributes, Surroundings


@dataclass(frozen=True)
class Energy:
    """An energy template for one job."""

    plan: EnergyPlan
    days: Days
    order: EnergyOrder
    calculated: frozenset[PointRef]
    attributes: Attributes
    idle_timeout_ms: int | None

    @classmethod
    def of(cls, spec: EnergyBlock, surroundings: Surroundings) -> Self:
        """Return the template that a job configures."""
        plan = EnergyPlan.of(spec, surroundings.timezone)
        return cls(
            plan=plan,
            days=Days(plan.timezone.zone),
            order=EnergyOrder(plan.latency_ms, holds_flat=isinstance(spec, EnergyByMeterReading)),
            calculated=surroundings.calculated,
            attributes=surroundings.attributes,
            idle_timeout_ms=surroundings.idle_timeout_ms,
        )

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
        """Whether silence closes days; else event time alone decides."""
        return self.idle_timeout_ms is not None

    def combiner(self, shards: Shards) -> Combiner:
        """Return a new combiner, for one partition of one micro-batch."""
        return SeriesCombiner(self.plan.inputs, shards)

    def fold(self, store: BlockStore, blocks: Sequence[pl.DataFrame], now_ms: int) -> Folded:
        """Fold the blocks of one shard into its days, and close what has been silent for too long.

        ``counts``: ``late``, ``repeated``, ``outside``, ``attributeMissing``, ``attributeInvalid``;
        ``severalPartitions``, how many assets and inputs had records in more than one block, so that their order is not
        known.
        """
        if not blocks and not self.uses_clock:
            return Folded(RESULTS.to_frame(), {})
        state = EnergyState.load(store, self.plan.width, now_ms)
        slots, before = state.place(blocks), state.arrived
        state.hear(slots, now_ms)
        turn = Turn(state.reached.taken, state.was_given, self._end_silent(state, now_ms))
        if not blocks and state.was_watched and np.array_equal(state.arrived, before):
            return Folded(RESULTS.to_frame(), {}, self._deadline(state))
        arrived = [_records(block, own) for block, own in zip(blocks, slots, strict=True)]
        results, counts = self._take(store, state, arrived, turn, now_ms)
        state.save(store, is_watched=self.uses_clock)
        if slots:
            counts["severalPartitions"] = in_several(slots)
        return Folded(results, dict(counts), self._deadline(state))

    def forget(self, store: BlockStore, chosen: Chosen, now_ms: int) -> Mapping[Kind, pl.DataFrame]:
        """Drop the references and sums of some assets and inputs, and their records that wait."""
        state = EnergyState.load(store, self.plan.width, now_ms)
        is_forgotten = chosen.flags(state.assets, state.inputs, self.plan.inputs)
        if is_forgotten.any():
            forget(store, state, is_forgotten)
        return {}

    def held(self, store: BlockStore, chosen: Chosen) -> Iterator[Held]:
        """Yield the references and sums of some assets and inputs, and their records that wait."""
        state = EnergyState.load(store, self.plan.width, 0)
        is_chosen = chosen.flags(state.assets, state.inputs, self.plan.inputs)
        return held(store, state, is_chosen, self.plan, self.days)

    def close(self, store: BlockStore) -> Folded:
        """Take what waits, give what is open as ``final``, and leave nothing behind."""
        state = EnergyState.load(store, self.plan.width, 0)
        if not state.assets:
            return Folded(RESULTS.to_frame(), {})
        turn = Turn(state.reached.taken, state.was_given, np.ones(len(state.assets), np.bool_))
        results, counts = self._take(store, state, [], turn, 0)
        store.remove(SERIES)
        return Folded(results, dict(counts))

    def _end_silent(self, state: EnergyState, now_ms: int) -> Flags:
        """Tell which series are to be closed now, and count the silence of the others from when it could be heard."""
        if self.idle_timeout_ms is None:
            return np.zeros(len(state.assets), np.bool_)
        is_silent, arrived = silent(state.arrived, now_ms, self.idle_timeout_ms)
        state.arrived = np.where(is_silent | (state.arrived == CLOSED), CLOSED, arrived)
        return is_silent

    def _deadline(self, state: EnergyState) -> int | None:
        """When the next series will have been silent for too long."""
        arrived = state.arrived[state.arrived != CLOSED]
        if self.idle_timeout_ms is None or not len(arrived):
            return None
        return int(arrived.min()) + self.idle_timeout_ms

    def _take(
        self, store: BlockStore, state: EnergyState, arrived: Sequence[Records], turn: Turn, now_ms: int
    ) -> tuple[pl.DataFrame, Counter[str]]:
        """Take the records whose turn it is; of series that have ended, that is all."""
        waited = [load_waiting(store)] if self.plan.latency_ms else []
        count = sum(len(records.slot) for records in waited)
        records = Records.concat([NO_RECORDS, *waited, *arrived])
        order = self.order.take(records, count, state.reached, self._marks(state), turn.is_ended)
        if self.plan.latency_ms:
            save_waiting(store, records.take(order.waiting), count)
        state.reached = order.reached
        state.reopen(records.slot[order.taken], records.slot[order.waiting], turn.is_ended, now_ms)
        counts = Counter(late=order.late, repeated=order.repeated, outside=0)
        with np.errstate(over="ignore", invalid="ignore"):  # What is not finite leaves as null.
            outputs = list(self._outputs(state, records.take(order.taken), turn, counts))
        return energy_results(outputs, state), counts

    def _marks(self, state: EnergyState) -> Marks:
        """Return what decides whether a record comes too late."""
        is_calculated = np.array([point in self.calculated for point in self.plan.inputs])[state.inputs]
        if not self.order.holds_flat:
            return Marks(state.reached.taken, state.value[0], is_calculated)
        # A meter's reference is the same for each of its policies.
        return Marks(state.since[0], state.value[0], is_calculated)

    def _outputs(self, state: EnergyState, records: Records, turn: Turn, counts: Counter[str]) -> Iterator[Output]:
        """Move the references of each input, and yield what its outputs are to be given."""
        inputs = np.array(state.inputs, np.int32)
        for number, point in enumerate(self.plan.inputs):
            chains = Chains.of(records.take(inputs[records.slot] == number))
            is_given = turn.is_ended & (inputs == number) & (state.reached.taken != NEVER)
            slots = np.union1d(np.flatnonzero(is_given), chains.slot[chains.ends]).astype(np.int32)
            if not len(slots):
                continue
            policies = [policy for policy in self.plan.policies if policy.input == point]
            bindings = [policy.calculation.bound_to for policy in policies]
            bound = BoundNumbers.read(self.attributes, bindings, state, chains.slot[chains.ends])
            for policy in policies:
                counts.update(bound.problems(policy.calculation.bound_to))
                reference = state.reference(policy.rank, turn.taken_before)
                found = policy.calculation.intervals(chains, reference, bound.numbers)
                counts["outside"] += found.outside
                state.move(policy.rank, chains, found.reached)
                since = state.since[policy.rank]
                course = turn.course(slots, state.reached.taken, reference.time, since)
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
