"""Which records of each asset and input are taken, and in which order.

A record waits until the watermark of its asset and input, the highest time that arrived, has reached its time plus the
latency; then it is *taken*, in the order of time. Without a latency each record is taken as it arrives.

A record at or before the *mark* is dropped. The mark is the reference's time: of a power the last record taken; of a
meter the last one taken that had another reading than the one before it, so that a record which comes after a flat one
but belongs before it is taken all the same. A record at the time of one that waits is dropped too: the first stays.

On a calculated input a time that comes again is a corrected result. It replaces the record that waits; at the time of
the mark it is dropped, and counted as ``repeated`` in place of ``late``. What lies before the mark is late: whether its
time was there before is not known any more.

Each record is decided against those that arrived before it, one by one, so that no cut into micro-batches changes
anything. Only a series whose times do not ascend needs that; for all others it is enough to look at the ends.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from streamjob_runtime.templates.arrays import Flags, Floats, Places, Times
from streamjob_runtime.templates.chains import Records
from streamjob_runtime.templates.ordering import Reached, by_slot, disordered


@dataclass(frozen=True)
class Marks:
    """What decides whether a record comes too late, by slot.

    Attributes:
        time: at or before it a record is dropped.
        value: the reading there; NaN where there is none, or where every record moves the mark.
        is_calculated: whether an equal time replaces a record that waits.
    """

    time: Times
    value: Floats
    is_calculated: Flags


@dataclass(frozen=True)
class Ordered:
    """What became of some records.

    Attributes:
        taken: places of the records taken, by slot and in the order in which they were.
        waiting: places of the records that wait.
        late, repeated: how many were dropped, each for one reason.
        reached: how far the series have come now.
    """

    taken: Places
    waiting: Places
    late: int
    repeated: int
    reached: Reached


@dataclass(frozen=True)
class EnergyOrder:
    """Takes the records of one micro-batch.

    Args:
        latency_ms: how long a record may wait.
        holds_flat: whether a record of the mark's value leaves the mark where it is.
    """

    latency_ms: int
    holds_flat: bool

    def take(self, records: Records, waited: int, reached: Reached, marks: Marks, is_ended: Flags) -> Ordered:
        """Take the records whose turn it is.

        Args:
            records: the first ``waited`` have waited already; the others are new, in arrival order.
            waited: how many these are.
            reached: how far the series had come.
            marks: where they were left.
            is_ended: by slot, of which series nothing waits on; they have no new records.
        """
        slot, time = records.slot, records.time
        highest = reached.highest.copy()
        np.maximum.at(highest, slot[waited:], time[waited:])
        is_ripe = (time <= highest[slot] - self.latency_ms) | is_ended[slot]
        is_dropped, turn = np.zeros(len(slot), np.bool_), time.copy()
        late = repeated = 0
        for queue in self._queues(records, waited, reached, marks):
            is_ripe[queue.given] = False
            is_ripe[queue.taken], turn[queue.taken] = True, np.arange(len(queue.taken))
            is_dropped[queue.dropped] = is_dropped[queue.replaced] = True
            late, repeated = late + len(queue.dropped) - queue.repeated, repeated + queue.repeated
        ripe = np.flatnonzero(is_ripe & ~is_dropped)
        ripe = ripe[np.lexsort((turn[ripe], slot[ripe]))]
        taken = reached.taken.copy()
        np.maximum.at(taken, slot[ripe], time[ripe])
        waiting = np.flatnonzero(~is_ripe & ~is_dropped)
        return Ordered(ripe, waiting, late, repeated, Reached(highest, taken))

    def _queues(self, records: Records, waited: int, reached: Reached, marks: Marks) -> Iterator["_Queue"]:
        """Go through the series whose times do not ascend."""
        slot, time = records.slot, records.time
        rows = waited + disordered(slot[waited:], time[waited:], reached.highest)
        if not len(rows):
            return
        before = np.lexsort((time[:waited], slot[:waited]))
        slots_before = slot[before]
        for own in by_slot(slot, rows):
            number = slot[own[0]]
            begin, end = np.searchsorted(slots_before, [number, number + 1])
            queue = _Queue(
                order=self,
                mark=int(marks.time[number]),
                value=float(marks.value[number]),
                is_calculated=bool(marks.is_calculated[number]),
                times=time[before[begin:end]].tolist(),
                places=before[begin:end].tolist(),
            )
            queue.run(own.tolist(), records, int(reached.highest[number]))
            yield queue


@dataclass
class _Queue:
    """One series, record by record; records are named by their places.

    Attributes:
        mark, value: of ``Marks``.
        times, places: of the records that wait, ascending.
        given: all that waited or arrived; each of them is taken, dropped or replaced, or waits on.
        repeated: how many of the dropped ones are corrections of what was taken.
    """

    order: EnergyOrder
    mark: int
    value: float
    is_calculated: bool
    times: list[int]
    places: list[int]
    given: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    repeated: int = 0

    def run(self, arrived: list[int], records: Records, highest: int) -> None:
        """Take what arrived; ``highest`` is the watermark before."""
        self.given = self.places + arrived
        times, values = records.time[arrived].tolist(), records.value
        for place, time in zip(arrived, times, strict=True):
            if not self._admit(place, time):
                continue
            highest = max(highest, time)
            ripe = bisect_right(self.times, highest - self.order.latency_ms)
            for number in range(ripe):
                self._move(self.times[number], float(values[self.places[number]]))
            self.taken += self.places[:ripe]
            del self.times[:ripe], self.places[:ripe]

    def _admit(self, place: int, time: int) -> bool:
        """Let a record wait in its place, unless it comes too late."""
        at = bisect_left(self.times, time)
        is_known = self.times[at : at + 1] == [time]
        if time <= self.mark or (is_known and not self.is_calculated):
            self.dropped.append(place)
            self.repeated += self.is_calculated and time == self.mark
            return False
        if is_known:
            self.replaced.append(self.places[at])
            self.places[at] = place
        else:
            self.times.insert(at, time)
            self.places.insert(at, place)
        return True

    def _move(self, time: int, value: float) -> None:
        """Take a record: the mark moves to it, unless it is flat."""
        if not self.order.holds_flat or value != self.value:
            self.mark, self.value = time, value
