"""Sums of windows; stages that pass, part or end."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from unit.calculators.pipelines import START, Sent, run, stage

MINUTE, HOUR = 60_000, 3_600_000
SUM = stage("simplified-time-window-aggregator", input="M::A", output="M::Sum", windowSize="1m")


@given(
    sent=st.lists(st.tuples(st.integers(0, 4 * MINUTE), st.integers(-5, 5)), max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=4),
)
def test_each_record_gives_the_sum_of_its_window_so_far(sent: list[tuple[int, int]], cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    batches = [[Sent("A", time + 1, value) for time, value in sent[begin:end]] for begin, end in pairwise(bounds)]
    found = run([SUM], *batches)
    sums: dict[int, int] = {}
    expected, late = [], 0
    for time, value in sent:
        window = (time + 1) // MINUTE * MINUTE
        if sums and window < max(sums):
            late += 1
            continue
        sums[window] = sums.get(window, 0) + value
        expected.append((window, sums[window]))
    assert sorted(found.values("time", "value")) == sorted(expected)
    assert dict(found.values("time", "value")) == sums
    assert found.counted["late"] == late


def test_a_day_begins_at_midnight_of_its_time_zone() -> None:
    days = {**SUM, "parameters": {**SUM["parameters"], "windowSize": "1d", "timezone": "Asia/Kolkata"}}
    midnight = 24 * HOUR - 5 * HOUR - HOUR // 2
    found = run([days], [Sent("A", midnight - 1, 1), Sent("A", midnight, 2)])
    assert found.values("time", "value") == [(midnight - 24 * HOUR, 1.0), (midnight, 2.0)]


def test_a_branch_ends_where_it_is_thrown_away_and_what_it_held_is_counted() -> None:
    stages = [
        stage("point-selector", points=["M::A", "M::B"]),
        stage("off-limit-tagger", "point-selector", input="M::A", threshold="[0, 1]", output="M::Tagged"),
        stage("trash", "point-selector"),
    ]
    found = run(stages, [Sent("A", 1, 5), Sent("B", 1, 6), Sent("C", 1, 7)])
    assert found.values("pointId", "value") == [("Tagged", 5)]
    assert (found.counted["discarded"], found.counted["unused"]) == (2, 1)


def test_branches_meet_again_with_what_each_has_added() -> None:
    stages = [
        stage("off-limit-tagger", name="a", input="M::A", threshold="[0, 1]", output="M::X"),
        stage("late-point-tagger", name="b", input="M::B", output="M::Y"),
        stage("record-sorter-by-time", "a", "b"),
    ]
    found = run(stages, [Sent("A", 2, 5), Sent("B", 1, 6)])
    assert {record["pointId"]: record.get("dq") for record in found.records} == {"X": None, "Y": 0}
    assert {record["pointId"]: record["attr"]["isOutlier"] for record in found.records} == {"X": True, "Y": None}


def test_records_pass_where_the_condition_is_true() -> None:
    stages = [
        stage("point-selector", points=["M::A"]),
        stage("record-filter", "point-selector", condition="${record::value} > 1 && ${record::assetId} == 'm1'"),
        stage("off-limit-tagger", "record-filter", input="M::A", threshold="[0, 1]", output="M::B"),
    ]
    found = run(stages, [Sent("A", 1, 1), Sent("A", 2, 2), Sent("A", 3, 3, "m2")])
    assert found.values("time") == [(2,)]
    assert found.counted["discarded"] == 2


def test_texts_are_compared() -> None:
    stages = [
        stage("point-selector", points=["M::A"]),
        stage("record-filter", "point-selector", condition="${record::text} == 'open' || ${record::text} == 'true'"),
        stage("record-formatter", "record-filter", rename=[{"point": "M::A", "as": "M::B"}]),
    ]
    found = run(stages, [Sent("A", 1, "open"), Sent("A", 2, "shut"), Sent("A", 3, True), Sent("A", 4, 5)])
    assert found.values("time", "value") == [(1, "open"), (3, True)]


def test_the_text_before_is_compared() -> None:
    appender = stage("last-record-appender", input="M::A", output="M::B", condition="${record::text} != ${last::text}")
    found = run([appender], [Sent("A", 1, "open"), Sent("A", 2, "open"), Sent("A", 3, "shut")])
    assert [
        each["attr"]["lastRecordAppender"] and each["attr"]["lastRecordAppender"]["lastRecord"]["time"]
        for each in found.records
    ] == [None, START + 1, START + 1]


def test_a_record_for_which_the_precondition_is_not_true_fails() -> None:
    tag = stage("off-limit-tagger", input="M::A", threshold="[0, 1]", output="M::B")
    found = run([{**tag, "precondition": "${M::A} > 0"}], [Sent("A", 1, 1), Sent("A", 2, -1)])
    assert found.values("time") == [(1,)]
    assert found.counted["failed"] == 1


JOINED = [
    stage("off-limit-tagger", name="a", input="M::A", threshold="[0, 1]"),
    stage("late-point-tagger", name="b", input="M::B"),
    stage(
        "latest-record-merger",
        *("a", "b"),
        name="c",
        inputs=[{"point": "M::A", "trigger": True}, {"point": "M::B"}],
        expression="${M::A} * 100 + ${M::B}",
        output="M::C",
    ),
]


@given(
    sent=st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 9)), max_size=20),
    cuts=st.lists(st.integers(0, 20), max_size=4),
)
def test_branches_meet_in_the_order_of_arrival_whatever_the_cuts(sent: list[tuple[str, int]], cuts: list[int]) -> None:
    records = [Sent(point, number, value) for number, (point, value) in enumerate(sent)]
    bounds = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    found = run(JOINED, *(records[begin:end] for begin, end in pairwise(bounds)))
    expected, latest = {}, None
    for number, (point, value) in enumerate(sent):
        latest = value if point == "B" else latest
        if point == "A" and latest is not None:
            expected[number] = value * 100 + latest
    assert dict(found.values("time", "value")) == expected


def test_what_came_by_no_tagger_is_not_late() -> None:
    stages = [
        stage("late-point-tagger", name="a", input="M::A"),
        stage("record-filter", "a", "source", name="b", condition="${record::dq} == 0"),
        stage("batch-merger", "b", name="c", inputs=["M::A", "M::B"], output="M::C"),
        stage("point-selector", name="d", points=["M::B"]),
        stage("trash", "d"),
    ]
    assert run(stages, [Sent("B", 1, 6)]).values("value") == [(6,)]
