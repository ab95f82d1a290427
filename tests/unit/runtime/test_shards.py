"""Shards: pinned for ever, even, and each in a partition of its own."""

import polars as pl
import pytest

from streamjob_runtime.shards import FORMER, Shards, partition_of

# Never change these: every job's state lies under them. CRC-32's published check value, of "123456789", is 0xCBF43926.
PINNED = {"123456789": 0xCBF43926 % 64, "mtr00001": 15, "mtr00002": 53, "a": 3, "": 0, "ζähler 😀": 12}
KEYS_OF_FOUR = (12, 6, 2, 0)


def test_an_asset_keeps_its_shard() -> None:
    assets = pl.Series(list(PINNED), dtype=pl.String)
    assert Shards.of(FORMER).of_assets(assets).to_list() == list(PINNED.values())
    assert Shards.of(4).of_assets(assets).to_list() == [KEYS_OF_FOUR[shard % 4] for shard in PINNED.values()]


def test_keys_are_pinned() -> None:
    assert Shards.of(FORMER).keys == tuple(range(64))
    assert Shards.of(4).keys == KEYS_OF_FOUR


def test_the_hash_is_sparks() -> None:
    """``SELECT hash(0), hash(1)`` gives 933211791 and -559580957."""
    assert [partition_of(number, 1_000_003) for number in (0, 1)] == [933_211_791 % 1_000_003, -559_580_957 % 1_000_003]


@pytest.mark.parametrize("number", [1, 2, 4, 8, 16, 32])
def test_each_partition_has_one_shard(number: int) -> None:
    assert [partition_of(key, number) for key in Shards.of(number).keys] == list(range(number))


@pytest.mark.parametrize("number", [4, FORMER])
def test_assets_are_spread_evenly(number: int) -> None:
    rows = pl.DataFrame({"asset": [f"mtr{number:05d}" for number in range(10_000)]})
    sizes = [block.height for block in Shards.of(number).parted(rows).values()]
    assert len(sizes) == number
    assert max(sizes) < 1.5 * 10_000 / number
