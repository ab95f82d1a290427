"""Results as the records that leave."""

import json
import math
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamjob_runtime.records import encode, latest
from streamjob_runtime.templates.protocols import RESULTS

ATTR = '{"windowAggregator":{"calType":"max","calMode":"final"}}'


def result(value: float | None = 1.0, **fields: Any) -> dict[str, Any]:
    base = {"asset": "m1", "model": "Meter", "model_path": "/root/Meter", "point": "Max", "time": 1_700_000_000_000}
    return {**base, "value": value, "is_int": False, "attr": ATTR, **fields}


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=RESULTS)


def test_a_record_is_the_one_point_form() -> None:
    (row,) = encode(frame(result(42.5)), "o1").rows(named=True)
    assert (row["asset"], row["point"], row["time"], row["value"]) == ("m1", "Meter::Max", 1_700_000_000_000, "42.5")
    assert json.loads(row["record"]) == {
        "orgId": "o1",
        "modelId": "Meter",
        "modelIdPath": "/root/Meter",
        "assetId": "m1",
        "pointId": "Max",
        "time": 1_700_000_000_000,
        "value": 42.5,
        "quality": 0,
        "attr": {"windowAggregator": {"calType": "max", "calMode": "final"}},
    }


@pytest.mark.parametrize(
    ("value", "is_int", "text"),
    [
        (7.0, True, "7"),
        (7.0, False, "7.0"),
        (-0.0, True, "0"),
        (2.0**53, True, "9007199254740992"),
        (2.0**62, True, "4611686018427387904"),
        (1e19, True, "1e+19"),
        (math.nan, False, "null"),
        (math.inf, True, "null"),
        (None, True, "null"),
    ],
)
def test_values_are_written_as_integers_doubles_or_null(value: float | None, is_int: bool, text: str) -> None:
    assert encode(frame(result(value, is_int=is_int)), "o1")["value"].to_list() == [text]


@settings(max_examples=60, deadline=None)
@given(value=st.floats(allow_nan=False, allow_infinity=False), asset=st.text(), path=st.text(), org=st.text())
def test_every_double_and_every_name_is_read_back_as_it_was(value: float, asset: str, path: str, org: str) -> None:
    (row,) = encode(frame(result(value, asset=asset, model_path=path)), org).rows(named=True)
    read = json.loads(row["record"])
    assert (read["value"], read["assetId"], read["modelIdPath"], read["orgId"]) == (value, asset, path, org)
    assert json.loads(row["value"]) == value


def test_results_keep_their_order() -> None:
    rows = [result(float(number), asset=f"m{number % 3}") for number in range(10)]
    assert encode(frame(*rows), "o1")["value"].to_list() == [f"{number}.0" for number in range(10)]


def test_latest_keeps_the_newest_time_of_each_point_and_of_equal_times_the_last() -> None:
    rows = [
        result(1.0, time=5),
        result(2.0, time=9),
        result(3.0, time=9),
        result(4.0, time=7),
        result(5.0, point="Min"),
    ]
    kept = latest(encode(frame(*rows, result(6.0, asset="m2")), "o1"))
    assert kept.select("asset", "point", "value").rows() == [
        ("m1", "Meter::Max", "3.0"),
        ("m1", "Meter::Min", "5.0"),
        ("m2", "Meter::Max", "6.0"),
    ]


def test_no_results_give_no_records() -> None:
    assert latest(encode(RESULTS.to_frame(), "o1")).height == 0
