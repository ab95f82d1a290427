"""Source, state and sinks on a real Spark session, Kafka and Redis, against the oracle."""

import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewPartitions  # type: ignore[attr-defined]
from pyspark.sql import DataFrame, SparkSession

from fixtures.eventually import eventually
from fixtures.jobs import TestJob, make_job
from fixtures.kafka import KafkaBroker
from fixtures.redis import RedisServer
from fixtures.results import (
    assert_results_are,
    at_highest_revision,
    emissions,
    oracle,
    origin_message,
    repetitions,
    send,
    texts,
)
from fixtures.spark import running
from oracles.windows import Record
from streamjob_runtime.delivery import Delivery

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
MINUTE = 60_000


def readings(assets: int, minutes: int, *, seed: int, disorder_minutes: int = 0) -> list[Record]:
    """A value a minute of each asset, some of them outside the threshold; ints and floats."""
    chance = random.Random(seed)  # noqa: S311 (repeatable)
    records: list[tuple[float, Record]] = []
    for minute in range(minutes):
        for asset in range(assets):
            value = chance.choice([chance.randrange(-50, 1050), round(chance.uniform(0, 1000), 3)])
            point = "Meter::Power" if chance.random() < 0.2 else "Meter::Reading"
            arrival = minute + chance.uniform(0, disorder_minutes)
            records.append((arrival, (f"meter-{asset:03d}", point, START + minute * MINUTE, value)))
    return [record for _, record in sorted(records, key=lambda pair: pair[0])]


def test_results_equal_the_oracle_over_micro_batches_and_a_restart(
    spark: SparkSession, kafka: KafkaBroker, redis_server: RedisServer, tmp_path: Path
) -> None:
    job = make_job(tmp_path, kafka, redis_server, latency="20m")
    records = readings(50, 200, seed=1, disorder_minutes=45)
    first, second, third = records[:3000], records[3000:6000], records[6000:]
    with running(spark, job) as run:
        send(kafka, job, first)
        run.read_everything()
        send(kafka, job, second)
        run.read_everything()
        assert run.accounts.totals(0).messages == len(first) + len(second)
    job = job.next_attempt
    with running(spark, job) as run:
        send(kafka, job, third)
        run.read_everything()
        assert run.accounts.totals(0).messages == len(third)

    wanted, found = oracle(job, records), emissions(kafka, job)
    assert wanted.late > 0
    assert_results_are(found, wanted)
    assert len({(emission.key, emission.revision) for emission in found}) == len(found)
    created = round(job.file.job.created.timestamp())
    assert {emission.revision[:2] for emission in found} == {(created, 1), (created, 2)}
    assert len({emission.revision[2] for emission in found}) > 2  # the third part is the micro-batch
    newest = {(asset, point): time_ms for asset, point, time_ms in sorted(wanted.results, key=lambda key: key[2])}
    held = redis_server.latest(job.file.org_id)
    best = at_highest_revision(found)
    assert {key: value["time"] for key, value in held.items()} == newest
    assert all(best[(*key, held[key]["time"])].value == held[key]["value"] for key in held)


def test_an_idle_job_runs_no_micro_batch(spark: SparkSession, kafka: KafkaBroker, job: TestJob) -> None:
    with running(spark, job) as run:
        send(kafka, job, readings(3, 15, seed=2))
        run.read_everything()
        commits = Path(job.file.checkpoint_path) / "commits"
        before = sorted(path.name for path in commits.iterdir())
        time.sleep(3)  # nothing is to happen in this time
        assert sorted(path.name for path in commits.iterdir()) == before


