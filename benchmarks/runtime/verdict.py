"""Whether a contestant's results are what must come of the readings: nothing missing, nothing too much, all right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from benchmarks.runtime.contestant import MODEL, POINTS

_KEY = ["asset", "point", "time"]
_RELATIVE_TOLERANCE = 1e-9  # of sums, which depend on the order of adding
_RECORD = pl.Struct({
    "orgId": pl.String, "modelId": pl.String, "modelIdPath": pl.String, "assetId": pl.String, "pointId": pl.String,
    "time": pl.Int64, "value": pl.Float64, "quality": pl.Int64,
    "attr": pl.Struct({"windowAggregator": pl.Struct({"calType": pl.String, "calMode": pl.String})}),
})  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What was found on a topic of results.

    Attributes:
        results: how many records there are.
        repeated: how many of them say an (asset, point, time) once more.
        missing: results that must be there and are not.
        fault: what refuses the run, with an example; empty where everything is there and right.
    """

    results: int
    repeated: int
    missing: int
    fault: str


def judge(records: Iterable[tuple[bytes, bytes]], wanted: pl.DataFrame, org_id: str) -> Verdict:
    """Compare keys and records, in their order, with what must come of the readings; the last of each key counts.

    Args:
        records: keys and values of the messages.
        wanted: the frame of ``load.expected_results``.
        org_id: of all records.
    """
    keys, values = zip(*records, strict=True) if (records := list(records)) else ((), ())
    raw = pl.DataFrame({"key": keys, "text": values}, schema={"key": pl.Binary, "text": pl.Binary}).cast(pl.String)
    try:
        decoded = raw.with_columns(pl.col("text").str.json_decode(_RECORD).alias("record")).unnest("record")
    except pl.exceptions.ComputeError as error:
        return Verdict(len(raw), 0, len(wanted), f"a record is no JSON of the contract's form: {error}")
    found = decoded.rename({"assetId": "asset", "pointId": "point"}).unique(_KEY, keep="last", maintain_order=True)
    missing = wanted.join(found, on=_KEY, how="anti")
    faults = [_malformed(decoded, org_id), _told("missing", missing), _surplus(found, wanted), _wrong(found, wanted)]
    return Verdict(len(raw), len(raw) - len(found), len(missing), "; ".join(filter(None, faults)))


def _malformed(decoded: pl.DataFrame, org_id: str) -> str:
    """Records that are not as the contract has them, whatever their value is."""
    calculation = pl.col("attr").struct.field("windowAggregator").struct
    kind = calculation.field("calType")
    written_as_integer = pl.col("text").str.contains(r'"value": ?\d+[,}]')
    is_right = (
        (pl.col("key") == pl.col("assetId"))
        & (pl.col("orgId") == org_id)
        & (pl.col("modelId") == MODEL)
        & (pl.col("modelIdPath") == f"/{MODEL}")
        & (pl.col("quality") == 0)
        & (calculation.field("calMode") == "final")
        & (kind.replace_strict(POINTS, default=None) == pl.col("pointId"))
        & ((kind != "cnt") | written_as_integer)
    )
    return _told("not of the contract's form", decoded.filter(~is_right.fill_null(value=False)).select("key", "text"))


def _surplus(found: pl.DataFrame, wanted: pl.DataFrame) -> str:
    return _told("too many", found.join(wanted, on=_KEY, how="anti").select(*_KEY, "value"))


def _wrong(found: pl.DataFrame, wanted: pl.DataFrame) -> str:
    both = found.select(*_KEY, "value").join(wanted, on=_KEY, suffix="_wanted")
    tolerance = pl.when(pl.col("point") == POINTS["sum"]).then(_RELATIVE_TOLERANCE).otherwise(0.0)
    differs = (pl.col("value") - pl.col("value_wanted")).abs() > tolerance * pl.col("value_wanted").abs()
    return _told("wrong", both.filter(differs.fill_null(value=True)))


def _told(what: str, rows: pl.DataFrame) -> str:
    return f"{len(rows)} results are {what}, such as {rows.row(0)}" if len(rows) else ""
