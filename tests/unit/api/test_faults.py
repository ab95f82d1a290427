"""Faults: every one with its path, its value and the remedy, all at once and in the order of the manifest."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from streamjob_api import forms
from streamjob_api.faults import MAX_FAULTS, InvalidSpec, parse_spec
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import StreamResourceSpec
from streamjob_api.written import Written

EXAMPLE = Path(__file__).parents[3] / "examples" / "meter-extremes"
JOB = yaml.safe_load((EXAMPLE / "streamjob.yaml").read_text())["spec"]
RESOURCE = yaml.safe_load((EXAMPLE / "streamresource.yaml").read_text())["spec"]
MISSING = object()
WINDOWS = "timeWindowAggregation/policies"
FORM = "is not of the right form; write"


def changed(spec: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The spec after setting, or removing, what stands at paths as in ``a/0/b``."""
    spec = deepcopy(spec)
    for path, value in change.items():
        target: Any = spec
        *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
        for part in parents:
            target = target.setdefault(part, {}) if isinstance(target, dict) else target[part]
        if value is MISSING:
            target.pop(last, None)
        else:
            target[last] = value
    return spec


def faults(change: dict[str, Any], *, of: type[StreamJobSpec | StreamResourceSpec] = StreamJobSpec) -> list[str]:
    spec = changed(JOB if of is StreamJobSpec else RESOURCE, change)
    with pytest.raises(InvalidSpec) as refused:
        parse_spec(of, spec)
    return refused.value.faults


JOB_FAULTS: list[tuple[str, Any, str]] = [
    ("state", "Runing", "'Runing' is not one of Draft, Released, Running, Paused, Stopped; did you mean 'Running'?"),
    ("state", True, "true is not one of Draft, Released, Running, Paused, Stopped"),
    ("stat", "Running", "unknown field; did you mean 'state'?"),
    ("message_channel", "Offline", "unknown field; did you mean 'messageChannel'?"),
    ("windowSize", "10m", "unknown field; it is a field of spec.timeWindowAggregation.policies"),
    ("zzz", 1, "unknown field; leave it out, or look for its name in the reference"),
    ("template/zzz", 1, "unknown field; the fields here are name, version"),
    (f"{WINDOWS}/0/window_size", "1m", "unknown field; did you mean 'windowSize'?"),
    ("template", MISSING, "required, but missing; it needs name, version"),
    ("template", "windows", "expected a mapping, got the text 'windows'; it needs name, version"),
    ("template/version", MISSING, 'required, but missing; write e.g. version: "1.0"'),
    ("template/version", 1.0, 'expected a text, got the number 1.0; put quotes around it, as in "1.0"'),
    ("template/version", "", 'empty; write e.g. "1.0"'),
    ("template/version", "1" * 33, "too long: 33 characters; write at most 32"),
    ("template/version", "a b", f"'a b' {FORM} {forms.VERSION.words}, as in 1.0"),
    ("template/version", ["1.0"], 'expected a text, got a list; write e.g. "1.0"'),
    ("priority", "5", "expected a whole number, got the text '5'; write 5 without quotes"),
    ("priority", 5.0, "expected a whole number, got the number 5.0; write 5"),
    ("priority", 5.5, "expected a whole number, got the number 5.5; write e.g. 10"),
    ("priority", "high", "expected a whole number, got the text 'high'; write e.g. 10"),
    ("priority", 5000, "must be at least -1000 and at most 1000 (got 5000)"),
    ("rateLimit", 0, "must be at least 1 and at most 10000000 (got 0)"),
    ("resources/cu", 1.3, "must be a multiple of 0.5 (got 1.3); write 1 or 1.5"),
    ("resources/cu", "1", "expected a number, got the text '1'; write 1 without quotes"),
    ("resources/cu", float("nan"), "must be a finite number (got NaN); write e.g. 2"),
    ("finalOnly", "true", "expected true or false, got the text 'true'; write true without quotes"),
    ("finalOnly", 1, "expected true or false, got the number 1"),
    (
        "description",
        5,
        'expected a text, got the number 5; put quotes around it, as in "Highest reading in ten minutes"',
    ),
    ("alarms/states", "Failed", "expected a list, got the text 'Failed'; write [Failed]"),
    (WINDOWS, {}, "expected a list, got a mapping; begin each item with '- '"),
    (WINDOWS, [], "has 0 items; write at least 1; each item needs input, aggregation, windowSize, output"),
    (
        WINDOWS,
        MISSING,
        "required, but missing; each item needs input, aggregation, windowSize, output",
    ),
    (f"{WINDOWS}/0/input", MISSING, "required, but missing; write e.g. input: ElectricMeter::Reading"),
    (
        f"{WINDOWS}/0/windowSize",
        10,
        "expected a text, got the number 10; write a number and a unit, as in 90s, 10m or 1d",
    ),
    (
        f"{WINDOWS}/0/windowSize",
        "1" * 40,
        "too long: 40 characters, at most 32; write a number and a unit, as in 90s, 10m or 1d",
    ),
    ("image", "a b", f"'a b' {FORM} {forms.IMAGE.words}, as in registry.example/streamjob-runtime:1.0"),
]
RESOURCE_FAULTS: list[tuple[str, Any, str]] = [
    ("capacity", MISSING, "required, but missing; it may have design, standalone, cluster"),
    ("kafka/bootstrapServers", "kafka", f"'kafka' {FORM} {forms.BROKERS.words}, as in kafka:9092"),
    ("kafka/properties", [{"a": "b"}], "expected a mapping, got a list; leave out the '- '"),
    ("kafka/createTopics/replicationFactor", MISSING, "required, but missing; write e.g. replicationFactor: 3"),
    ("kafka/createTopics/partitions", 0, "must be at least 1 and at most 10000 (got 0)"),
    ("libraries", [{"name": "a", "version": str(number)} for number in range(301)], "301 items are too many; at most"),
    ("libraries/0/name", "A B", f"'A B' {FORM} {forms.LABEL.words}, as in time-window-aggregation"),
]


