"""Other people's messages, on the OU's own topics, through the real pipeline."""

import json
import random
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from fixtures.jobs import TestJob, make_job
from fixtures.kafka import KafkaBroker
from fixtures.redis import RedisServer
from fixtures.results import assert_results_are, emissions, oracle, texts
from fixtures.spark import running
from oracles.windows import Record

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
MAPPING = {
    "records": "readings",
    "asset": "$.gateway.meter",
    "time": {"path": "at", "unit": "iso8601"},
    "model": {"name": "Meter"},
    "points": {"Reading": "kwh", "Power": "kw"},
}


def other_peoples(job: TestJob, kafka: KafkaBroker) -> None:
    """Give the job own topics, a mapping and a filter."""
    prefix = f"plant-{uuid.uuid4().hex[:8]}"
    topics = {use: f"{prefix}.{use}" for use in ("origin", "cal", "deadLetter")}
    for topic in topics.values():
        kafka.create_topic(topic, 4, **{"retention.ms": "-1"})
    job.document["source"] = {"topics": topics, "mapping": MAPPING}
    job.document["spec"]["assets"] = {"include": ["meter-*"], "exclude": ["*-test"]}


def readings(assets: list[str], minutes: int) -> list[Record]:
    chance = random.Random(4)  # noqa: S311 (repeatable)
    return [
        (asset, f"Meter::{point}", START + minute * 60_000 + 250, round(chance.uniform(0, 900), 3))
        for minute in range(minutes)
        for asset in assets
        for point in ("Reading", "Power")
    ]


def batches(records: list[Record]) -> list[tuple[str, bytes]]:
    """Key and value of messages, each with a meter's readings of ten minutes; numbers also as texts."""
    written: dict[tuple[str, int], dict[int, dict[str, Any]]] = {}
    for asset, point, time_ms, value in records:
        reading = written.setdefault((asset, time_ms // 600_000), {}).setdefault(time_ms, {})
        if point == "Meter::Reading":
            reading["kwh"] = value
        else:
            reading["kw"] = str(value)
    return [
        (asset, json.dumps({"gateway": {"meter": asset}, "readings": list(map(timed, batch.items()))}).encode())
        for (asset, _), batch in written.items()
    ]


def timed(reading: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    at = datetime.fromtimestamp(reading[0] / 1000, UTC).isoformat(timespec="milliseconds")
    return {"at": at, **reading[1]}


def test_mapped_messages_on_own_topics_give_the_results_of_the_services_form(
    spark: SparkSession, kafka: KafkaBroker, redis_server: RedisServer, tmp_path: Path
) -> None:
    job = make_job(tmp_path, kafka, redis_server)
    other_peoples(job, kafka)
    wanted, others = readings([f"meter-{number}" for number in range(20)], 90), readings(["pump-1", "meter-test"], 20)
    with running(spark, job) as run:
        kafka.produce(job.file.input_topic, batches([*wanted, *others]))
        kafka.produce_to(job.file.input_topic, 1, [b'{"readings": []}', b'{"readings": [{"at": "soon"}]}'])
        run.read_everything()
        totals = run.accounts.totals(0)
        assert (totals.records, totals.filtered, totals.refused) == (len(wanted), len(others), 0)
        assert run.accounts.by_reason("malformed") == {"EmptyMessage": 1, "MissingField": 1}
    assert_results_are(emissions(kafka, job), oracle(job, wanted))
    letters = [texts(letter) for letter in kafka.read_all(job.file.dead_letter_topic)]
    assert sorted(letter["detail"] for letter in letters) == ["$.gateway.meter: missing", "readings: empty"]
    assert {letter["source-topic"] for letter in letters} == {job.file.input_topic}
    for unused in ("MEASURE_POINT_CAL", "STREAMJOB_DEAD_LETTER"):
        assert kafka.read_all(f"{unused}_{job.file.org_id}") == []
