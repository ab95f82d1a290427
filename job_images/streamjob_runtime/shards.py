"""Which shard of the state an asset belongs to."""

import zlib

import polars as pl

# Fixed for ever: part of every checkpoint's identity, so that a change of CU only restarts a job.
SHARDS = 64


def shard_number(asset: str) -> int:
    """Return the shard of one asset.

    It is the CRC-32 (IEEE 802.3, as in zlib) of the id's UTF-8 bytes, modulo SHARDS. Checkpoints rely on the values:
    changing them loses every job's state.
    """
    return zlib.crc32(asset.encode()) % SHARDS


def shard_of(assets: pl.Series) -> pl.Series:
    """Return the shard of each asset, i32 in ``[0, SHARDS)``; meant for distinct assets, not for each record."""
    return pl.Series("shard", [shard_number(asset) for asset in assets.to_list()], dtype=pl.Int32)
