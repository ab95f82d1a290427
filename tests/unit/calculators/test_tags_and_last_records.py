"""Calculators that add something to each record: tags, last records, and growths by these."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamjob_runtime.templates import Surroundings
from unit.calculators.pipelines import START, Sent, run, stage


def test_off_limit_tagger_keeps_the_value_and_says_which_bounds_there_were() -> None:
    tag = stage("off-limit-tagger", input="M::A", threshold="[0, 100)", output="M::B")
    found = run([tag], [Sent("A", 1, 0), Sent("A", 2, 100), Sent("A", 3, -0.5)])
    assert found.values("pointId", "time", "value") == [("B", 1, 0), ("B", 2, 100), ("B", 3, -0.5)]
    assert found.attached("isOutlier") == [False, True, True]
    assert found.attached("outlierAttr")[0] == {
        "minValue": 0.0,
        "maxValue": 100.0,
        "enableMinJudger": True,
        "enableMaxJudger": True,
        "minIncluding": True,
        "maxIncluding": False,
    }


def test_a_bound_that_is_not_there_is_null() -> None:
    found = run([stage("off-limit-tagger", input="M::A", threshold="(0, +inf)", output="M::B")], [Sent("A", 1, 5)])
    (tags,) = found.attached("outlierAttr")
    assert (tags["minValue"], tags["maxValue"], tags["enableMaxJudger"]) == (0.0, None, False)


@given(times=st.lists(st.integers(1, 20), max_size=30), cuts=st.lists(st.integers(0, 30), max_size=4))
def test_late_is_what_is_older_than_the_newest_before_it(times: list[int], cuts: list[int]) -> None:
    sent = [Sent("A", time, number) for number, time in enumerate(times)]
    bounds = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    batches = [sent[begin:end] for begin, end in pairwise(bounds)]
    found = run([stage("late-point-tagger", input="M::A", output="M::B")], *batches)
    expected = {number: 5 if time < max([0, *times[:number]]) else 0 for number, time in enumerate(times)}
    assert dict(found.values("value", "dq")) == expected


def test_assets_and_points_know_nothing_of_each_other() -> None:
    stages = [stage("late-point-tagger", input="M::A", output="M::B")]
    found = run(stages, [Sent("A", 9, 1), Sent("A", 5, 2, "m2"), Sent("C", 10, 3)])
    assert sorted(found.values("assetId", "dq")) == [("m1", 0), ("m2", 0)]


LAST = stage("last-record-appender", input="M::A", output="M::B")


def last_values(found: list[dict[str, dict[str, float]] | None]) -> list[float | None]:
    return [appended["lastRecord"]["value"] if appended else None for appended in found]


def test_last_record_is_the_one_before_over_micro_batches_too() -> None:
    found = run([LAST], [Sent("A", 1, 10), Sent("A", 2, 20)], [Sent("A", 3, 20), Sent("A", 4, 5)])
    assert last_values(found.attached("lastRecordAppender")) == [None, 10, 20, 20]


def test_a_text_has_a_last_record_too() -> None:
    found = run([LAST], [Sent("A", 1, "on"), Sent("A", 2, "off")])
    assert found.values("value") == [("on",), ("off",)]
    assert found.attached("lastRecordAppender")[1]["lastRecord"]["text"] == "on"


@given(
    values=st.lists(st.integers(0, 3), max_size=20),
    cut=st.integers(0, 20),
    condition=st.sampled_from(["${record::value} != ${last::value}", "${record::value} > ${last::value}"]),
)
def test_a_record_becomes_the_last_one_where_the_condition_is_true(values: list[int], cut: int, condition: str) -> None:
    appender = stage("last-record-appender", input="M::A", output="M::B", condition=condition)
    sent = [Sent("A", number + 1, value) for number, value in enumerate(values)]
    found = run([appender], sent[:cut], sent[cut:])
    last: int | None = None
    expected: list[int | None] = []
    for value in values:
        expected.append(last)
        if last is None or (value != last if "!=" in condition else value > last):
            last = value
    assert last_values(found.attached("lastRecordAppender")) == expected


@given(values=st.lists(st.integers(0, 2), max_size=20), cut=st.integers(0, 20))
def test_last_changed_is_the_record_that_brought_the_value(values: list[int], cut: int) -> None:
    sent = [Sent("A", number + 1, value) for number, value in enumerate(values)]
    found = run([stage("last-changed-record-appender", input="M::A", output="M::B")], sent[:cut], sent[cut:])
    changed: int | None = None
    expected: list[int | None] = []
    for number, value in enumerate(values):
        expected.append(changed)
        if changed is None or values[changed - 1] != value:
            changed = number + 1
    told = found.attached("lastChangedRecordAppender")
    assert [each["lastChangedTs"] - START if each else None for each in told] == expected


HOUR = 3_600_000


def decomposer(**parameters: Any) -> list[dict[str, Any]]:
    last = stage("last-record-appender", input="M::A")
    return [last, stage("cumulant-decomposer", last["name"], input="M::A", output="M::Growth", **parameters)]


def test_growth_is_scaled_and_its_slope_is_not() -> None:
    found = run(decomposer(scale=2, slopeThreshold="[0, 100]"), [Sent("A", 0, 10), Sent("A", HOUR // 2, 30)])
    assert found.values("pointId", "time", "value") == [("Growth", HOUR // 2, 40.0)]
    assert found.attached("cumulantDecomposer") == [{"slope": 40.0, "minSlope": 0.0, "maxSlope": 100.0, "scale": 2.0}]


def test_what_is_out_of_range_or_out_of_order_is_counted() -> None:
    sent = [Sent("A", 0, 0), Sent("A", HOUR, 500), Sent("A", HOUR, 501), Sent("A", 2 * HOUR, 511)]
    found = run(decomposer(slopeThreshold="[0, 100)"), sent)
    assert found.values("value") == [(10.0,)]
    assert (found.counted["outside"], found.counted["late"]) == (1, 1)


class Ratios:
    def read(self, assets, refs):  # type: ignore[no-untyped-def]
        values = {"m1": 40, "m2": "forty"}
        return {ref: [values.get(asset) for asset in assets] for ref in refs}


def test_an_attribute_that_is_no_number_scales_by_one() -> None:
    sent = [Sent("A", time, time / HOUR, asset) for asset in ("m1", "m2", "m3") for time in (0, HOUR)]
    found = run(decomposer(scaleAttribute="M::Ratio"), sent, surroundings=Surroundings(attributes=Ratios()))
    assert sorted(found.values("assetId", "value")) == [("m1", 40.0), ("m2", 1.0), ("m3", 1.0)]


@pytest.mark.parametrize("limit", ["M::Limit"])
def test_a_slope_is_limited_by_an_attribute(limit: str) -> None:
    sent = [Sent("A", time, time / HOUR * 50, asset) for asset in ("m1", "m3") for time in (0, HOUR)]
    found = run(decomposer(slopeLimitAttribute=limit), sent, surroundings=Surroundings(attributes=Ratios()))
    assert found.values("assetId", "value") == [("m3", 50.0)]
    assert found.attached("cumulantDecomposer")[0]["maxSlope"] is None
