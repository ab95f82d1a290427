"""How long results took, from when pieces of messages were sent and results arrived."""

import numpy as np
import polars as pl
import pytest

from benchmarks.driven.streams import START_MS
from benchmarks.latency.staggered import WINDOW_MS
from benchmarks.latency.waits import Sent, summary, waits

# two meters, sixty rounds ahead of the first: meter 0 closes its first window in round 60, meter 1 in round 59
SENT = Sent(begins=np.array([2, 119, 121]), seconds=np.array([10.0, 100.0, 101.0]), behind=0.0)


def arrived(*rows: tuple[str, int, float]) -> pl.DataFrame:
    columns = [(asset, "Max10Min", START_MS + window * WINDOW_MS, at) for asset, window, at in rows]
    return pl.DataFrame(columns, schema=["asset", "point", "time", "arrived"], orient="row")


def test_a_result_took_as_long_as_since_its_closing_records_piece() -> None:
    found = waits(arrived(("mtr0000000", 0, 100.5), ("mtr0000001", 0, 100.25)), SENT, 2, 0, 200)
    assert sorted(found) == pytest.approx([250.0, 500.0])


def test_a_repeated_result_counts_when_it_came_first() -> None:
    found = waits(arrived(("mtr0000000", 0, 100.5), ("mtr0000000", 0, 109.0)), SENT, 2, 0, 200)
    assert found == pytest.approx([500.0])


def test_only_what_was_sent_while_it_was_measured_counts() -> None:
    assert not len(waits(arrived(("mtr0000000", 0, 100.5)), SENT, 2, 100.5, 200))
    assert not len(waits(arrived(("mtr0000000", 0, 100.5)), SENT, 2, 0, 100))


def test_what_was_sent_before_the_schedule_has_no_time() -> None:
    assert np.isnan(SENT.at(np.array([1]))).all()


def test_percentiles_are_of_all_results() -> None:
    found = summary(np.arange(101, dtype=np.float64))
    assert (found.results, found.p50_ms, found.p90_ms, found.p99_ms, found.max_ms) == (101, 50, 90, 99, 100)
