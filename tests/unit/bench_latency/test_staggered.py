"""What the latency's benchmark expects and times, beside the oracle's loops over the messages one by one."""

import json

import polars as pl
import pytest

from benchmarks.driven.streams import MODEL
from benchmarks.latency.staggered import JOB, WINDOW_MS, Staggered, closing_round, wanted
from oracles import windows

STREAM = Staggered.of(125, 130)


def records() -> list[windows.Record]:
    return [
        (item["assetId"], f"{MODEL}::Reading", item["time"], item["measurepoints"]["Reading"])
        for number in STREAM.all_rounds
        for text in STREAM.texts(number)
        for item in json.loads(text)["payload"]
    ]


def test_the_windows_are_those_of_the_loops() -> None:
    policies, latency_ms = windows.policies_of(JOB.spec(1).block["timeWindowAggregation"])
    found = windows.expected(records(), policies, latency_ms)
    expected = {
        (asset, point.partition("::")[2], time): float(value or 0)
        for (asset, point, time), value in found.results.items()
        if found.modes.get((asset, point, time), "final") == "final"
    }
    rows = {(asset, point, time): value for asset, point, time, value in wanted(STREAM).iter_rows()}
    assert len(rows) > 125 * 4
    assert rows == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_window_is_closed_by_its_meters_first_record_at_its_end_or_beyond() -> None:
    results = wanted(STREAM).select("asset", "time").unique()
    meter = pl.col("asset").str.slice(3).cast(pl.Int64)
    rounds = results.select(meter.alias("meter"), "time", closing_round(meter, pl.col("time")).alias("round"))
    for number, start, closing in rounds.iter_rows():
        times = [int(STREAM.times_ms(at)[number]) for at in range(STREAM.rounds)]
        assert closing == next(at for at, time in enumerate(times) if time >= start + WINDOW_MS)


def test_in_each_round_some_meters_close_a_window() -> None:
    meter = pl.col("asset").str.slice(3).cast(pl.Int64)
    rounds = wanted(STREAM).select(closing_round(meter, pl.col("time"))).to_series().unique()
    assert set(rounds) == set(range(1, STREAM.rounds))
