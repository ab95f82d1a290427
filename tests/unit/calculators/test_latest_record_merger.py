"""Merging the latest records of several points, against a loop."""

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from unit.calculators.pipelines import Sent, run, stage

MERGER: dict[str, Any] = {
    "inputs": [{"point": "M::A", "trigger": True}, {"point": "M::B"}],
    "expression": "${M::A} - ${M::B}",
    "output": "M::C",
}


@given(
    sent=st.lists(
        st.builds(Sent, st.sampled_from("AB"), st.integers(0, 9), st.integers(-5, 5), st.sampled_from(["m1", "m2"])),
        max_size=25,
    ),
    cuts=st.lists(st.integers(0, 25), max_size=3),
)
def test_each_trigger_sees_the_latest_records_before_it(sent: list[Sent], cuts: list[int]) -> None:
    bounds = [0, *sorted(min(each, len(sent)) for each in cuts), len(sent)]
    found = run([stage("latest-record-merger", **MERGER)], *(sent[begin:end] for begin, end in pairwise(bounds)))
    latest: dict[tuple[str, str], Sent] = {}
    expected: dict[tuple[str, int], float] = {}
    late = missing = 0
    for each in sent:
        key = (each.asset, each.point)
        if key in latest and each.time < latest[key].time:
            late += 1
            continue
        latest[key] = each
        other = latest.get((each.asset, "B"))
        if each.point == "A" and other is None:
            missing += 1
        elif each.point == "A" and other is not None:
            expected[each.asset, each.time] = float(each.value) - float(other.value)
    assert {(asset, time): value for asset, time, value in found.values("assetId", "time", "value")} == expected
    assert (found.counted["late"], found.counted["missing"]) == (late, missing)


def test_what_was_merged_stands_beside_the_result() -> None:
    found = run([stage("latest-record-merger", **MERGER)], [Sent("B", 1, 2), Sent("A", 3, 5)])
    (merged,) = found.attached("latestRecordMerger")
    assert merged["mergedTag"] == "m1"
    assert [(each["point"], each["value"]) for each in merged["mergedRecords"]] == [("M::A", 5.0), ("M::B", 2.0)]
    assert found.values("value") == [(3,)]


def test_a_record_that_is_too_old_is_missing() -> None:
    found = run([stage("latest-record-merger", **MERGER, maxAge="1s")], [Sent("B", 1, 2), Sent("A", 1002, 5)])
    assert (found.records, found.counted["missing"]) == ([], 1)


def test_a_division_by_zero_fails() -> None:
    divided = {**MERGER, "expression": "${M::A} / ${M::B}"}
    found = run([stage("latest-record-merger", **divided)], [Sent("B", 1, 0), Sent("A", 2, 5)])
    assert (found.records, found.counted["failed"]) == ([], 1)
