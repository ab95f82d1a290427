"""What a threshold leaves out is what pandas finds outside, and what people labelled, as far as a threshold can tell.

An inverter's power in quarter-hours, as a fraction of its highest; at night there are no records. Windows of a
quarter-hour hold one record each: those that are missing from the results are the records that were left out.
"""

from dataclasses import dataclass
from typing import Literal

import pandas as pd
import pytest

from real_data.agreement import assert_agree
from real_data.data_sets import photovoltaic
from real_data.runs import WINDOWS, Outcome, messages, records, run


@dataclass(frozen=True)
class Labelled:
    """A file of pvanalytics with labels, and the threshold that tells them best.

    Attributes:
        column: where the labels stand.
        closed: which bounds of the threshold belong to it, as pandas says it.
        labelled: records with a label.
        outside: records that the threshold leaves out.
        hits: of these, with a label.
    """

    file: str
    column: str
    threshold: str
    high: float
    closed: Literal["both", "left"]
    labelled: int
    outside: int
    hits: int


# A fraction lies within [0, 1]. The sixth outlier, 0.08 about noon, is one by what stands beside it alone.
OUTLIERS = Labelled("ac_power_inv_7539_outliers", "outlier", "[0, 1]", 1.0, "both", 6, 5, 5)
# An inverter that clips gives its highest power; so it does for single moments that nobody would call clipping.
CLIPPING = Labelled("ac_power_inv_7539", "label", "[0, 0.999)", 0.999, "left", 39, 48, 39)
FILES = pytest.mark.parametrize("file", [OUTLIERS, CLIPPING], ids=lambda file: file.column)


def run_windows(powers: "pd.Series[float]", threshold: str, size: str) -> Outcome:
    policies = [
        {"input": "M::A", "threshold": threshold, "aggregation": name, "windowSize": size, "output": f"M::{name}"}
        for name in ("max", "min", "avg", "sum", "cnt")
    ]
    return run(WINDOWS, {"policies": policies}, messages(records(powers)))


@FILES
def test_what_is_left_out_is_what_pandas_finds_outside(file: Labelled) -> None:
    table = photovoltaic(file.file, "timestamp")
    powers = table["value_normalized"]
    is_inside = powers.between(0, file.high, inclusive=file.closed)
    outcome = run_windows(powers, file.threshold, "15m")
    assert outcome.counted["outside"] == (~is_inside).sum() == file.outside
    for name in ("max", "min", "avg", "sum"):
        assert_agree(outcome.series(name), powers[is_inside])
    days = powers[is_inside].resample("D").agg(["max", "min", "mean", "sum", "count"])
    by_day = run_windows(powers, file.threshold, "1d")
    for ours, theirs in {"max": "max", "min": "min", "avg": "mean", "sum": "sum", "cnt": "count"}.items():
        assert_agree(by_day.series(ours), days[theirs])


@FILES
def test_what_is_left_out_is_what_was_labelled(file: Labelled) -> None:
    """Outliers: precision 1, recall 5/6. Clipping: precision 39/48, recall 1."""
    table = photovoltaic(file.file, "timestamp")
    kept = run_windows(table["value_normalized"], file.threshold, "15m").series("cnt").index
    left_out, labelled = table.index.difference(kept), table.index[table[file.column]]
    assert (len(left_out), len(labelled)) == (file.outside, file.labelled)
    assert len(left_out.intersection(labelled)) == file.hits