@pytest.mark.parametrize(("path", "value", "sentence"), JOB_FAULTS)
def test_a_fault_of_a_job_is_told_with_path_value_and_remedy(path: str, value: Any, sentence: str) -> None:
    assert told(path, sentence, faults({path: value}))


@pytest.mark.parametrize(("path", "value", "sentence"), RESOURCE_FAULTS)
def test_a_fault_of_a_resource_is_told_with_path_value_and_remedy(path: str, value: Any, sentence: str) -> None:
    assert told(path, sentence, faults({path: value}, of=StreamResourceSpec))


def told(path: str, sentence: str, found: list[str]) -> bool:
    """Whether the sentence is the only fault, and of that path."""
    (only,) = found
    written = "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in path.split("/"))
    return only.startswith(f"spec{written}: {sentence}")


def test_all_faults_are_told_at_once_in_the_order_of_the_manifest() -> None:
    found = faults(
        {
            "zzz": 1,
            "resources/cu": 9,
            "priority": "high",
            f"{WINDOWS}/1/aggregation": "median",
            f"{WINDOWS}/0/windowSize": "10x",
            "template/version": MISSING,
        }
    )
    order = list(changed(JOB, {"zzz": 1, "priority": 1}))
    assert [fault.split(":")[0] for fault in found] == sorted(
        [
            "spec.template.version",
            "spec.timeWindowAggregation.policies[0].windowSize",
            "spec.timeWindowAggregation.policies[1].aggregation",
            "spec.resources.cu",
            "spec.priority",
            "spec.zzz",
        ],
        key=lambda path: (order.index(path.split(".")[1]), path),
    )


def test_null_is_a_fault_wherever_it_stands() -> None:
    null = "null; leave the field out or give it a value"
    found = faults({"rateLimit": None, "resources/cu": None, f"{WINDOWS}/0/threshold": None})
    paths = ("spec.timeWindowAggregation.policies[0].threshold", "spec.resources.cu", "spec.rateLimit")
    assert sorted(found) == sorted(f"{path}: {null}" for path in paths)


