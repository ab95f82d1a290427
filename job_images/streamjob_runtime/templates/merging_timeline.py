"""Who knew what when: the last value of an asset and input at the moment at which another record is taken.

A *moment* says how many records of the micro-batch had arrived. Without a latency a record is taken at the moment it
arrives; with one, at the moment at which a record of its own asset and input brings the watermark to its time plus the
latency, or at once where it comes even later.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from streamjob_runtime.templates.arrays import Flags, Places, Slots, Times
from streamjob_runtime.templates.merging_records import Moments, Records

# How far a moment lies behind the last one: the end of the input, and what has not come at all.
_END, _NOT_YET, _SPAN = 1, 2, 4


@dataclass(frozen=True)
class Timeline:
    """Records that are not late, by slot, time and arrival; those of one time replace one another.

    Attributes:
        taken: the moment at which each one is taken, or would be if none had replaced it; beyond ``end`` of those that
            wait.
        end: the moment after all that happened.
        has_latency: whether a record may wait.
    """

    records: Records
    taken: Moments
    end: int
    has_latency: bool

    @classmethod
    def of(cls, kept: Records, arrived: Records, highest: Times, latency_ms: int) -> Self:
        """Order the records of a micro-batch.

        Args:
            kept: those that are not late, with those that waited.
            arrived: all that are new, late ones too, in the order of their arrival within each slot.
            highest: the watermarks from before, by slot.
            latency_ms: how long a record may wait.
        """
        records = kept.take(np.lexsort((kept.arrived, kept.time, kept.slot)))
        last = int(arrived.arrived.max(initial=-1))
        taken = records.arrived
        if latency_ms:
            due = records.time + latency_ms
            moments = _moments_reached(arrived, records.slot, due, last + _NOT_YET)
            taken = np.where(highest[records.slot] >= due, taken, np.maximum(taken, moments))
        return cls(records, taken, last + _END, latency_ms > 0)

    @property
    def is_taken(self) -> Flags:
        """Whether a record does not wait any more."""
        return self.taken <= self.end

    @property
    def has_turn(self) -> Flags:
        """Whether a record is taken, and was not replaced before its turn came."""
        return self.is_taken & (self._replaced_at >= self.taken)

    @property
    def still_waits(self) -> Flags:
        """Whether a record waits, and was not replaced."""
        return ~self.is_taken & (self._replaced_at > self.end)

    @cached_property
    def _replaced_at(self) -> Moments:
        """The moment at which another record of the same slot and time arrived; beyond all others of most."""
        records = self.records
        moment = np.full(len(records.slot), self.end + _SPAN, np.int64)
        is_replaced = (records.slot[1:] == records.slot[:-1]) & (records.time[1:] == records.time[:-1])
        moment[:-1][is_replaced] = records.arrived[1:][is_replaced]
        return moment

    def latest(self, slot: Slots, moment: Moments, time: Times) -> Places:
        """Return the place of the last value of a slot that a record of the timeline knows; -1: it is from before.

        Known is what was taken by its moment, and of what waits that which is not later than its time. The last value
        is the one with the highest time.
        """
        span = self.end + _SPAN
        taken = self._last(slot, _lifted(self.records.slot, self.taken, span), _lifted(slot, moment, span))
        return np.maximum(taken, self._waiting(slot, moment, time, span)) if self.has_latency else taken

    def _waiting(self, slot: Slots, moment: Moments, time: Times, span: int) -> Places:
        """Return the place of the last record that has arrived and is not later than ``time``; -1 for none."""
        own = self.records
        times = np.unique(own.time)
        rank, limit = np.searchsorted(times, own.time), np.searchsorted(times, time, side="right") - 1
        by_time = self._last(slot, _lifted(own.slot, rank, len(times) + 1), _lifted(slot, limit, len(times) + 1))
        # The first to arrive of each record and those after it: what can be found at the moment lies not behind it.
        first = np.minimum.accumulate(_lifted(own.slot, own.arrived, span)[::-1])[::-1]
        place = np.minimum(by_time, self._last(slot, first, _lifted(slot, moment, span)))
        while len(behind := np.flatnonzero((place >= 0) & (own.arrived[place] > moment))):
            place[behind] = self._own(place[behind] - 1, slot[behind])
        return place

    def _last(self, slot: Slots, lifted: Moments, limit: Moments) -> Places:
        """Return the last place whose number is within the limit, -1 where it belongs to another slot."""
        return self._own(np.searchsorted(lifted, limit, side="right") - 1, slot)

    def _own(self, place: Places, slot: Slots) -> Places:
        return np.where((place >= 0) & (self.records.slot[place] == slot), place, -1)


def _lifted(slot: Slots, number: Moments | Places, span: int) -> Moments:
    """Return numbers, from -1 and below ``span - 1``, lifted above those of all lower slots."""
    return slot.astype(np.int64) * span + number + 1


def _moments_reached(arrived: Records, slot: Slots, due: Times, not_yet: int) -> Moments:
    """Return the moments at which the watermarks of slots reach some times; ``not_yet`` where they do not."""
    if not len(arrived.slot):
        return np.full(len(slot), not_yet, np.int64)
    order = np.argsort(arrived.slot, kind="stable")
    slots, times = arrived.slot[order], np.unique(arrived.time)
    span = len(times) + 2
    watermark = np.maximum.accumulate(_lifted(slots, np.searchsorted(times, arrived.time[order]), span))
    place = np.searchsorted(watermark, _lifted(slot, np.searchsorted(times, due), span))
    found = np.minimum(place, len(slots) - 1)
    is_reached = (place < len(slots)) & (slots[found] == slot)
    return np.where(is_reached, arrived.arrived[order][found], not_yet)
