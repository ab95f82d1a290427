"""What the planner makes of a real broker's topics: no Spark is needed to see it."""

import json
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import NewPartitions  # type: ignore[attr-defined]

from fixtures.eventually import eventually
from fixtures.jobs import TestJob, make_job
from fixtures.kafka import KafkaBroker
from streamjob_api.job_file import JobFile
from streamjob_runtime.deadline_file import DeadlineFile
from streamjob_runtime.faults import OffsetsLost
from streamjob_runtime.input_topics import input_topics
from streamjob_runtime.kafka_settings import client_settings
from streamjob_runtime.offsets import ALL, Place, StreamOffset, positions, ranges
from streamjob_runtime.planner import Planner
from streamjob_runtime.stopping import ask_to_stop
from streamjob_runtime.topic_offsets import TopicOffsets

NOW = 1_767_225_600_000
RAW, RESULT = "Meter::Reading", "Meter::Power"


@pytest.fixture
def job(tmp_path: Path, kafka: KafkaBroker) -> TestJob:
    return make_job(tmp_path, kafka, None)


@pytest.fixture(params=["of the OU", "of a stage"])
def topic(request: pytest.FixtureRequest, kafka: KafkaBroker, job: TestJob) -> str:
    """A topic that the job reads."""
    return job.file.input_topic if request.param == "of the OU" else own_topic(kafka, job)


def own_topic(kafka: KafkaBroker, job: TestJob) -> str:
    """Have a stage of the job read a topic of its own, beside what comes from devices."""
    topic = f"weather-{job.file.org_id}"
    kafka.create_topic(topic, 4)
    stages: list[dict[str, Any]] = [
        {"name": "raw", "calculator": "point-selector", "from": ["source"], "parameters": {"points": [RAW]}},
        {
            "name": "own",
            "calculator": "kafka-source",
            "from": ["source"],
            "parameters": {"topic": topic, "points": ["Site::Wind"]},
        },
        {"name": "end", "calculator": "trash", "from": ["raw", "own"]},
    ]
    job.run_stages(*stages, topics=[topic])
    return topic


class Clock:
    """Seconds that pass when a test says so, so that what was looked up is looked up anew."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def planner(job: JobFile, clock: Clock) -> Planner:
    settings = client_settings(job.kafka, Path("/nonexistent"), "test")
    return Planner(job, TopicOffsets(settings, input_topics(job), clock))


def planned(planning: Planner, start: StreamOffset, clock: Clock, now_ms: int = NOW) -> StreamOffset:
    """The next micro-batch's end, a minute later."""
    clock.seconds += 60
    return planning.next(start, now_ms)


def read(start: StreamOffset, end: StreamOffset) -> dict[Place, tuple[int, int]]:
    return {Place(wanted.topic, wanted.partition): (wanted.start, wanted.end) for wanted in ranges(start, end)}


def test_a_partition_that_is_added_is_read_from_its_beginning(kafka: KafkaBroker, job: TestJob, topic: str) -> None:
    clock = Clock()
    planning = planner(job.file, clock)
    start = planning.initial()
    kafka.admin.create_partitions([NewPartitions(topic, 5)])[topic].result(30)
    joined = eventually(lambda: planned(planning, start, clock), until=lambda end: Place(topic, 4) in positions(end))
    assert read(start, joined) == {}
    kafka.produce_to(topic, 4, [b"{}"] * 3)
    end = planned(planning, joined, clock)
    assert read(joined, end) == {Place(topic, 4): (0, 3)}
    assert planned(planning, end, clock) == end


def test_results_are_read_only_while_other_jobs_calculate_an_input_and_then_from_where_they_were_left(
    kafka: KafkaBroker, job: TestJob
) -> None:
    clock, raw, results = Clock(), job.file.input_topic, job.file.output_topic
    kafka.produce_to(raw, 0, [b"{}"] * 2)
    kafka.produce_to(results, 1, [b"{}"] * 5)
    alone = planner(job.file, clock)
    start = alone.initial()
    first = planned(alone, start, clock)
    assert read(start, first) == {Place(raw, 0): (0, 2)}

    job.document["calculated"] = [RESULT]
    both = planner(job.file, clock)
    joined = planned(both, first, clock, NOW + 1)
    assert positions(joined).keys() - positions(first).keys() == {Place(results, partition) for partition in range(4)}
    second = planned(both, joined, clock, NOW + 2)
    assert read(joined, second) == {Place(results, 1): (0, 5)}

    del job.document["calculated"]
    kafka.produce_to(raw, 0, [b"{}"])
    third = planned(planner(job.file, clock), second, clock, NOW + 3)
    assert read(second, third) == {Place(raw, 0): (2, 3)}

    job.document["calculated"] = [RESULT]
    kafka.produce_to(results, 1, [b"{}"] * 2)
    again = planned(planner(job.file, clock), third, clock, NOW + 4)
    assert read(third, again) == {Place(results, 1): (5, 7)}


