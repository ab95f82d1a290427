"""The records that a fold takes, series after series."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from streamjob_runtime.templates.arrays import Flags, Floats, Places, Slots, Times

NumberT = TypeVar("NumberT", np.float64, np.int64)


@dataclass(frozen=True)
class Records:
    """Records in any order."""

    slot: Slots
    time: Times
    value: Floats

    @classmethod
    def concat(cls, parts: Sequence["Records"]) -> Self:
        """Put records one after the other."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("slot", "time", "value")))

    def take(self, rows: Places | Flags) -> "Records":
        """Return some of the records."""
        return Records(self.slot[rows], self.time[rows], self.value[rows])


NO_RECORDS = Records(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.float64))


@dataclass(frozen=True)
class Chains(Records):
    """Records by slot, and in the order in which they are taken."""

    @classmethod
    def of(cls, records: Records) -> Self:
        """Take records that lie like this."""
        return cls(records.slot, records.time, records.value)

    @cached_property
    def is_first(self) -> Flags:
        """Whether a record is the first of its series in this fold."""
        first = np.ones(len(self.slot), np.bool_)
        np.not_equal(self.slot[1:], self.slot[:-1], out=first[1:])
        return first

    @cached_property
    def first(self) -> Places:
        """Place of the first record of each record's series."""
        starts = np.flatnonzero(self.is_first)
        return np.repeat(starts, np.diff(starts, append=len(self.slot)))

    @cached_property
    def ends(self) -> Places:
        """Place of the last record of each series."""
        return np.flatnonzero(np.append(self.is_first[1:], True)) if len(self.slot) else np.empty(0, np.intp)

    def before(self, values: NDArray[NumberT], known: NDArray[NumberT]) -> NDArray[NumberT]:
        """Return the value of the record before each one; of the first ones what is ``known`` of their slot."""
        result = np.empty_like(values)
        result[1:] = values[:-1]
        result[self.is_first] = known[self.slot[self.is_first]]
        return result

    def latest(self, values: NDArray[NumberT], counts: Flags, known: NDArray[NumberT]) -> NDArray[NumberT]:
        """Return the value of the last record that ``counts``, each up to itself; else what is ``known``."""
        place = np.maximum.accumulate(np.where(counts, np.arange(len(counts)), -1))
        return np.where(place >= self.first, values[place], known[self.slot])
