"""Topics of pipelines' own: which points come through which, where results go, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from streamjob_api.faults import InvalidSpec, parse_spec
from streamjob_api.job_file import JobFile
from streamjob_api.permissions import Permissions
from streamjob_api.stream_job import StreamJobSpec
from streamjob_cli.output import Filter, JsonLines
from streamjob_cli.trial import Trial
from streamjob_operator.validation import Member
from streamjob_runtime.blocks import to_bytes
from streamjob_runtime.delivery import Results
from streamjob_runtime.faults import InvalidConfiguration
from streamjob_runtime.input_topics import input_topic, input_topics
from streamjob_runtime.job_reading import read_job
from streamjob_runtime.reading import reduction_of
from streamjob_runtime.shards import Shards
from streamjob_runtime.templates import Surroundings, for_job
from unit.calculators.pipelines import Sent, run, stage

RAW, RESULTS = "MEASURE_POINT_ORIGIN_o", "MEASURE_POINT_CAL_o"
READ = stage("kafka-source", name="read", topic="weather", points=["M::W"])
WRITE = stage("kafka-sink", "read", name="write", topic="alarms")
KEEP = stage("late-point-tagger", name="keep", input="M::A", output="M::B")
BOTH = [READ, WRITE, KEEP]
NAMED = {"template": {"name": "pipeline", "version": "1.0"}}


def spec(*stages: dict[str, Any]) -> StreamJobSpec:
    return parse_spec(StreamJobSpec, {**NAMED, "pipeline": {"stages": [*stages]}})


def document(*stages: dict[str, Any], **more: Any) -> dict[str, Any]:
    times = {"created": "2026-01-01T00:00:00Z", "attempt": 1, "epoch": 0, "generation": 1}
    return {
        "job": {"namespace": "ou", "name": "job", "uid": "u", **times},
        "orgId": "o",
        "spec": {**NAMED, "pipeline": {"stages": [*stages]}},
        "kafka": {"bootstrapServers": "127.0.0.1:1"},
        **more,
    }


def faults(*stages: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidSpec) as refused:
        spec(*stages)
    return [fault.removeprefix("spec.pipeline.") for fault in refused.value.faults]


def test_a_points_topic_is_that_of_the_stage_that_reads_one() -> None:
    job = JobFile.model_validate(document(*BOTH, calculated=["M::A"]))
    assert {name: set(map(str, topic.points)) for name, topic in input_topics(job).items()} == {
        RESULTS: {"M::A"},
        "weather": {"M::W"},
    }
    job = JobFile.model_validate(document(*BOTH, calculated=["M::W"]))
    assert {name: set(map(str, topic.points)) for name, topic in input_topics(job).items()} == {
        RAW: {"M::A"},
        "weather": {"M::W"},
    }


def test_messages_of_own_topics_have_the_services_form_whatever_devices_send() -> None:
    mapping = {"asset": "device", "time": {"path": "at", "unit": "ms"}, "model": {"name": "M"}, "points": {"W": "wind"}}
    job = JobFile.model_validate(document(*BOTH, source={"mapping": mapping}))
    assert [input_topic(job, name).is_of_devices for name in (RAW, RESULTS, "weather", "gone")] == [True] + [False] * 3
    accepted = {}
    for topic in (RAW, "weather"):
        reduction = reduction_of(job, Shards.of(4), topic, 2_000_000_000_000)
        accepted[topic] = reduction.add([Sent("W", 0, 1.5).line]).points.height
        reduction.finish()
    assert accepted == {RAW: 0, "weather": 1}


def test_results_leave_through_the_topic_of_their_stage() -> None:
    trial = Trial(spec(*BOTH), for_job(spec(*BOTH), Surroundings()), None, None)
    results, _ = trial.feed([Sent("W", 0, 30.0).line, Sent("A", 1, 2.0).line, Sent("W", 2, 31.0).line])
    blocks = [to_bytes(frame) for frame in results]
    sent = {}
    for topic in (None, "alarms", "other"):
        own = Results(blocks, "o", "1.1.1", topic)
        sent[topic] = [json.loads(value)["value"] for part in own.messages() for value in part.values]
        assert own.count == len(sent[topic])
    assert sent == {None: [2], "alarms": [30, 31], "other": []}


def test_what_comes_through_a_topic_is_no_part_of_the_source() -> None:
    outcome = run([*BOTH, stage("trash")], [Sent("W", 0, 1.0), Sent("A", 1, 2.0), Sent("W", 2, 3.0)])
    assert (outcome.counted["discarded"], len(outcome.records)) == (1, 3)


def test_a_preview_shows_the_topic(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    trial = Trial(spec(*BOTH), for_job(spec(*BOTH), Surroundings()), None, None)
    results, _ = trial.feed([Sent("W", 0, 30.0).line, Sent("A", 1, 2.0).line])
    lines = JsonLines("o", Filter())
    for frame in results:
        lines.add(frame)
    shown = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert {(each.get("topic"), each["pointId"], each["value"]) for each in shown} == {
        ("alarms", "W", 30),
        (None, "B", 2),
    }


def test_without_a_sink_results_name_no_topic() -> None:
    assert run([KEEP], [Sent("A", 0, 1.0)]).values("pointId", "value") == [("B", 1)]


def test_what_goes_to_or_comes_from_own_topics_is_no_result_to_other_jobs_but_may_close_a_loop() -> None:
    member = Member.of("u", (JobFile.model_validate(document(KEEP)).job.created, "job"), spec(*BOTH))
    assert (list(map(str, member.inputs)), list(map(str, member.outputs))) == (["M::A"], ["M::B"])
    assert {(str(step.read), str(step.written), step.path) for step in member.steps()} == {
        ("M::A", "M::B", "pipeline.stages[2]"),
        ("M::W in 'weather'", "M::W in 'alarms'", "pipeline.stages[1].parameters.topic"),
    }


def test_older_names() -> None:
    stages = [{**READ, "calculator": "edh-kafka-consumer"}, {**WRITE, "calculator": "edh-kafka-producer"}]
    assert spec(*stages).block.topics_written() == ("alarms",)


def test_a_topic_has_to_be_allowed() -> None:
    told = {
        fault.message
        for node in spec(*BOTH).pipeline.graph.nodes  # type: ignore[union-attr]
        for fault in node.parameters.check_allowed(Permissions(topics=["weather"]))
    }
    assert told == {"writes 'alarms', which spec.pipelines.topics does not list; ask for it"}


def test_a_driver_uses_no_topic_that_is_not_allowed(tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    file.write_text(json.dumps(document(*BOTH, pipelines={"topics": ["weather", "alarms"]})))
    assert read_job(file).spec.block.topics_written() == ("alarms",)
    file.write_text(json.dumps(document(*BOTH, pipelines={"topics": ["weather"]})))
    with pytest.raises(InvalidConfiguration, match="'alarms', which"):
        read_job(file)


def test_a_point_comes_from_one_topic() -> None:
    second = stage("kafka-source", name="second", topic="other", points=["M::W"])
    assert faults(READ, second, KEEP, stage("trash", "read", "second", name="end")) == [
        "stages[1].parameters.points: 'M::W' comes through 'weather' to 'read'; a point comes from one topic"
    ]
    direct = stage("late-point-tagger", name="direct", input="M::W", output="M::V")
    assert faults(READ, WRITE, direct) == ["stages[2].from: 'M::W' comes through 'weather' to 'read'; read that stage"]
    everything = stage("record-sorter-by-time", name="all")
    later = stage("late-point-tagger", "all", name="later", input="M::W", output="M::V")
    assert faults(READ, WRITE, everything, later) == [
        "stages[3].from: 'M::W' comes through 'weather' to 'read'; read that stage"
    ]


def test_a_stage_that_reads_a_topic_reads_nothing_else() -> None:
    behind = stage("kafka-source", "keep", name="read", topic="weather", points=["M::B"])
    assert "stages[1].from: the stage reads a topic; write [source]" in faults(KEEP, behind)


def test_nothing_comes_behind_a_sink() -> None:
    assert faults(READ, WRITE, stage("trash", "write")) == [
        "stages[1]: its records leave the job, and no stage gets them; have others read what it reads"
    ]


def test_a_job_does_not_feed_itself() -> None:
    assert faults(READ, stage("kafka-sink", "read", name="write", topic="weather")) == [
        "stages[1].parameters.topic: 'weather' is read by the job, which would go round for ever; name another topic"
    ]


def test_what_a_sink_is_given_has_names() -> None:
    assert faults(KEEP, stage("kafka-sink", name="all", topic="alarms")) == [
        "stages[1]: gives whatever the topic holds; begin with a point-selector, which names the points"
    ]
