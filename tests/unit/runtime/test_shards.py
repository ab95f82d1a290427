"""Shards: values that checkpoints rely on."""

import polars as pl

from streamjob_runtime.shards import SHARDS, shard_of

# Never change these: every job's state lies under them. CRC-32's published check value, of "123456789", is 0xCBF43926.
PINNED = {"123456789": 0xCBF43926 % 64, "mtr00001": 15, "mtr00002": 53, "a": 3, "": 0, "ζähler 😀": 12}


def test_shards_are_what_they_always_were() -> None:
    assert shard_of(pl.Series(list(PINNED), dtype=pl.String)).to_list() == list(PINNED.values())


def test_numbered_assets_spread_over_all_shards() -> None:
    sizes = shard_of(pl.Series([f"mtr{number:05d}" for number in range(10_000)])).value_counts()["count"]
    assert len(sizes) == SHARDS
    assert sizes.to_numpy().max() < 1.5 * 10_000 / SHARDS
