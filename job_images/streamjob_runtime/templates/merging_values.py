"""The values that the records of one trigger point see."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from streamjob_runtime.expressions import Column, Fault
from streamjob_runtime.templates.arrays import Flags, Floats, Places, Slots, Times
from streamjob_runtime.templates.merging_records import Moments
from streamjob_runtime.templates.merging_state import MergingState
from streamjob_runtime.templates.merging_timeline import Timeline
from streamjob_runtime.templates.ordering import NEVER


@dataclass(frozen=True)
class LastValue:
    """The last value of one input, as each of the records sees it; its time is NEVER where there is none."""

    time: Times
    value: Floats
    is_int: Flags

    def column(self, at: Times, max_age_ms: int | None) -> Column:
        """Return it as a variable of results at these times."""
        is_missing = self.time == NEVER
        if max_age_ms is not None:
            is_missing = is_missing | (self.time < at - max_age_ms)
        return Column(self.value, self.is_int, np.where(is_missing, np.uint8(Fault.MISSING), np.uint8(Fault.NONE)))


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
            return LastValue(self.time, records.value[self.rows], records.is_int[self.rows])
        slot = self.slot + np.int32(number - self.number)
        place = self.timeline.latest(slot, self.moment, self.time)
        is_new = place >= 0
        return LastValue(
            np.where(is_new, records.time[place], before.reached.taken[slot]),
            np.where(is_new, records.value[place], before.value[slot]),
            np.where(is_new, records.is_int[place], before.is_int[slot]),
        )
