"""Records as arrays, with the moment at which each one arrived: how many records of the micro-batch came before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streamjob_runtime.templates.arrays import Flags, Floats, Places, Slots, Times
from streamjob_runtime.templates.merging_texts import Kinds, Texts

# Counts of records.
Moments = NDArray[np.int64]
# Of what arrived in an earlier micro-batch.
EARLIER = -1


@dataclass(frozen=True)
class Records:
    """Records of some slots, in any order."""

    slot: Slots
    time: Times
    value: Floats
    kind: Kinds
    arrived: Moments

    @classmethod
    def of_earlier(cls, slot: Slots, time: Times, value: Floats, kind: Kinds) -> Self:
        """Return records that arrived in an earlier micro-batch."""
        return cls(slot, time, value, kind, np.full(len(slot), EARLIER, np.int64))

    @classmethod
    def of_block(cls, block: pl.DataFrame, slots: Slots, begin: int, texts: Texts) -> Self:
        """Return the records of a SERIES_BLOCK, the first of which arrived at ``begin``."""
        counts = block["time"].list.len().to_numpy()
        values = [name for name in ("value", "is_int", "text") if name in block.columns]
        value, kind = texts.values(pl.DataFrame([block[name].explode() for name in values]))
        time, arrived = (block[name].explode().to_numpy() for name in ("time", "arrived"))
        return cls(np.repeat(slots, counts), time, value, kind, arrived.astype(np.int64) + begin)

    @classmethod
    def of_blocks(cls, blocks: Sequence[pl.DataFrame], slots: Sequence[Slots], texts: Texts) -> "Records":
        """Return the records of SERIES_BLOCKs, those of one block after those of the other."""
        parts, begin = [NO_RECORDS], 0
        for block, own in zip(blocks, slots, strict=True):
            parts.append(cls.of_block(block, own, begin, texts))
            begin = int(parts[-1].arrived.max()) + 1
        return Records.concat(parts)

    @classmethod
    def concat(cls, parts: Sequence["Records"]) -> Self:
        """Put records one after the other."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))

    def take(self, rows: Places | Flags) -> "Records":
        """Return some of the records."""
        return Records(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


NO_RECORDS = Records.of_earlier(
    np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint8)
)
