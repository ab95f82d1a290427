"""Putting the records of each asset and input into the order of their time, and dropping what comes too late for it.

A record waits until the watermark of its asset and input, the highest time that arrived, has reached its time plus the
latency; then it is *taken*, in the order of time. One at or before the last taken record is late, and so is one at the
time of a waiting record: the first stays. Without a latency each record is taken as it arrives, unless it is late.

Each record is decided against those that arrived before it, one by one, so that no cut into micro-batches changes
anything. Only a series whose times do not ascend needs that; for all others it is enough to look at the ends.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from streamjob_runtime.templates.arrays import NEVER, Flags, Places, Slots, Times
from streamjob_runtime.templates.running_maximum import earlier_maximum


@dataclass(frozen=True)
class Reached:
    """How far each series has come, by slot; NEVER where no record was seen.

    Attributes:
        highest: the watermark.
        taken: time of the last record taken.
    """

    highest: Times
    taken: Times

    def with_slots(self, count: int) -> "Reached":
        """Return the same with room for series that are new."""
        new = np.full(count - len(self.highest), NEVER)
        return Reached(np.concatenate([self.highest, new]), np.concatenate([self.taken, new]))


@dataclass(frozen=True)
class Ordered:
    """What became of some records.

    Attributes:
        taken: places of the records taken, by slot and time.
        waiting: places of the records that wait.
        late: how many were dropped.
        reached: how far the series have come now.
    """

    taken: Places
    waiting: Places
    late: int
    reached: Reached


def put_in_order(
    slot: Slots, time: Times, waited: int, reached: Reached, latency_ms: int, replaced: Flags | None = None
) -> Ordered:
    """Take the records whose turn it is.

    Args:
        slot: which series a record belongs to.
        time: the records' times.
        waited: how many of the records, the first ones, have waited already; the others are new, in arrival order.
        reached: how far the series had come.
        latency_ms: how long a record may wait.
        replaced: whether, in each series, a record may have the time of the last taken or of a waiting one, and is then
            taken or waits beside that; None: in none.
    """
    is_late = np.zeros(len(slot), np.bool_)
    is_replaced = np.zeros(len(reached.taken), np.bool_) if replaced is None else replaced
    is_late[waited:] = _late(slot, time, waited, reached, latency_ms, is_replaced)
    highest = reached.highest.copy()
    np.maximum.at(highest, slot[waited:], time[waited:])
    is_ripe = time <= highest[slot] - latency_ms
    ripe = np.flatnonzero(is_ripe & ~is_late)
    ripe = ripe[np.lexsort((time[ripe], slot[ripe]))]
    taken = reached.taken.copy()
    np.maximum.at(taken, slot[ripe], time[ripe])
    return Ordered(ripe, np.flatnonzero(~is_ripe & ~is_late), int(is_late.sum()), Reached(highest, taken))


def _late(slot: Slots, time: Times, waited: int, reached: Reached, latency_ms: int, is_replaced: Flags) -> Flags:
    """Whether each new record is late."""
    slots, times = slot[waited:], time[waited:]
    is_late = np.zeros(len(slots), np.bool_)
    rows = disordered(slots, times, reached.highest)
    if not len(rows):
        return is_late
    if not latency_ms:
        earlier = earlier_maximum(slots[rows], times[rows], reached.taken)
        is_late[rows] = (times[rows] < earlier) | ((times[rows] == earlier) & ~is_replaced[slots[rows]])
        return is_late
    for own in by_slot(slots, rows):
        number = slots[own[0]]
        waiting = np.sort(time[:waited][slot[:waited] == number]).tolist()
        marks = int(reached.highest[number]), int(reached.taken[number])
        is_late[own] = _late_one_by_one(
            times[own].tolist(), waiting, *marks, latency_ms, is_replaced=bool(is_replaced[number])
        )
    return is_late


def disordered(slot: Slots, time: Times, highest: Times) -> Places:
    """Return the places, by slot and then as they arrived, of all records of series whose times do not ascend."""
    order = np.argsort(slot, kind="stable")
    slots, times = slot[order], time[order]
    is_first = np.ones(len(slots), np.bool_)
    np.not_equal(slots[1:], slots[:-1], out=is_first[1:])
    before = np.empty_like(times)
    before[1:] = times[:-1]
    before[is_first] = highest[slots[is_first]]
    is_disordered = np.zeros(len(highest), np.bool_)
    is_disordered[slots[times <= before]] = True
    return order[is_disordered[slots]]


def by_slot(slot: Slots, rows: Places) -> Iterator[Places]:
    """Part rows, which lie by slot, into those of each slot."""
    if len(rows):
        yield from np.split(rows, np.flatnonzero(np.diff(slot[rows])) + 1)


def _late_one_by_one(
    times: list[int], waiting: list[int], highest: int, taken: int, latency_ms: int, *, is_replaced: bool
) -> list[bool]:
    """Whether each of one series' records is late; ``waiting`` holds the times that wait, ascending."""
    is_late = []
    for time in times:
        place = bisect_left(waiting, time)
        is_waiting = waiting[place : place + 1] == [time]
        is_late.append(time < taken or (not is_replaced and (time == taken or is_waiting)))
        if is_late[-1] or is_waiting:
            continue
        waiting.insert(place, time)
        highest = max(highest, time)
        ripe = bisect_right(waiting, highest - latency_ms)
        if ripe:
            taken = waiting[ripe - 1]
            del waiting[:ripe]
    return is_late
