"""The values that a calculation sees: of records of a trigger point, and of assets at a tick of the clock."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from streamjob_api.data_types import ValueType
from streamjob_runtime.expressions import Column, Fault
from streamjob_runtime.templates.arrays import NEVER, Floats, Places, Slots, Times
from streamjob_runtime.templates.merging_records import Moments
from streamjob_runtime.templates.merging_state import MergingState
from streamjob_runtime.templates.merging_texts import Kinds, Texts, ValueKind
from streamjob_runtime.templates.merging_timeline import Timeline

_KINDS = {ValueType.TEXT: ValueKind.TEXT, ValueType.BOOLEAN: ValueKind.TRUTH}


@dataclass(frozen=True)
class LastValue:
    """The last value of one input, as each of the calculations sees it; its time is NEVER where there is none."""

    time: Times
    value: Floats
    kind: Kinds

    def column(self, at: Times, max_age_ms: int | None, wanted: ValueType, texts: Texts) -> Column:
        """Return it as a variable of a type, of results at these times."""
        is_missing = self.time == NEVER
        if max_age_ms is not None:
            is_missing = is_missing | (self.time < at - max_age_ms)
        is_wrong = self.kind > ValueKind.INT if wanted.is_number else self.kind != _KINDS[wanted]
        fault = np.where(is_wrong, np.uint8(Fault.WRONG_TYPE), np.uint8(Fault.NONE))
        fault = np.where(is_missing, np.uint8(Fault.MISSING), fault)
        match wanted:
            case ValueType.TEXT:
                return Column(texts.texts(self.value, self.kind), self.kind == ValueKind.INT, fault)
            case ValueType.BOOLEAN:
                return Column(self.value == 1, self.kind == ValueKind.INT, fault)
        return Column(self.value, self.kind == ValueKind.INT, fault)


class Calculations(Protocol):
    """Calculations that are due, each for one asset at one time.

    Attributes:
        slot: one of the asset's, of the policy's model.
        time: of the results.
    """

    @property
    def slot(self) -> Slots: ...  # noqa: D102

    @property
    def time(self) -> Times: ...  # noqa: D102

    def last_value(self, number: int) -> LastValue:
        """Return the last value of an input of the same model."""
        ...


@dataclass(frozen=True)
class TriggerRecords:
    """Records of one trigger point that are taken.

    Attributes:
        number: the trigger point's place among the inputs.
        rows: their places in the timeline.
        moment: when each one is taken.
    """

    timeline: Timeline
    state: MergingState
    number: int
    rows: Places
    moment: Moments

    @cached_property
    def slot(self) -> Slots:
        """Whose records they are."""
        return self.timeline.records.slot[self.rows]

    @cached_property
    def time(self) -> Times:
        """The times of the records, and of the results."""
        return self.timeline.records.time[self.rows]

    def last_value(self, number: int) -> LastValue:
        """Return the last value of an input of the same model; the trigger point's is the record's own."""
        records, before = self.timeline.records, self.state
        if number == self.number:
            return LastValue(self.time, records.value[self.rows], records.kind[self.rows])
        slot = self.slot + np.int32(number - self.number)
        place = self.timeline.latest(slot, self.moment, self.time)
        is_new = place >= 0
        return LastValue(
            np.where(is_new, records.time[place], before.reached.taken[slot]),
            np.where(is_new, records.value[place], before.value[slot]),
            np.where(is_new, records.kind[place], before.kind[slot]),
        )


@dataclass(frozen=True)
class TickedAssets:
    """Assets for which the clock calculates.

    Attributes:
        number: an input of the policy's model, by its place.
        slot: the assets' slots of that input.
        at_ms: the tick.
    """

    state: MergingState
    number: int
    slot: Slots
    at_ms: int

    @property
    def time(self) -> Times:
        """The times of the results."""
        return np.full(len(self.slot), self.at_ms, np.int64)

    def last_value(self, number: int) -> LastValue:
        """Return the last value of an input of the same model."""
        slot = self.slot + np.int32(number - self.number)
        return LastValue(self.state.reached.taken[slot], self.state.value[slot], self.state.kind[slot])
