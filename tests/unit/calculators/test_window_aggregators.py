"""Windows as a stage: the same as the template's, whatever the cuts."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamjob_api.stream_job import StreamJobSpec
from unit.calculators.pipelines import Outcome, Sent, outcome, run, stage

SECOND, MINUTE = 1_000, 60_000
VALUES = st.one_of(st.integers(-5, 5), st.floats(-2, 2, allow_nan=False).map(lambda value: round(value, 3)))
SENT = st.lists(
    st.builds(Sent, st.just("A"), st.integers(0, 12 * MINUTE), VALUES, st.sampled_from(["m1", "m2"])), max_size=30
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
@pytest.mark.parametrize("latency", ["0s", "3m"])
@settings(max_examples=25)
@given(sent=SENT, cuts=CUTS)
def test_fixed_windows_are_those_of_the_template(
    aggregator: str, latency: str, sent: list[Sent], cuts: list[int]
) -> None:
    batches = cut(sent, cuts)
    parameters = {"aggregator": aggregator, "windowSize": "2m", "latency": latency}
    found = run([stage("fixed-time-window-aggregator", input="M::A", output="M::B", **parameters)], *batches)
    policy = {"aggregation": aggregator, "windowSize": "2m"}
    expected = by_template(batches, {"windowType": "Tumbling", "latency": latency}, policy)
    assert told(found) == told(expected)
    assert found.counted["late"] == expected.counted["late"]


@settings(max_examples=25)
@given(sent=SENT, cuts=CUTS)
def test_sliding_windows_are_those_of_the_template(sent: list[Sent], cuts: list[int]) -> None:
    batches = cut(sent, cuts)
    parameters = {"aggregator": "avg", "windowSize": "3m", "slide": "30s"}
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