def test_results_of_a_job_that_was_added_are_read_from_then_on(kafka: KafkaBroker, job: TestJob) -> None:
    """With startFrom Latest, and nothing that comes after the first look is passed over."""
    job.document["spec"]["startFrom"] = {"mode": "Latest"}
    clock, results = Clock(), job.file.output_topic
    start = planner(job.file, clock).initial()
    kafka.produce_to(results, 1, [b"{}"] * 5)
    job.document["calculated"] = [RESULT]
    planning = planner(job.file, clock)
    joined = planned(planning, start, clock)
    assert positions(joined)[Place(results, 1)] == 5
    kafka.produce_to(results, 1, [b"{}"])
    assert read(joined, planned(planning, joined, clock)) == {Place(results, 1): (5, 6)}


def test_a_topic_of_a_stage_is_read_while_there_is_one_and_then_from_where_it_was_left(
    kafka: KafkaBroker, job: TestJob
) -> None:
    job.document["spec"]["startFrom"] = {"mode": "Latest"}
    clock, without = Clock(), job.next_attempt
    start = planner(without.file, clock).initial()
    own = own_topic(kafka, job)
    kafka.produce_to(own, 1, [b"{}"] * 5)
    joined = planned(planner(job.file, clock), start, clock)
    assert positions(joined)[Place(own, 1)] == 5, "startFrom holds for a topic that comes later, too"
    kafka.produce_to(own, 1, [b"{}"] * 2)
    kafka.produce_to(job.file.input_topic, 0, [b"{}"])
    left = planned(planner(without.file, clock), joined, clock, NOW + 1)
    assert read(joined, left) == {Place(job.file.input_topic, 0): (0, 1)}
    again = planned(planner(job.file, clock), left, clock, NOW + 2)
    assert read(left, again) == {Place(own, 1): (5, 7)}


def test_a_job_of_calculated_inputs_alone_reads_results_alone(kafka: KafkaBroker, job: TestJob) -> None:
    job.document["calculated"] = [RAW, RESULT]
    kafka.delete_topic(job.file.input_topic)
    start = Planner(job.file).initial()
    assert {place.topic for place in positions(start)} == {job.file.output_topic}


def test_the_rate_limit_holds_over_all_topics(kafka: KafkaBroker, job: TestJob) -> None:
    job.document["calculated"] = [RESULT]
    job.document["spec"]["rateLimit"] = 10
    for topic in (job.file.input_topic, job.file.output_topic):
        kafka.produce_to(topic, 0, [b"{}"] * 100)
    clock = Clock()
    planning = planner(job.file, clock)
    before = planned(planning, planning.initial(), clock, NOW)
    for second in (2, 3):
        end = planned(planning, before, clock, NOW + second * 1000)
        allowed = 10 * (end["now"] - before["now"]) // 1000
        assert sum(stop - begin for begin, stop in read(before, end).values()) == allowed
        before = end


def test_a_topic_that_was_created_anew_is_told_though_it_holds_more_than_before(
    kafka: KafkaBroker, job: TestJob, topic: str
) -> None:
    clock = Clock()
    kafka.produce_to(topic, 0, [b"{}"] * 3)
    planning = planner(job.file, clock)
    end = planned(planning, planning.initial(), clock)
    kafka.delete_topic(topic)
    eventually(lambda: recreated(kafka, topic))
    kafka.produce_to(topic, 0, [b"{}"] * 9)
    with pytest.raises(OffsetsLost, match=f"topic {topic} was deleted and created anew.*move its offsets"):
        eventually(lambda: planned(planning, end, clock), until=lambda _: False)


def recreated(kafka: KafkaBroker, topic: str) -> bool:
    """Whether the topic could be created; the broker deletes in the background."""
    try:
        kafka.create_topic(topic, 4)
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return False
        raise
    return True


def test_shards_tick_when_due_and_not_when_the_job_stops(kafka: KafkaBroker, job: TestJob) -> None:
    clock, deadlines = Clock(), DeadlineFile(job.file.scratch_dir)
    planning = planner(job.file, clock)
    start = planning.initial()
    assert planned(planning, start, clock) == start
    deadlines.write({})
    first = planned(planning, start, clock)
    assert first["ticks"] == ALL
    deadlines.write({shard: NOW + 1000 * shard if shard else None for shard in range(64)})
    assert planned(planning, first, clock, NOW + 999) == first
    second = planned(planning, first, clock, NOW + 2000)
    assert (second["ticks"], second["now"], read(first, second)) == ([1, 2], NOW + 2000, {})
    kafka.produce_to(job.file.input_topic, 0, [b"{}"])
    third = planned(planning, second, clock, NOW + 3000)
    assert (third["ticks"], read(second, third)) == ([1, 2, 3], {Place(job.file.input_topic, 0): (0, 1)})
    ask_to_stop(job.file.scratch_dir)
    assert planned(planning, third, clock, NOW + 9000) == third


def test_an_offset_of_before_topics_had_ids_goes_on(kafka: KafkaBroker, job: TestJob) -> None:
    clock, topic = Clock(), job.file.input_topic
    kafka.produce_to(topic, 0, [b"{}"] * 3)
    old: dict[str, Any] = json.loads(f'{{"{topic}": {{"0": 1, "1": 0, "2": 0, "3": 0}}, "now": {NOW}}}')
    end = planned(planner(job.file, clock), old, clock, NOW + 1)
    assert read(old, end) == {Place(topic, 0): (1, 3)}
    assert end["topicIds"].keys() == {topic}
