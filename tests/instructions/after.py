"""The same two, after somebody sorted in one of them for no reason."""

from functools import partial

import polars as pl

from benchmarks.instructions.subjects import RECORDS, Subject, encoding
from streamjob_runtime.records import encode


def encode_with_a_sort(results: pl.DataFrame, org_id: str) -> pl.DataFrame:
    return encode(results.sort("time", "asset", descending=True), org_id)


SUBJECTS = (
    Subject("unchanged", encoding, RECORDS),
    Subject("changed", partial(encoding, encode_with_a_sort), RECORDS),
)
