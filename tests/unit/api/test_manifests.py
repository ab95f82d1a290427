"""Specs: defaults, and every fault with its path, its value and the remedy."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamjob_api.faults import InvalidSpec, parse_spec
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import StreamResourceSpec

EXAMPLE = Path(__file__).parents[3] / "examples" / "meter-extremes"


def job_spec() -> dict[str, Any]:
    spec = yaml.safe_load((EXAMPLE / "streamjob.yaml").read_text())["spec"]
    assert isinstance(spec, dict)
    return spec


def faults(change: dict[str, Any]) -> list[str]:
    """The faults of the example spec after setting the dotted paths of ``change``."""
    spec = deepcopy(job_spec())
    for path, value in change.items():
        target: Any = spec
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        for part in parents:
            target = target[part]
        target[last] = value
    with pytest.raises(InvalidSpec) as refused:
        parse_spec(StreamJobSpec, spec)
    return refused.value.faults


def test_the_examples_are_valid() -> None:
    parse_spec(StreamJobSpec, job_spec())
    parse_spec(StreamResourceSpec, yaml.safe_load((EXAMPLE / "streamresource.yaml").read_text())["spec"])


def test_what_is_left_out_has_the_documented_defaults() -> None:
    spec = parse_spec(StreamJobSpec, job_spec())
    assert (spec.state, spec.message_channel, spec.priority, spec.restart_nonce) == ("Running", "RealTime", 0, 0)
    assert str(spec.future_tolerance) == "5m"
    assert (spec.restart.max_failures, str(spec.restart.backoff), str(spec.restart.backoff_max)) == (10, "10s", "5m")
    assert (str(spec.lifecycle.stop_deadline), str(spec.lifecycle.start_deadline)) == ("2m", "5m")


def test_a_spec_prints_as_it_was_written() -> None:
    written = job_spec()
    printed = parse_spec(StreamJobSpec, written).model_dump(mode="json", exclude_unset=True)
    assert printed == written


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"stat": "Running"}, "spec.stat: unknown field"),
        ({"state": "Runing"}, "spec.state: Input should be 'Running', 'Paused' or 'Stopped' (got 'Runing')"),
        ({"resources.cu": 0.5}, "spec.resources.cu: Input should be greater than or equal to 1 (got 0.5)"),
        ({"resources.cu": 1.3}, "spec.resources.cu: Input should be a multiple of 0.5 (got 1.3)"),
        (
            {"timeWindowAggregation.latency": "2d"},
            "spec.timeWindowAggregation.latency: '2d' is too long; latency is at most 1d",
        ),
        (
            {"timeWindowAggregation.policies.0.windowSize": "10x"},
            (
                "spec.timeWindowAggregation.policies[0].windowSize: '10x' is not a duration; "
                "write a number and a unit, as in 90s, 10m or 1d"
            ),
        ),
        (
            {"timeWindowAggregation.policies.0.windowSize": "1500ms"},
            (
                "spec.timeWindowAggregation.policies[0].windowSize: '1500ms' is no window size; "
                "write whole seconds, from 1s to 1d"
            ),
        ),
        (
            {"timeWindowAggregation.policies.0.threshold": "[0,100"},
            (
                "spec.timeWindowAggregation.policies[0].threshold: '[0,100' is not an interval; "
                "write an interval, as in [0, 100), (0, +inf) or (-inf, +inf)"
            ),
        ),
        (
            {"timeWindowAggregation.policies.0.output": "ElectricMeter::Reading"},
            (
                "spec.timeWindowAggregation.policies[0]: output 'ElectricMeter::Reading' is also the input; "
                "choose another output point"
            ),
        ),
        (
            {"timeWindowAggregation.policies.1.output": "ElectricMeter::MaxReading10Min"},
            "spec.timeWindowAggregation: policies write the same output more than once: ElectricMeter::MaxReading10Min",
        ),
        (
            {"startFrom": {"mode": "Timestamp"}},
            "spec.startFrom: 'time' is required with mode Timestamp, and only there",
        ),
    ],
)
def test_a_fault_is_named_by_path_and_value(change: dict[str, Any], sentence: str) -> None:
    assert faults(change) == [sentence]


def test_all_faults_are_named_at_once() -> None:
    found = faults({"resources.cu": 9, "priority": "high", "timeWindowAggregation.policies.0.aggregation": "median"})
    assert [fault.split(":")[0] for fault in found] == [
        "spec.timeWindowAggregation.policies[0].aggregation",
        "spec.resources.cu",
        "spec.priority",
    ]
