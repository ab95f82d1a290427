"""Specs: the examples, their defaults, and how they print."""

from pathlib import Path
from typing import Any

import yaml

from streamjob_api.faults import parse_spec
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import StreamResourceSpec

EXAMPLE = Path(__file__).parents[3] / "examples" / "meter-extremes"


def job_spec() -> dict[str, Any]:
    spec = yaml.safe_load((EXAMPLE / "streamjob.yaml").read_text())["spec"]
    assert isinstance(spec, dict)
    return spec


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