def test_null_below_the_parameters_of_a_calculator_is_the_calculators_own() -> None:
    parameters = {"input": "M::A", "output": "M::B", "condition": None}
    stage = {"name": "a", "calculator": "last-record-appender", "from": ["source"], "parameters": parameters}
    spec = {"template": {"name": "pipeline", "version": "1.0"}, "pipeline": {"stages": [stage]}}
    assert parse_spec(StreamJobSpec, spec).pipeline is not None


def test_user_and_password_in_an_address_are_not_repeated() -> None:
    (fault,) = faults({"redis": {"url": "redis://me:secret@redis:6379"}}, of=StreamResourceSpec)
    assert fault.startswith("spec.redis.url: an address must not hold user and password; write a redis://")
    assert "secret" not in fault
    (fault,) = faults({"checkpoints": {"claimName": "s3://me:secret@x"}}, of=StreamResourceSpec)
    assert fault.startswith("spec.checkpoints.claimName: 's3://...@x' is not of the right form")


def test_a_name_that_is_no_identifier_stands_in_brackets() -> None:
    (fault,) = faults({"kafka/properties": {"sasl.pasword": "x"}}, of=StreamResourceSpec)
    assert fault.startswith("spec.kafka.properties['sasl.pasword']: ")
    (fault,) = faults({"kafka/properties": {"x" * 100_000: "x"}}, of=StreamResourceSpec)
    assert len(fault) < 600


def test_a_long_value_is_cut() -> None:
    (fault,) = faults({"state": "x" * 5000})
    assert f"'{'x' * 80}...' is not one of" in fault


def test_faults_are_bounded() -> None:
    policies = [{"input": "no point", "aggregation": "max", "windowSize": "10m", "output": "no"}] * 150
    refused = faults({WINDOWS: policies})
    assert len(refused) == MAX_FAULTS + 1
    assert refused[-1].endswith(" more")


def test_any_number_of_faults_is_told_by_the_first_ones() -> None:
    refused = faults({f"statu{number}": None if number % 2 else number for number in range(20_000)})
    assert refused[-1] == f"and {20_000 - MAX_FAULTS} more"


def test_the_text_of_many_faults_ends_with_the_number_of_those_left_out() -> None:
    error = InvalidSpec([f"spec.field{number}: {'x' * 90}" for number in range(40)])
    assert len(str(error)) <= 2048
    assert str(error).endswith("; and 22 more")


def patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        for each in schema.values():
            yield from patterns(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from patterns(each)


@pytest.mark.parametrize("model", [StreamJobSpec, StreamResourceSpec])
def test_every_pattern_has_words(model: type[StreamJobSpec | StreamResourceSpec]) -> None:
    """Parsed values (intervals, durations, points, ...) say themselves what they are."""
    parsed = {each.PATTERN for each in Written.__subclasses__()}
    unsaid = {pattern for pattern in patterns(model.model_json_schema()) if forms.words(pattern) is None}
    assert unsaid <= parsed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


def found_in(spec: Any) -> list[str]:
    try:
        parse_spec(StreamJobSpec, spec)
    except InvalidSpec as error:
        return error.faults
    return []


JARGON = ("Input should", "valid dictionary", "instance of", "Field required", "String should", "List should")


@given(path=st.sampled_from([path for path, _, _ in JOB_FAULTS if "zzz" not in path]), value=JSON)
def test_whatever_is_written_no_fault_speaks_of_the_program(path: str, value: Any) -> None:
    for fault in found_in(changed(JOB, {path: value})):
        assert fault.startswith("spec")
        assert not [word for word in JARGON if word in fault]
        assert len(fault) < 1000


@given(raw=JSON)
def test_anything_instead_of_a_spec_is_refused_in_words(raw: Any) -> None:
    with pytest.raises(InvalidSpec) as refused:
        parse_spec(StreamResourceSpec, raw)
    assert all(fault.startswith("spec") for fault in refused.value.faults[:MAX_FAULTS])
