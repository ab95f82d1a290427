"""Sums of energy over days, and over the details of days.

A *period* is a day or a detail: one of the equal parts of a day, counted from its local 00:00. An interval belongs to
the period of its end. A period is over when a record of a later one is taken, be it flat or rejected, and is then
given: with 0 where records came but no energy, not at all where nothing came.

Each sum is added up in the order in which records are taken, one after the other, so that no cut into micro-batches
changes a bit of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from streamjob_runtime.templates.arrays import NEVER, Flags, Floats, Places, Slots, Times
from streamjob_runtime.templates.days import Days

PeriodOf = Callable[[Times], Times]


def details_of(days: Days, interval_ms: int) -> PeriodOf:
    """Return what gives the start of the detail of each time."""

    def starts(times: Times) -> Times:
        day = days.starts(times)
        return day + (times - day) // interval_ms * interval_ms

    return starts


@dataclass(frozen=True)
class Pieces:
    """Energy, by slot and in the order in which it adds up; each record has a piece, be it 0.

    Attributes:
        at: a time in the period that the energy belongs to.
    """

    slot: Slots
    at: Times
    energy: Floats


def split_at_midnight(pieces: Pieces, since: Times, is_accepted: Flags, days: Days) -> Pieces:
    """Split accepted intervals by time over the days that they cross.

    Args:
        pieces: one for each interval, at its end.
        since: where the intervals begin.
        is_accepted: which intervals have energy to split.
        days: the days.
    """
    crossing = np.flatnonzero(is_accepted)
    row, midnight = days.midnights(since[crossing], pieces.at[crossing])
    if not len(row):
        return pieces
    row = crossing[row]
    is_first = np.diff(row, prepend=-1) != 0
    begin = np.where(is_first, since[row], np.roll(midnight, 1))
    elapsed_ms, energy = pieces.at - since, pieces.energy.copy()
    before = pieces.energy[row] * (midnight - begin) / elapsed_ms[row]
    last = np.flatnonzero(np.diff(row, append=-1) != 0)
    own = row[last]
    energy[own] = pieces.energy[own] * (pieces.at[own] - midnight[last]) / elapsed_ms[own]
    # A piece that ends with its day comes after the day's records: it begins with the last of them.
    columns = ((pieces.slot, pieces.slot[row]), (pieces.at, midnight - 1), (energy, before))
    return Pieces(*(np.concatenate(pair) for pair in columns))


@dataclass(frozen=True)
class Course:
    """How a fold moved the series that had records taken.

    Attributes:
        slots: these series.
        taken_before, taken: highest time of the records taken, of each; NEVER before the first one.
        since_before, since: time of the reference, of each.
        was_given: whether the open period has been given already, because the series was silent.
        is_ended: whether nothing follows, so that open periods are over.
    """

    slots: Slots
    taken_before: Times
    taken: Times
    since_before: Times
    since: Times
    was_given: Flags
    is_ended: Flags


@dataclass(frozen=True)
class Turn:
    """How a fold finds the series, by slot.

    Attributes:
        taken_before, was_given, is_ended: of ``Course``.
    """

    taken_before: Times
    was_given: Flags
    is_ended: Flags

    def course(self, slots: Slots, taken: Times, since_before: Times, since: Times) -> Course:
        """Return the course of some series; the others are by slot, too."""
        return Course(
            slots=slots,
            taken_before=self.taken_before[slots],
            taken=taken[slots],
            since_before=since_before[slots],
            since=since[slots],
            was_given=self.was_given[slots],
            is_ended=self.is_ended[slots],
        )


@dataclass(frozen=True)
class Sums:
    """Sums to be given, by slot and time.

    Attributes:
        period: start of the period.
        is_over: whether the period is over; else it is open and has changed.
    """

    slot: Slots
    period: Times
    value: Floats
    is_over: Flags

    @property
    def only_over(self) -> "Sums":
        """The sums of periods that are over."""
        rows = self.is_over
        return Sums(self.slot[rows], self.period[rows], self.value[rows], rows[rows])


def add_up(pieces: Pieces, course: Course, sums: Floats, period_of: PeriodOf) -> Sums:
    """Add pieces to the sums of the reference's period (by slot, changed in place); return those to be given.

    The period of the reference may be over and given already, where only flat records followed: it is given again when
    it gets its share of an interval across midnight.
    """
    known = course.taken_before != NEVER
    slots = course.slots[known]
    slot = np.concatenate([slots, slots, pieces.slot])
    at = np.concatenate([course.since_before[known], course.taken_before[known], pieces.at])
    energy = np.concatenate([sums[slots], np.zeros(len(slots)), pieces.energy])
    # A period is given for its records, not for the sum that is kept; and not for what was given already.
    counts = np.concatenate(
        [np.zeros(len(slots), np.bool_), ~course.was_given[known], np.ones(len(pieces.slot), np.bool_)]
    )
    period = period_of(at)
    order = np.lexsort((period, slot))
    starts = _starts(slot[order], period[order])
    group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(order)))
    totals = Sums(
        slot=slot[order][starts],
        period=period[order][starts],
        value=_added_up(energy[order], group),
        is_over=np.zeros(len(starts), np.bool_),
    )
    has_records = np.logical_or.reduceat(counts[order], starts)
    has_energy = np.logical_or.reduceat((counts & (energy != 0))[order], starts)
    return _given(totals, has_records, has_energy, course, sums, period_of)


def _starts(slot: Slots, period: Times) -> Places:
    return np.flatnonzero(np.concatenate([[True], (np.diff(slot) != 0) | (np.diff(period) != 0)]))


def _added_up(energy: Floats, group: Places) -> Floats:
    """Return the sum of each group; unlike other sums of NumPy's, bincount adds term after term."""
    total: Floats = np.asarray(np.bincount(group, weights=energy), np.float64)
    return total


def _given(
    totals: Sums, has_records: Flags, has_energy: Flags, course: Course, sums: Floats, period_of: PeriodOf
) -> Sums:
    """Keep the sums of the references' periods, and return those to be given."""
    place = np.searchsorted(course.slots, totals.slot)
    kept = totals.period == period_of(course.since)[place]
    sums[totals.slot[kept]] = totals.value[kept]
    is_over = (totals.period < period_of(course.taken)[place]) | course.is_ended[place]
    rows = (is_over & has_records) | (~is_over & has_energy)
    return Sums(totals.slot[rows], totals.period[rows], totals.value[rows], is_over[rows])
