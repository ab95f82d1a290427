"""Windows as a stage: the same as the template's and as a loop's, whatever the cuts."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamjob_api.state_identity import stage_identity
from streamjob_api.stream_job import StreamJobSpec
from unit.calculators.pipelines import Outcome, Sent, job, outcome, run, stage

SECOND, MINUTE = 1_000, 60_000
VALUES = st.one_of(st.integers(-5, 5), st.floats(-2, 2, allow_nan=False).map(lambda value: round(value, 3)))
SENT = st.lists(
    st.builds(Sent, st.just("A"), st.integers(0, 20 * MINUTE), VALUES, st.sampled_from(["m1", "m2"])),
    min_size=5,
    max_size=30,
)
CUTS = st.lists(st.integers(0, 30), max_size=4)


def cut(sent: list[Sent], cuts: list[int]) -> list[list[Sent]]:
    bounds = [0, *sorted(min(each, len(sent)) for each in cuts), len(sent)]
    return [sent[begin:end] for begin, end in pairwise(bounds)]


def by_template(batches: list[list[Sent]], block: dict[str, Any], policy: dict[str, Any]) -> Outcome:
    written = {"input": "M::A", "output": "M::B", **policy}
    spec = {
        "template": {"name": "time-window-aggregation", "version": "1.0"},
        "timeWindowAggregation": {**block, "policies": [written]},
    }
    return outcome(StreamJobSpec.model_validate(spec), batches)


def told(found: Outcome) -> list[Any]:
    modes = [each["calMode"] for each in found.attached("windowAggregator")]
    return sorted(zip(found.values("assetId", "pointId", "time", "value"), modes, strict=True), key=str)


@pytest.mark.parametrize("aggregator", ["max", "min", "avg", "sum", "count"])
@pytest.mark.parametrize("latency", ["0s", "10m"])
@settings(max_examples=15)
@given(sent=SENT, cuts=CUTS)
def test_fixed_windows_are_those_of_the_template(
    aggregator: str, latency: str, sent: list[Sent], cuts: list[int]
) -> None:
    batches = cut(sent, cuts)
    parameters: dict[str, Any] = {"aggregator": aggregator, "windowSize": "2m", "latency": latency}
    found = run([stage("fixed-time-window-aggregator", input="M::A", output="M::B", **parameters)], *batches)
    policy = {"aggregation": aggregator, "windowSize": "2m"}
    expected = by_template(batches, {"windowType": "Tumbling", "latency": latency}, policy)
    assert told(found) == told(expected)
    assert found.counted["late"] == expected.counted["late"]


@settings(max_examples=15)
@given(sent=SENT, cuts=CUTS)
def test_sliding_windows_are_those_of_the_template(sent: list[Sent], cuts: list[int]) -> None:
    batches = cut(sent, cuts)
    parameters: dict[str, Any] = {"aggregator": "avg", "windowSize": "3m", "slide": "30s"}
    found = run([stage("sliding-time-window-aggregator", input="M::A", output="M::B", **parameters)], *batches)
    policy = {"aggregation": "avg", "windowSize": "3m", "slide": "30s"}
    expected = by_template(batches, {"windowType": "Sliding"}, policy)
    assert told(found) == told(expected)
    assert found.counted["late"] == expected.counted["late"]


def test_windows_of_windows_follow_in_one_pipeline() -> None:
    stages = [
        stage("fixed-time-window-aggregator", name="a", input="M::A", output="M::B", aggregator="max", windowSize="1m"),
        stage(
            "fixed-time-window-aggregator",
            "a",
            name="b",
            input="M::B",
            output="N::C",
            aggregator="sum",
            windowSize="2m",
        ),
    ]
    sent = [Sent("A", minute * MINUTE, minute) for minute in range(5)]
    found = run(stages, sent[:3], sent[3:])
    assert found.values("modelId", "pointId", "time", "value") == [
        ("N", "C", 0, 1.0),
        ("N", "C", 2 * MINUTE, 5.0),
        ("N", "C", 4 * MINUTE, 4.0),
    ]


FIXED, SLIDING = "fixed-time-window-aggregator", "sliding-time-window-aggregator"
# Times of ten seconds, so that some are equal; whole numbers, whose sums are exact.
ROUND = st.lists(
    st.builds(
        Sent, st.just("A"), st.integers(0, 40).map(lambda place: 10 * SECOND * place), st.integers(-5, 5),
        st.sampled_from(["m1", "m2"]),
    ),
    max_size=25,
)  # fmt: skip
Values = list[tuple[int, int]]
AGGREGATES: dict[str, Callable[[list[int]], float]] = {
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
    "delta": lambda values: values[-1] - values[0],
    "max": max,
    "min": min,
    "sum": sum,
    "avg": lambda values: sum(values) / len(values),
    "cnt": len,
}


class Given(NamedTuple):
    asset: str
    time: int
    value: float
    mode: str
    last: float | None


class Windows:
    """The definition, record by record: what each gives, and how many came too late for a window of theirs."""

    def __init__(self, aggregator: str, size: int, slide: int, latency: int) -> None:
        self.size, self.slide, self.latency = size, slide, latency
        self.aggregate = AGGREGATES[aggregator]
        self.marks: dict[str, int] = defaultdict(lambda: -(10**15))
        self.open: dict[tuple[str, int], Values] = defaultdict(list)
        self.last: dict[tuple[str, int], float] = {}
        self.late = 0

    def given(self, sent: list[Sent]) -> Iterator[Given]:
        for record in sent:
            assert isinstance(record.value, int)
            yield from self.taken(record.asset, record.time, record.value)
        yield from self.ended(*self.open)

    def taken(self, asset: str, time: int, value: int) -> Iterator[Given]:
        newest = time // self.slide * self.slide
        mark, missed = self.marks[asset], 0
        for start in range(newest, newest - self.size, -self.slide):
            end = start + self.size
            if end + self.latency <= mark:
                missed += 1
                continue
            self.open[asset, start].append((time, value))
            if end > mark:
                yield self.told(asset, start, "early")
        self.late += missed > 0
        self.marks[asset] = mark = max(mark, time)
        over = [key for key in self.open if key[0] == asset and key[1] + self.size + self.latency <= mark]
        yield from self.ended(*over)

    def ended(self, *keys: tuple[str, int]) -> Iterator[Given]:
        for key in keys:
            yield self.told(*key, "final")
            del self.open[key]

    def told(self, asset: str, start: int, mode: str) -> Given:
        values = [value for _, value in sorted(self.open[asset, start], key=lambda each: each[0])]
        last, self.last[asset, start] = self.last.get((asset, start)), self.aggregate(values)
        return Given(asset, start, self.last[asset, start], mode, last)


def found_of(found: Outcome) -> list[Given]:
    attached = found.attached("windowAggregator")
    rows = zip(found.values("assetId", "time", "value"), attached, strict=True)
    return [Given(asset, time, value, each["calMode"], each["lastOutput"]) for (asset, time, value), each in rows]


@pytest.mark.parametrize("aggregator", [*AGGREGATES])
@settings(max_examples=15)
@given(sent=ROUND, cuts=CUTS)
def test_each_record_gives_an_early_result_of_its_window(aggregator: str, sent: list[Sent], cuts: list[int]) -> None:
    parameters: dict[str, Any] = {"aggregator": aggregator, "windowSize": "1m", "earlyTrigger": {"onInput": True}}
    found = run([stage(FIXED, input="M::A", output="M::B", **parameters)], *cut(sent, cuts))
    windows = Windows(aggregator, MINUTE, MINUTE, 0)
    assert sorted(found_of(found), key=str) == sorted(windows.given(sent), key=str)
    assert found.counted["late"] == windows.late


@pytest.mark.parametrize("aggregator", ["first", "last", "delta"])
@settings(max_examples=15)
@given(sent=ROUND, cuts=CUTS, early=st.booleans())
def test_late_records_take_their_place_by_time(
    aggregator: str, sent: list[Sent], cuts: list[int], *, early: bool
) -> None:
    parameters: dict[str, Any] = {"aggregator": aggregator, "windowSize": "1m", "latency": "2m"}
    if early:
        parameters["earlyTrigger"] = {"onInput": True}
    found = run([stage(FIXED, input="M::A", output="M::B", **parameters)], *cut(sent, cuts))
    windows = Windows(aggregator, MINUTE, MINUTE, 2 * MINUTE)
    modes = {"early", "final"} if early else {"final"}
    expected = [each[:4] for each in windows.given(sent) if each.mode in modes]
    assert sorted(each[:4] for each in found_of(found) if each.mode != "onTime") == sorted(expected)
    assert found.counted["late"] == windows.late


@pytest.mark.parametrize("aggregator", [*AGGREGATES])
@settings(max_examples=15)
@given(sent=ROUND, cuts=CUTS)
def test_sliding_windows_are_those_of_a_loop(aggregator: str, sent: list[Sent], cuts: list[int]) -> None:
    parameters: dict[str, Any] = {"aggregator": aggregator, "windowSize": "1m", "slide": "20s"}
    found = run([stage(SLIDING, input="M::A", output="M::B", **parameters)], *cut(sent, cuts))
    windows = Windows(aggregator, MINUTE, 20 * SECOND, 0)
    expected = [each._replace(last=None) for each in windows.given(sent) if each.mode == "final"]
    assert sorted(found_of(found), key=str) == sorted(expected, key=str)
    assert found.counted["late"] == windows.late


def test_windows_that_changed_give_results_by_the_clock() -> None:
    parameters: dict[str, Any] = {"aggregator": "sum", "windowSize": "1m", "earlyTrigger": {"every": "20s"}}
    sent = [Sent("A", time * SECOND, value) for time, value in [(5, 1), (12, 2), (25, 4), (50, 8), (125, 16)]]
    found = run([stage(FIXED, input="M::A", output="M::B", **parameters)], sent[:2], sent[2:])
    assert found_of(found) == [
        Given("m1", 0, 3, "early", None),
        Given("m1", 0, 7, "early", 3),
        Given("m1", 0, 15, "early", 7),
        Given("m1", 0, 15, "final", 15),
        Given("m1", 2 * MINUTE, 16, "final", None),
    ]


def test_an_average_tells_sum_and_count_of_this_result_and_of_the_one_before() -> None:
    parameters: dict[str, Any] = {"aggregator": "avg", "windowSize": "1m", "latency": "1m"}
    sent = [Sent("A", 1 * SECOND, 1), Sent("A", 61 * SECOND, 5), Sent("A", 2 * SECOND, 2)]
    found = run([stage(FIXED, input="M::A", output="M::B", **parameters)], sent[:1], sent[1:2], sent[2:])
    first = [each for each in found.attached("windowAggregator") if each["calDetail"]["sum"] != 5]
    assert [(each["calType"], each["calMode"], each["lastOutput"], each["calDetail"]) for each in first] == [
        ("avg", "onTime", None, {"sum": 1.0, "cnt": 1.0, "lastSum": None, "lastCnt": None}),
        ("avg", "onTime", 1.0, {"sum": 3.0, "cnt": 2.0, "lastSum": 1.0, "lastCnt": 1.0}),
        ("avg", "final", 1.5, {"sum": 3.0, "cnt": 2.0, "lastSum": 3.0, "lastCnt": 2.0}),
    ]


def test_windows_of_two_stages_meet_again() -> None:
    stages = [
        stage(FIXED, name="high", input="M::A", output="M::High", aggregator="max", windowSize="1m"),
        stage(FIXED, name="low", input="M::A", output="M::Low", aggregator="min", windowSize="1m"),
        # Averages tell more than others do.
        stage(FIXED, name="mean", input="M::A", output="M::Mean", aggregator="avg", windowSize="1m"),
        stage("point-selector", "high", "low", "mean", points=["M::High", "M::Low", "M::Mean"]),
    ]
    found = run(stages, [Sent("A", 1, 1), Sent("A", 2, 2)], [Sent("A", MINUTE, 3)])
    assert sorted(found.values("pointId", "time", "value")) == [
        ("High", 0, 2),
        ("High", MINUTE, 3),
        ("Low", 0, 1),
        ("Low", MINUTE, 3),
        ("Mean", 0, 1.5),
        ("Mean", MINUTE, 3),
    ]
    details = {each["pointId"]: each["attr"]["windowAggregator"]["calDetail"] for each in found.records[:3]}
    assert details["Mean"]["cnt"] == 2
    assert details["High"] is None


@pytest.mark.parametrize(
    ("aggregator", "output_type", "written"),
    [
        ("sum", None, "3.0"),
        ("sum", "Model", "3"),
        ("max", None, "2"),
        ("max", "Double", "2.0"),
        ("count", None, "2"),
        ("count", "Double", "2.0"),
        ("avg", "Model", "1.5"),
    ],
)
def test_results_are_written_as_the_output_type_says(aggregator: str, output_type: str | None, written: str) -> None:
    parameters: dict[str, Any] = {"aggregator": aggregator, "windowSize": "1m", "outputType": output_type}
    found = run([stage(FIXED, input="M::A", output="M::B", **parameters)], [Sent("A", 1, 1), Sent("A", 2, 2)])
    assert [repr(value) for (value,) in found.values("value")] == [written]


@pytest.mark.parametrize(
    ("calculator", "parameters", "words"),
    [
        (FIXED, {"earlyTrigger": {}}, "nothing triggers"),
        (FIXED, {"earlyTrigger": {"every": "10s", "onInput": True}}, "onInput: true is given too"),
        (SLIDING, {"slide": "7s"}, "'7s' does not divide windowSize '1m'"),
    ],
)
def test_parameters_that_do_not_fit_are_told(calculator: str, parameters: dict[str, Any], words: str) -> None:
    given = {"input": "M::A", "aggregator": "max", "windowSize": "1m", **parameters}
    with pytest.raises(ValueError, match=words):
        job([stage(calculator, **given)])


def test_an_alias_of_an_aggregator_is_no_other_one() -> None:
    stages = [
        job([stage(FIXED, input="M::A", output="M::B", aggregator=name, windowSize="1m")]) for name in ("cnt", "count")
    ]
    first, second = (stage_identity(each.pipeline.stages[0]) for each in stages if each.pipeline)
    assert first == second


MEETING = [
    stage(FIXED, name="a", input="M::A", output="M::MeanA", aggregator="avg", windowSize="1m"),
    stage(FIXED, name="b", input="M::B", output="M::MaxB", aggregator="max", windowSize="1m"),
    stage(SLIDING, name="c", input="M::A", output="M::MinA", aggregator="min", windowSize="2m", slide="1m"),
    stage(
        "latest-record-merger",
        "a",
        "b",
        "c",
        "source",
        name="merge",
        inputs=[
            {"point": "M::MeanA", "trigger": True},
            {"point": "M::MaxB"},
            {"point": "M::MinA", "trigger": True},
            {"point": "M::C"},
        ],
        expression="${M::MeanA} + 10 * ${M::MaxB} + 100 * ${M::MinA} + 1000 * ${M::C}",
        output="M::X",
    ),
]


@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.integers(-4, 8), st.integers(0, 9)), max_size=60),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_windows_meet_other_records_where_they_are_closed_whatever_the_cuts(
    sent: list[tuple[str, int, int]], cuts: list[int]
) -> None:
    steps = accumulate(step * 10_000 for _, step, _ in sent)
    records = [Sent(point, time + MINUTE * 100, value) for (point, _, value), time in zip(sent, steps, strict=True)]
    bounds = [0, *sorted(min(place, len(records)) for place in cuts), len(records)]
    together = run(MEETING, *(records[begin:end] for begin, end in pairwise(bounds)))
    one_by_one = run(MEETING, *([record] for record in records))
    assert dict(together.values("time", "value")) == dict(one_by_one.values("time", "value"))
