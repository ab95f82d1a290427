"""A pipeline of calculators on a real Spark session and Kafka: results over a restart, and records that fail."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from fixtures.eventually import eventually
from fixtures.jobs import make_job
from fixtures.kafka import KafkaBroker
from fixtures.results import send, texts
from fixtures.spark import running

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
HOUR = 3_600_000
STAGES: list[dict[str, Any]] = [
    {
        "name": "last",
        "calculator": "last-record-appender",
        "from": ["source"],
        "parameters": {"input": "Meter::Reading"},
    },
    {
        "name": "growth",
        "calculator": "cumulant-decomposer",
        "from": ["last"],
        "precondition": "${record::value} < 1000",
        "parameters": {"input": "Meter::Reading", "slopeThreshold": "[0, 50]", "output": "Meter::Growth"},
    },
]
BEHIND: dict[str, Any] = {
    "name": "behind",
    "calculator": "record-filter",
    "from": ["growth"],
    "parameters": {"condition": "${record::value} > 0"},
}


def test_growths_go_on_over_a_restart_and_what_fails_is_a_dead_letter(
    spark: SparkSession, kafka: KafkaBroker, tmp_path: Path
) -> None:
    job = make_job(tmp_path, kafka, None)
    job.run_stages(*STAGES)
    readings = [0, 10, 25, 2000, 2010, 30]
    records = [("meter-1", "Meter::Reading", START + number * HOUR, value) for number, value in enumerate(readings)]
    with running(spark, job) as run:
        send(kafka, job, records[:2])
        run.read_everything()
    first = run.accounts.counted
    job = job.next_attempt
    # A stage that keeps nothing may come, whatever its name.
    job.document["spec"]["pipeline"]["stages"] = [*STAGES, BEHIND]
    with running(spark, job) as run:
        send(kafka, job, records[2:])
        run.read_everything()
    counted = first + run.accounts.counted
    assert (counted["failed"], counted["outside"], counted["out"]) == (2, 1, 2)
    sent = [json.loads(message.value() or b"") for message in kafka.read_all(job.file.output_topic)]
    assert {(each["time"] - START) // HOUR: each["value"] for each in sent} == {1: 10.0, 2: 15.0}
    assert {each["attr"]["cumulantDecomposer"]["slope"] for each in sent} == {10.0, 15.0}
    letters = kafka.read_all(job.file.dead_letter_topic)
    told = [texts(letter) for letter in letters]
    assert {(each["stage"], each["reason"], each["detail"]) for each in told} == {
        ("growth", "StageFailed", "its precondition is not true")
    }
    assert [json.loads(letter.value() or b"")["value"] for letter in letters] == [2000, 2010]


def test_the_clock_makes_records_of_a_quiet_topic_and_after_a_restart(
    spark: SparkSession, kafka: KafkaBroker, tmp_path: Path
) -> None:
    job = make_job(tmp_path, kafka, None)
    parameters = {"points": ["Meter::Reading"], "every": "1s", "output": "Meter::Tick"}
    stage = {"name": "tick", "calculator": "virtual-record-generator", "from": ["source"], "parameters": parameters}
    job.run_stages(stage)

    def ticks() -> list[tuple[str, int]]:
        sent = [json.loads(message.value() or b"") for message in kafka.read_all(job.file.output_topic)]
        return sorted({(each["assetId"], each["time"]) for each in sent})

    def has_more_than(count: int) -> Callable[[list[tuple[str, int]]], bool]:
        return lambda found: all(sum(asset == name for asset, _ in found) > count for name in ("m1", "m2"))

    with running(spark, job):
        send(kafka, job, [(name, "Meter::Reading", START, 5) for name in ("m1", "m2")])
        # A tick is a micro-batch, which takes a second, and many where other tests run beside.
        before = eventually(ticks, until=has_more_than(1), within_seconds=300)
    job = job.next_attempt
    with running(spark, job):
        after = eventually(ticks, until=has_more_than(len(before) // 2 + 2), within_seconds=300)
    assert {*before} <= {*after}
    assert all(time % 1000 == 0 for _, time in after)
