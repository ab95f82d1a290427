"""Windows, or the panes of sliding windows, as arrays: what the fold merges.

A shard's share of a micro-batch is often a few dozen rows, where a data frame's fixed cost per operation (0.15 ms, so
12-15 ms a fold and a second for 64 shards) is a hundred times that of an array's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streamjob_runtime.templates import sums

_PLAIN = pl.Schema(
    {
        "slot": pl.Int32,
        "group": pl.Int32,
        "start": pl.Int64,
        "low": pl.Float64,
        "high": pl.Float64,
        "count": pl.Int64,
        "is_int": pl.Boolean,
    }
)


def window_schema(*, has_sums: bool) -> pl.Schema:
    """Columns of windows as a data frame: slot (of the asset and input), group, start, aggregates, parts of sums."""
    return pl.Schema([*_PLAIN.items(), *((part, pl.Float64()) for part in (sums.PARTS if has_sums else ()))])


@dataclass(frozen=True)
class Rows:
    """Windows, panes or records, one a row: arrays of one length; ``parts`` has a row for each part of a sum, or none.

    Attributes:
        count: how many values; 0 where all that there were have been withdrawn.
        is_settled: of a tumbling window, that it has left as ``onTime``; of what stands for records, that no record
            replaces it.
        is_new: whether it came with this micro-batch.
    """

    slot: NDArray[np.int32]
    group: NDArray[np.int32]
    start: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    count: NDArray[np.int64]
    is_int: NDArray[np.bool_]
    parts: NDArray[np.float64]
    is_settled: NDArray[np.bool_]
    is_new: NDArray[np.bool_]

    @classmethod
    def of(cls, frame: pl.DataFrame, *, has_sums: bool, is_new: bool) -> Self:
        """Read a data frame of ``window_schema``; nothing is settled where the frame has no column ``on_time``."""
        column = {name: frame[name].to_numpy() for name in _PLAIN}
        parts = [frame[part].to_numpy() for part in sums.PARTS] if has_sums else np.empty((0, frame.height))
        settled = frame["on_time"].to_numpy() if "on_time" in frame.columns else np.zeros(frame.height, np.bool_)
        return cls(**column, parts=np.asarray(parts), is_settled=settled, is_new=np.full(frame.height, is_new))

    @classmethod
    def none(cls, *, has_sums: bool) -> Self:
        """Return no rows."""
        return cls.of(window_schema(has_sums=has_sums).to_frame(), has_sums=has_sums, is_new=False)

    @classmethod
    def concat(cls, parts: "Sequence[Rows]") -> Self:
        """Put rows one after the other."""
        names = cls.__dataclass_fields__
        return cls(**{name: np.concatenate([getattr(rows, name) for rows in parts], axis=-1) for name in names})

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "Rows":
        """Return some of the rows, by position, by mask, or side by side."""
        return Rows(**{name: getattr(self, name)[..., index] for name in self.__dataclass_fields__})

    def with_slots(self, slot: NDArray[np.int32]) -> "Rows":
        """Return the rows with other slots."""
        return replace(self, slot=slot)

    def to_frame(self) -> pl.DataFrame:
        """Return the rows as they lie in the state: ``window_schema`` and ``on_time``."""
        columns = {name: getattr(self, name) for name in _PLAIN}
        parts = dict(zip(sums.PARTS, self.parts, strict=False))
        return pl.DataFrame({**columns, **parts, "on_time": self.is_settled})

    def merged(self) -> "Rows":
        """Merge rows of the same start, slot and group, sorted by these; associative and commutative."""
        if not len(self.slot):
            return self
        rows = self.take(np.lexsort((self.group, self.slot, self.start)))
        same = (np.diff(rows.start) == 0) & (np.diff(rows.slot) == 0) & (np.diff(rows.group) == 0)
        return rows.reduced(np.flatnonzero(np.concatenate([[True], ~same])))

    def reduced(self, first: NDArray[np.intp]) -> "Rows":
        """Merge the rows from each place to the next one, and from the last to the end.

        Where the next place is not further on, only the row at the place itself is taken.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # A sum that overflows leaves as null.
            parts = np.add.reduceat(self.parts, first, axis=-1) if len(self.parts) else self.parts[:, first]
        return Rows(
            slot=self.slot[first],
            group=self.group[first],
            start=self.start[first],
            low=np.minimum.reduceat(self.low, first),
            high=np.maximum.reduceat(self.high, first),
            count=np.add.reduceat(self.count, first),
            is_int=np.logical_and.reduceat(self.is_int, first),
            parts=parts,
            is_settled=np.logical_or.reduceat(self.is_settled, first),
            is_new=np.logical_or.reduceat(self.is_new, first),
        )
