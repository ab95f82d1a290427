"""A job that reads raw points and other jobs' results, on a real Spark session and Kafka."""

import json
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from fixtures.jobs import TestJob, make_job
from fixtures.kafka import KafkaBroker
from fixtures.results import assert_results_are, emissions, oracle, send, texts
from fixtures.spark import RunningJob, running
from oracles.windows import Record

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
MINUTE = 60_000
BLOCK: dict[str, Any] = {
    "policies": [
        {"input": "Meter::Reading", "aggregation": "max", "windowSize": "10m", "output": "Meter::Max"},
        {"input": "Meter::Sum10Min", "aggregation": "sum", "windowSize": "1h", "output": "Meter::SumHour"},
    ]
}


def readings(first_minute: int, minutes: int) -> list[Record]:
    return [
        (f"meter-{asset}", "Meter::Reading", START + minute * MINUTE, asset + minute % 7)
        for minute in range(first_minute, first_minute + minutes)
        for asset in range(5)
    ]


def sums(first_minute: int, minutes: int) -> list[Record]:
    return [
        (f"meter-{asset}", "Meter::Sum10Min", START + minute * MINUTE, float(minute + asset))
        for minute in range(first_minute, first_minute + minutes, 10)
        for asset in range(5)
    ]


def send_results(kafka: KafkaBroker, job: TestJob, records: list[Record], mode: str, *, error: float = 0) -> None:
    """Results of another job, each in a message of its own."""
    messages = []
    for asset, point, time_ms, value in records:
        fields = {"orgId": "any", "modelId": "Meter", "assetId": asset, "pointId": point.partition("::")[2]}
        attr = {"windowAggregator": {"calType": "sum", "calMode": mode}}
        record = json.dumps({**fields, "time": time_ms, "value": value + error, "attr": attr})
        messages.append((asset, record.encode()))
    kafka.produce(job.file.output_topic, messages)


def counts(run: RunningJob) -> tuple[int, int, int]:
    """Values that are the job's, results that were left out, unreadable messages."""
    totals = run.accounts.totals(0)
    return totals.records, totals.intermediate, totals.malformed


def test_a_chain_reads_results_as_results_and_takes_final_ones(
    spark: SparkSession, kafka: KafkaBroker, tmp_path: Path
) -> None:
    """The job that calculates an input is added while this one has a checkpoint already."""
    job = make_job(tmp_path, kafka, None, finalOnly=True)
    job.document["spec"]["timeWindowAggregation"] = BLOCK
    # devices' messages do not say what results say
    job.document["source"] = {
        "mapping": {"asset": "id", "time": {"path": "ts", "unit": "ms"}, "model": {"name": "Meter"},
                    "points": {"Reading": "r", "Sum10Min": "s"}}
    }  # fmt: skip
    raw, later = readings(0, 60), readings(60, 60)
    with running(spark, job) as run:
        kafka.produce(job.file.input_topic, map(device_message, raw))
        run.read_everything()
        assert counts(run) == (len(raw), 0, 0)
    again = job.next_attempt
    again.document["calculated"] = ["Meter::Sum10Min"]
    with running(spark, again) as run:
        send_results(kafka, job, sums(0, 120), "onTime", error=0.5)
        send_results(kafka, job, sums(0, 120), "final")
        kafka.produce_to(job.file.output_topic, 0, [b"no record"])
        kafka.produce(job.file.input_topic, map(device_message, later))
        run.read_everything()
        assert counts(run) == (len(later) + 120, 60, 1)
        assert run.accounts.totals(0).unused > 0  # its own results come by, and are none of its inputs
    wanted = oracle(job, [*raw, *later, *sums(0, 120)])
    assert_results_are(emissions(kafka, job), wanted)
    letters = [texts(letter) for letter in kafka.read_all(job.file.dead_letter_topic)]
    assert [letter["source-topic"] for letter in letters] == [job.file.output_topic]


def device_message(record: Record) -> tuple[str, bytes]:
    asset, _, time_ms, value = record
    return asset, json.dumps({"id": asset, "ts": time_ms, "r": value}).encode()


def test_the_offline_channel_replays_what_lies_in_the_past_and_in_the_future(
    spark: SparkSession, kafka: KafkaBroker, tmp_path: Path
) -> None:
    job = make_job(tmp_path, kafka, None, messageChannel="Offline", idleTimeout="1s")
    assert job.file.input_topic == f"MEASURE_POINT_OFFLINE_ORIGIN_{job.file.org_id}"
    assert job.file.output_topic == f"MEASURE_POINT_OFFLINE_CAL_{job.file.org_id}"
    for topic in (job.file.input_topic, job.file.output_topic):
        kafka.create_topic(topic, 2, **{"retention.ms": "-1"})
    decade = 3_650 * 86_400_000
    records: list[Record] = [
        (asset, "Meter::Reading", at + minute * MINUTE, minute)
        for asset, at in (("past", START - 3 * decade), ("future", START + 3 * decade))
        for minute in range(25)
    ]
    with running(spark, job) as run:
        send(kafka, job, records)
        run.read_everything()
        assert run.accounts.by_reason("refused") == {}
        assert not (Path(job.file.scratch_dir) / "deadlines.json").exists()  # nothing is closed for silence
    assert_results_are(emissions(kafka, job), oracle(job, records))
    assert kafka.read_all(f"MEASURE_POINT_CAL_{job.file.org_id}") == []
