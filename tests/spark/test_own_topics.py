"""A pipeline with topics of its own on a real Spark session and Kafka: two are read, two written, over a restart."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from fixtures.jobs import TestJob, make_job
from fixtures.kafka import KafkaBroker
from fixtures.results import origin_message, send, texts
from fixtures.spark import running
from streamjob_api.checkpoint_tools import Action, OffsetRow, Target, ToolRequest
from streamjob_runtime.state_tools import answers

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
MINUTE = 60_000
Written = Counter[tuple[str, str, int, float]]


def stages(weather: str, alarms: str) -> list[dict[str, Any]]:
    kept = {"input": "Meter::Reading", "output": "Meter::Kept"}
    storm = {"condition": "${record::value} >= 20"}
    return [
        {"name": "kept", "calculator": "late-point-tagger", "from": ["source"], "parameters": kept},
        {
            "name": "weather",
            "calculator": "kafka-source",
            "from": ["source"],
            "parameters": {"topic": weather, "points": ["Site::Wind"]},
        },
        {"name": "storms", "calculator": "record-filter", "from": ["weather"], "parameters": storm},
        {"name": "alarms", "calculator": "kafka-sink", "from": ["storms"], "parameters": {"topic": alarms}},
    ]


def written(kafka: KafkaBroker, job: TestJob, topic: str) -> Written:
    """What a topic holds; keys, times and revisions are those of any result."""
    found: Written = Counter()
    for message in kafka.read_all(topic):
        record = json.loads(message.value() or b"")
        assert (message.key() or b"").decode() == record["assetId"]
        assert message.timestamp()[1] == record["time"]
        assert texts(message)["streamjob-revision"].startswith("1767225600.")
        assert record["orgId"] == job.file.org_id
        found[record["assetId"], record["pointId"], (record["time"] - START) // MINUTE, record["value"]] += 1
    return found


def job_with_topics(kafka: KafkaBroker, folder: Path) -> tuple[TestJob, str, str]:
    """A job with the topics that its stages read and write."""
    job = make_job(folder, kafka, None)
    weather, alarms = f"weather-{job.file.org_id}", f"alarms-{job.file.org_id}"
    for topic in (weather, alarms):
        kafka.create_topic(topic, 3, **{"retention.ms": "-1"})
    job.run_stages(*stages(weather, alarms), topics=[weather, alarms])
    return job, weather, alarms


def offsets(job: TestJob, **asked: Any) -> list[OffsetRow]:
    """What ``streamjob offsets`` says, and does where it is asked to."""
    action = Action.RESET_OFFSETS if asked else Action.SHOW_OFFSETS
    return [row.offset for row in answers(job.file, ToolRequest(action=action, **asked)) if row.offset]


def test_two_topics_are_read_and_two_are_written_once_over_a_restart(
    spark: SparkSession, kafka: KafkaBroker, tmp_path: Path
) -> None:
    job, weather, alarms = job_with_topics(kafka, tmp_path)
    readings = [("meter-1", "Meter::Reading", START + number * MINUTE, float(number)) for number in range(6)]
    winds = [("site-1", "Site::Wind", START + number * MINUTE, 17.0 + number) for number in range(8)]
    # What comes by the wrong topic is not the job's.
    strays = [("site-1", "Site::Wind", START, 99.0)], [("meter-1", "Meter::Reading", START, 99.0)]
    counted: Counter[str] = Counter()
    for part in (slice(0, 3), slice(3, None)):
        with running(spark, job) as run:
            send(kafka, job, [*readings[part], *strays[0]])
            kafka.produce(weather, map(origin_message, [*winds[part], *strays[1]]))
            run.read_everything()
        counted += run.accounts.counted
        job = job.next_attempt
    results = written(kafka, job, job.file.output_topic)
    assert results == {("meter-1", "Kept", number, float(number)): 1 for number in range(6)}
    assert written(kafka, job, alarms) == {("site-1", "Wind", number, 17.0 + number): 1 for number in range(3, 8)}
    assert (counted["out"], counted["unused"], counted["discarded"]) == (11, 4, 3)


def test_a_reset_of_one_topic_has_it_alone_read_again(spark: SparkSession, kafka: KafkaBroker, tmp_path: Path) -> None:
    job, weather, alarms = job_with_topics(kafka, tmp_path)
    with running(spark, job) as run:
        send(kafka, job, [("meter-1", "Meter::Reading", START, 1.0)])
        kafka.produce(weather, map(origin_message, [("site-1", "Site::Wind", START, 30.0)]))
        run.read_everything()
    assert Counter(row.topic for row in offsets(job)) == {job.file.input_topic: 4, weather: 3}
    assert [row.after for row in offsets(job, to=Target(end="earliest", topic=weather))] == [*[None] * 4, *[0] * 3]
    assert {row.topic: row.lag for row in offsets(job) if row.lag} == {weather: 1}
    with running(spark, job.next_attempt) as run:
        run.read_everything()
        assert run.accounts.totals(0).messages == 1
    assert written(kafka, job, alarms) == {("site-1", "Wind", 0, 30.0): 2}
    assert written(kafka, job, job.file.output_topic) == {("meter-1", "Kept", 0, 1.0): 1}