def test_what_cannot_be_used_is_counted_by_reason_and_the_rest_goes_on(
    spark: SparkSession, kafka: KafkaBroker, job: TestJob
) -> None:
    future = round(time.time() * 1000) + 3_600_000
    good = readings(1, 30, seed=3)
    bad_values = [b"", None, b"{no json", b"\xff\xfe", b"[1]", b'{"payload": 1}', b"x" * 1_048_576]
    refused = [
        ("meter-000", "Meter::Reading", future, 1),
        ("meter-000", "Meter::Reading", START // 1000, 1),
    ]
    with running(spark, job) as run:
        send(kafka, job, good)
        kafka.produce_to(job.file.input_topic, 1, bad_values)
        send(kafka, job, refused)
        kafka.produce_to(
            job.file.input_topic,
            2,
            [b'{"modelId":"Meter","payload":[{"assetId":"a","time":1767225600000,"measurepoints":{"Reading":NaN}}]}'],
        )
        run.read_everything()
        totals = run.accounts.totals(0)
        assert totals.messages == len(good) + len(bad_values) + len(refused) + 1
        assert totals.malformed == len(bad_values), run.accounts.by_reason("malformed")
        assert run.accounts.by_reason("refused") == {"FutureTime": 1, "SecondsNotMilliseconds": 1, "NotFinite": 1}
    letters = kafka.read_all(job.file.dead_letter_topic)
    assert sorted(len(letter.value() or b"") for letter in letters) == sorted(len(value or b"") for value in bad_values)
    for letter in letters:
        headers = texts(letter)
        offset = int(headers["source-offset"])
        assert headers["source-topic"] == job.file.input_topic
        assert headers["source-partition"] == "1"
        assert (letter.value() or b"") == (bad_values[offset] or b"")
        assert headers["job"] == "ou/job"
        assert headers["reason"]
        assert headers["detail"]
    assert_results_are(emissions(kafka, job), oracle(job, good))


class Crash(Exception):  # noqa: N818 (what the test does)
    """A test's own failure of a micro-batch."""


@pytest.mark.parametrize("written", [False, True], ids=["before the sinks' write", "after the sinks' write"])
def test_a_replayed_micro_batch_gives_the_same_results(
    spark: SparkSession, kafka: KafkaBroker, job: TestJob, written: bool
) -> None:
    """The messages lie just within the future tolerance: only the logged clock lets the replay take them, too."""
    now = round(time.time() * 1000)
    tolerance = job.file.spec.future_tolerance.milliseconds
    records: list[Record] = [("a", "Meter::Power", now + tolerance - offset, 1) for offset in (120_000, 60_000, 1_000)]

    def crashing(delivery: Delivery) -> Callable[[DataFrame, int], None]:
        def deliver(frame: DataFrame, batch_id: int) -> None:
            if written:
                delivery(frame, batch_id)
            raise Crash

        return deliver

    send(kafka, job, records)
    with running(spark, job, crashing) as run, pytest.raises(Exception, match="Crash"):
        run.read_everything()
    offsets = Path(job.file.checkpoint_path) / "offsets"
    logged = json.loads((offsets / "0").read_text().splitlines()[-1])
    assert now <= logged["now"] <= time.time() * 1000
    send(kafka, job, readings(2, 2, seed=4))  # what comes later belongs to a later micro-batch
    again = job.next_attempt
    with running(spark, again) as run:
        run.read_everything()
        assert run.accounts.by_reason("refused") == {}
    found = emissions(kafka, again)
    assert_results_are(found, oracle(again, [*records, *readings(2, 2, seed=4)]))
    assert repetitions(found) == (2 if written else 0)


def test_latest_start_is_resolved_once_and_skips_nothing_after_it(
    spark: SparkSession, kafka: KafkaBroker, redis_server: RedisServer, tmp_path: Path
) -> None:
    job = make_job(tmp_path, kafka, redis_server, startFrom={"mode": "Latest"})
    send(kafka, job, readings(2, 30, seed=5))  # before the job's first start: not read

    def crashing(_: Delivery) -> Callable[[DataFrame, int], None]:
        def deliver(_frame: DataFrame, _batch_id: int) -> None:
            raise Crash

        return deliver

    later = [(asset, point, at + 86_400_000, value) for asset, point, at, value in readings(2, 30, seed=6)]
    with running(spark, job, crashing) as run, pytest.raises(Exception, match="Crash"):
        run.read_everything()
    send(kafka, job, later)
    again = job.next_attempt
    with running(spark, again) as run:
        run.read_everything()
        assert run.accounts.totals(0).messages == len(later)
    assert_results_are(emissions(kafka, again), oracle(again, later))


def test_a_partition_that_is_added_is_read_from_its_beginning(
    spark: SparkSession, kafka: KafkaBroker, job: TestJob
) -> None:
    first, second = readings(4, 15, seed=7), readings(4, 40, seed=8)[60:]
    with running(spark, job) as run:
        send(kafka, job, first)
        run.read_everything()
        kafka.admin.create_partitions([NewPartitions(job.file.input_topic, 5)])[job.file.input_topic].result(30)
        kafka.produce_to(job.file.input_topic, 4, [origin_message(record)[1] for record in second])

        def messages() -> int:
            run.read_everything()
            return run.accounts.totals(0).messages

        # partitions are looked up every 10 s
        eventually(messages, until=lambda count: count == len(first) + len(second), within_seconds=40)


def test_a_rate_limit_holds(spark: SparkSession, kafka: KafkaBroker, redis_server: RedisServer, tmp_path: Path) -> None:
    job = make_job(tmp_path, kafka, redis_server, rateLimit=200)
    records = readings(10, 100, seed=9)
    send(kafka, job, records)
    with running(spark, job) as run:
        started = time.monotonic()
        run.read_everything()
        elapsed = time.monotonic() - started
        assert run.accounts.totals(0).messages == len(records)
        assert len(records) / elapsed <= 200 * 1.2
    assert_results_are(emissions(kafka, job), oracle(job, records))


def test_what_a_topic_no_longer_holds_ends_the_job_and_is_never_passed_over(
    spark: SparkSession, kafka: KafkaBroker, job: TestJob
) -> None:
    """First retention has deleted what is to be read next; then the topic was created anew."""
    topic = job.file.input_topic
    with running(spark, job) as run:
        send(kafka, job, readings(3, 10, seed=10))
        run.read_everything()
    kafka.produce_to(topic, 0, [b"{}"] * 20)
    (_, end) = kafka.offsets(topic, 0)
    gone = TopicPartition(topic, 0, end - 5)
    kafka.admin.delete_records([gone])[gone].result(30)
    job = job.next_attempt
    lost = r"\[streamjob OffsetsLost\] .*pause the job and move its offsets"
    with running(spark, job) as run, pytest.raises(Exception, match=lost):
        run.query.awaitTermination(60)
    kafka.delete_topic(topic)
    time.sleep(2)  # the broker deletes in the background
    kafka.create_topic(topic, 4)
    with running(spark, job.next_attempt) as run, pytest.raises(Exception, match=lost):
        run.query.awaitTermination(60)
