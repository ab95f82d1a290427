"""The shards of a job's state: which one an asset belongs to, and how Spark is made to spread them evenly.

A shard is a key of Spark's state, and holds the blocks of all its assets. Each costs a micro-batch
milliseconds, whatever it holds, so there are no more of them than partitions of the state; a checkpoint says how many
(``state_layout``).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import polars as pl

# Of every checkpoint that was made before their number could be another one; they have the keys 0 to 63. For that
# reason it is part of the identity of all calculations, too.
FORMER = 64
_UINT32 = 0xFFFFFFFF
_SPARKS_SEED = 42


@dataclass(frozen=True)
class Shards:
    """The shards of one state.

    Attributes:
        keys: what Spark knows them by.
    """

    keys: tuple[int, ...]

    @classmethod
    def of(cls, number: int) -> Self:
        """Return as many shards as there are partitions, one for each; or the FORMER ones, wherever they fall."""
        return cls(tuple(range(FORMER) if number == FORMER else _placed(number)))

    def of_asset(self, asset: str) -> int:
        """Return the shard of one asset.

        It is chosen by the CRC-32 (IEEE 802.3, as in zlib) of the id's UTF-8 bytes. Checkpoints rely on it: a change
        would lose every job's state.
        """
        return self.keys[zlib.crc32(asset.encode()) % len(self.keys)]

    def of_assets(self, assets: pl.Series) -> pl.Series:
        """Return the shard of each asset, i32; meant for distinct assets, not for each record."""
        import polars as pl  # noqa: PLC0415 (half a second, which planning processes need not spend)

        keys, number = self.keys, len(self.keys)
        crcs = map(zlib.crc32, assets.cast(pl.Binary).to_list())
        return pl.Series("shard", [keys[crc % number] for crc in crcs], dtype=pl.Int32)

    def parted(self, rows: pl.DataFrame) -> dict[int, pl.DataFrame]:
        """Part rows with a column ``asset`` into those of each shard, in their order."""
        by_shard = rows.with_columns(self.of_assets(rows["asset"])).partition_by(
            "shard", as_dict=True, include_key=False, maintain_order=True
        )
        return {int(shard): block for (shard,), block in by_shard.items()}


def _placed(partitions: int) -> Iterator[int]:
    """Yield for each of Spark's partitions the lowest number that it puts there."""
    for partition in range(partitions):
        yield next(number for number in count() if partition_of(number, partitions) == partition)


def partition_of(number: int, partitions: int) -> int:
    """Return where Spark puts rows that are grouped by an integer: its Murmur3 (x86, 32 bits), modulo partitions."""
    mixed = (number & _UINT32) * 0xCC9E2D51 & _UINT32
    mixed = _rotated(mixed, 15) * 0x1B873593 & _UINT32
    value = _rotated(_SPARKS_SEED ^ mixed, 13) * 5 + 0xE6546B64 & _UINT32
    value ^= 4  # bytes
    value = (value ^ value >> 16) * 0x85EBCA6B & _UINT32
    value = (value ^ value >> 13) * 0xC2B2AE35 & _UINT32
    value ^= value >> 16
    signed = value - (1 << 32) if value >> 31 else value
    return signed % partitions


def _rotated(value: int, bits: int) -> int:
    return (value << bits | value >> (32 - bits)) & _UINT32
