"""Own topics and mappings of messages."""

from typing import Any

import pytest
from pydantic import ValidationError

from streamjob_api.job_file import JobFile
from streamjob_api.source import Source

MAPPING: dict[str, Any] = {
    "asset": "device.id",
    "time": {"path": "ts", "unit": "s"},
    "model": {"name": "ElectricMeter"},
    "points": {"Reading": "values.energy"},
}
ONE_OF_THREE = "mapping: write exactly one of points, values, and point with value"
NAMED_POINT = {"point": {"path": "sensor", "names": {"temperature": "Temp"}}, "value": "reading"}
OWN = {
    "origin": "plant-raw",
    "cal": "plant-results",
    "offlineOrigin": "plant-history",
    "offlineCal": "plant-history-results",
    "deadLetter": "plant.unreadable",
}


def job(source: dict[str, Any] | None, channel: str = "RealTime") -> JobFile:
    policy = {"input": "M::P", "aggregation": "max", "windowSize": "1m", "output": "M::Max"}
    template = {"name": "time-window-aggregation", "version": "1.0"}
    identity = {"namespace": "ou", "name": "job", "uid": "u", "created": "2026-01-01T00:00:00Z"}
    return JobFile.model_validate(
        {
            "job": {**identity, "attempt": 1, "epoch": 0, "generation": 1},
            "orgId": "o1",
            "spec": {
                "template": template,
                "messageChannel": channel,
                "timeWindowAggregation": {"policies": [policy]},
            },
            "kafka": {"bootstrapServers": "kafka:9092"},
            "source": source,
        }
    )


def topics(file: JobFile) -> tuple[str, str, str]:
    return file.input_topic, file.output_topic, file.dead_letter_topic


@pytest.mark.parametrize("source", [None, {}, {"topics": {}}])
def test_topics_default_to_the_services_names(source: dict[str, Any] | None) -> None:
    letters = "STREAMJOB_DEAD_LETTER_o1"
    assert topics(job(source)) == ("MEASURE_POINT_ORIGIN_o1", "MEASURE_POINT_CAL_o1", letters)
    offline = ("MEASURE_POINT_OFFLINE_ORIGIN_o1", "MEASURE_POINT_OFFLINE_CAL_o1", letters)
    assert topics(job(source, "Offline")) == offline


def test_a_job_works_on_the_topics_that_are_named() -> None:
    assert topics(job({"topics": OWN})) == ("plant-raw", "plant-results", "plant.unreadable")
    offline = ("plant-history", "plant-history-results", "plant.unreadable")
    assert topics(job({"topics": OWN}, "Offline")) == offline
    assert topics(job({"topics": {"origin": "raw"}}))[:2] == ("raw", "MEASURE_POINT_CAL_o1")


def test_the_mapping_reaches_the_driver_as_it_was_written() -> None:
    file = job({"mapping": MAPPING})
    again = JobFile.model_validate_json(file.model_dump_json(exclude_none=True))
    assert again.mapping is not None
    assert again == file
    assert again.mapping.model_dump(exclude_none=True) == MAPPING


def test_a_mapping_of_named_points_reaches_the_driver() -> None:
    file = job(mapped(points=None, **NAMED_POINT))
    again = JobFile.model_validate_json(file.model_dump_json(exclude_none=True)).mapping
    assert again is not None
    assert again == file.mapping
    assert again.model_dump(exclude_unset=True)["point"] == NAMED_POINT["point"]


def test_a_name_that_is_the_default_of_another_use_is_told_once_the_org_is_known() -> None:
    own = Source.model_validate({"topics": {"cal": "MEASURE_POINT_ORIGIN_o1"}}).topics
    assert own.clashes("o2") == []
    assert own.clashes("o1") == ["topic 'MEASURE_POINT_ORIGIN_o1' serves as origin and cal; give each its own topic"]


def mapped(**fields: Any) -> dict[str, Any]:
    return {"mapping": {name: value for name, value in {**MAPPING, **fields}.items() if value is not None}}


