"""What must come of the readings, and what refuses a contestant's run."""

import json
from collections import defaultdict

import polars as pl
import pytest

from benchmarks.runtime import load as loads
from benchmarks.runtime.contestant import POINTS
from benchmarks.runtime.load import Load, expected_results
from benchmarks.runtime.programs.cal_records import records
from benchmarks.runtime.verdict import Verdict, judge

ORG = "o1"
LOAD = Load(meters=7, rounds=130)
Messages = list[tuple[bytes, bytes]]


def by_loops(load: Load) -> dict[tuple[str, str, int], float]:
    """The expected results from the messages themselves, read one by one."""
    windows: dict[tuple[str, int], list[float]] = defaultdict(list)
    latest: dict[str, int] = {}
    for keys, values in loads.messages(load, ORG):
        for key, value in zip(keys, values, strict=True):
            (item,) = json.loads(value)["payload"]
            assert item["assetId"] == key
            reading = item["measurepoints"]["Reading"]
            latest[key] = item["time"]
            if 0 <= reading < 1e6:
                windows[key, item["time"] // 600_000 * 600_000].append(reading)
    closed = {key: window for key, window in windows.items() if key[1] + 600_000 <= latest[key[0]]}
    made = {"max": max, "min": min, "sum": sum, "cnt": len}
    return {
        (asset, POINTS[kind], start): calculate(window)  # type: ignore[operator]
        for (asset, start), window in closed.items()
        for kind, calculate in made.items()
    }


def right(load: Load = LOAD) -> Messages:
    """The messages of a contestant that does its work."""
    wide = expected_results(load).pivot("point", index=["asset", "time"], values="value")
    return [
        (asset.encode(), record)
        for asset, time, *values in wide.select("asset", "time", *POINTS.values()).iter_rows()
        for record in records(ORG, asset, time, [*values[:3], int(values[3])])
    ]


def test_expected_results_are_those_of_the_messages_read_one_by_one() -> None:
    found = {(asset, point, time): value for asset, point, time, value in expected_results(LOAD).iter_rows()}
    wanted = by_loops(LOAD)
    assert found.keys() == wanted.keys()
    assert all(value == pytest.approx(wanted[key], rel=1e-12) for key, value in found.items())
    assert LOAD.windows == 3
    assert len(found) == LOAD.meters * LOAD.windows * len(POINTS)


def test_some_readings_are_outside_of_the_threshold() -> None:
    load = Load(meters=1000, rounds=60)
    counts = expected_results(load).filter(pl.col("point") == POINTS["cnt"])["value"]
    assert 0.99 * load.meters * load.rounds < counts.sum() < load.meters * load.rounds


def test_every_meters_closing_reading_is_within_the_threshold() -> None:
    closing = Load(meters=10_000, rounds=1).thousandths(1)
    assert closing.min() >= 0
    assert closing.max() < 1_000_000_000


def test_messages_have_about_200_bytes() -> None:
    _, values = next(loads.messages(LOAD, "o15724268424841"))
    assert all(180 <= len(value) <= 210 for value in values)


def verdict(messages: Messages) -> Verdict:
    return judge(messages, expected_results(LOAD), ORG)


def test_right_results_are_not_refused() -> None:
    assert verdict(right()) == Verdict(results=84, repeated=0, missing=0, fault="")


def test_a_repeated_result_is_counted_and_the_last_one_counts() -> None:
    key, record = right()[0]
    wrong = record.replace(b'"value":', b'"value":9')
    assert verdict([(key, wrong), *right()]) == Verdict(results=85, repeated=1, missing=0, fault="")
    assert "wrong" in verdict([*right(), (key, wrong)]).fault


def test_a_missing_result_refuses() -> None:
    found = verdict(right()[1:])
    assert found.missing == 1
    assert "1 results are missing" in found.fault


def test_nothing_at_all_refuses() -> None:
    assert verdict([]).missing == 84


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b'"time":17', b'"time":18', "too many"),
        (b'"value":', b'"value":1', "wrong"),
        (b'"value":9', b'"value":null,"was":9', "wrong"),
        (b'"orgId":"o1"', b'"orgId":"o2"', "not of the contract's form"),
        (b'"calMode":"final"', b'"calMode":"onTime"', "not of the contract's form"),
        (b'"calType":"max"', b'"calType":"min"', "not of the contract's form"),
        (b'"quality":0,', b"", "not of the contract's form"),
        (b'{"orgId"', b'["orgId"', "no JSON"),
    ],
)
def test_a_record_that_is_not_right_refuses(old: bytes, new: bytes, told: str) -> None:
    (key, record), *others = right()
    assert record.count(old) == 1
    assert told in verdict([(key, record.replace(old, new)), *others]).fault


def test_a_wrong_key_refuses() -> None:
    (_, record), *others = right()
    assert "not of the contract's form" in verdict([(b"other", record), *others]).fault


def test_a_count_that_is_no_integer_refuses() -> None:
    messages = right()
    at = next(index for index, (_, record) in enumerate(messages) if b'"cnt"' in record)
    key, record = messages[at]
    messages[at] = (key, record.replace(b',"quality"', b'.0,"quality"'))
    assert "not of the contract's form" in verdict(messages).fault
