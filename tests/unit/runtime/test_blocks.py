"""Blocks: data frames as bytes."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from polars.testing.parametric import dataframes

from streamjob_runtime.blocks import FORMAT_VERSION, IncompatibleBlock, from_bytes, to_bytes

TYPES = [pl.String, pl.Int32, pl.Int64, pl.Float64, pl.Boolean]


@settings(max_examples=50, deadline=None)
@given(frame=dataframes(allowed_dtypes=TYPES, max_cols=5, max_size=20))
def test_a_block_gives_back_the_frame(frame: pl.DataFrame) -> None:
    assert_frame_equal(from_bytes(to_bytes(frame)), frame)


def test_the_first_byte_is_the_format_version() -> None:
    assert to_bytes(pl.DataFrame({"a": [1]}))[0] == FORMAT_VERSION


@settings(max_examples=50, deadline=None)
@given(version=st.integers(0, 255).filter(lambda version: version != FORMAT_VERSION))
def test_another_format_version_is_named(version: int) -> None:
    with pytest.raises(IncompatibleBlock, match=f"version {version};"):
        from_bytes(bytes([version]) + to_bytes(pl.DataFrame({"a": [1]}))[1:])


@pytest.mark.parametrize("data", [b"", bytes([FORMAT_VERSION]), bytes([FORMAT_VERSION]) + b"no arrow"])
def test_bytes_that_are_no_block_are_incompatible(data: bytes) -> None:
    with pytest.raises(IncompatibleBlock):
        from_bytes(data)


@settings(max_examples=100, deadline=None)
@given(end=st.integers(0, 300))
def test_a_block_that_is_cut_off_is_incompatible_or_shorter_by_its_end_mark(end: int) -> None:
    frame = pl.DataFrame({"a": list(range(50)), "b": ["text"] * 50})
    whole = to_bytes(frame)
    try:
        assert_frame_equal(from_bytes(whole[: -end or None]), frame)
    except IncompatibleBlock:
        assert end > 0