@pytest.mark.parametrize(
    ("source", "faults"),
    [
        ({"topics": {"origin": ""}}, ["topics.origin: String should match pattern"]),
        ({"topics": {"origin": "a b"}}, ["topics.origin: String should match pattern"]),
        ({"topics": {"origin": "a" * 250}}, ["topics.origin: String should "]),
        ({"topics": {"cal": ".."}}, ["topics.cal: '..' is no topic name; Kafka refuses it"]),
        (
            {"topics": {"origin": "now"}},
            ["topics.origin: 'now' is a word that drivers use in their offsets; give the topic another name"],
        ),
        (
            {"topics": {"origin": "x", "offlineOrigin": "x", "cal": "y", "deadLetter": "y"}},
            [
                "topics: topic 'x' serves as origin and offlineOrigin; give each its own topic",
                "topics: topic 'y' serves as cal and deadLetter; give each its own topic",
            ],
        ),
        (
            {"mapping": {}},
            ["mapping.asset: Field required", "mapping.time: ", "mapping.model: ", "mapping: write exactly"],
        ),
        (mapped(model={}), ["mapping.model: write exactly one of name and path; neither is there"]),
        (
            mapped(model={"name": "M", "path": "m"}),
            ["mapping.model: write exactly one of name and path; both are there"],
        ),
        (mapped(model={"name": "a b"}), ["mapping.model.name: String should match pattern"]),
        (mapped(points=None), [f"{ONE_OF_THREE}; none is there"]),
        (mapped(points={}), [f"{ONE_OF_THREE}; none is there"]),
        (mapped(values="values"), [f"{ONE_OF_THREE}; points and values are there"]),
        (mapped(**NAMED_POINT), [f"{ONE_OF_THREE}; points and point with value are there"]),
        (
            mapped(value="reading"),
            [
                f"{ONE_OF_THREE}; points and point with value are there",
                "mapping: write both of point and value, or neither; point is missing",
            ],
        ),
        (
            mapped(points=None, point={"path": "sensor"}),
            ["mapping: write both of point and value, or neither; value is missing"],
        ),
        (
            mapped(points=None, point={"names": {"a": "b c"}}, value="x."),
            [
                "mapping.point.path: Field required",
                "mapping.point.names.a: String should match",
                "mapping.value: Value",
            ],
        ),
        (
            mapped(points=None, point={"path": "$"}, value="$"),
            ["mapping.point.path: '$' is the message itself", "mapping.value: '$' is the message itself"],
        ),
        (
            mapped(points=None, point={"path": "s", "names": {f"n{n}": "x" for n in range(201)}}, value="v"),
            ["mapping.point.names: Dictionary should have at most 200 items"],
        ),
        (mapped(points={"a b": "x"}), ["mapping.points.a b: 'a b' is no point id; a job names it as in model::point"]),
        (mapped(points={"A": "x."}), ["mapping.points.A: Value error, 'x.' is not a path; write "]),
        (mapped(asset="$"), ["mapping.asset: '$' is the message itself; write the path of one of its values"]),
        (
            mapped(asset=5),
            ["mapping.asset: Value error, expected a text, got the number 5; write member names and indices"],
        ),
        (
            mapped(time={"path": "ts", "unit": "m"}),
            ["mapping.time.unit: Input should be 'ms', 's', 'us', 'ns' or 'iso"],
        ),
        (
            mapped(points={f"P{n}": "x" for n in range(201)}),
            ["mapping.points: Dictionary should have at most 200 items"],
        ),
    ],
)
def test_what_cannot_be_is_told_with_its_place_and_all_at_once(source: dict[str, Any], faults: list[str]) -> None:
    with pytest.raises(ValidationError) as raised:
        Source.model_validate(source)
    told = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in raised.value.errors()]
    assert len(told) == len(faults), told
    assert all(message.startswith(expected) for message, expected in zip(told, faults, strict=True)), told
