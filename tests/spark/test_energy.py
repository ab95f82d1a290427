"""An energy job on a real Spark session and Kafka, against the oracle: micro-batches, a restart, another time zone."""

import random
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from fixtures.jobs import TestJob, make_job
from fixtures.kafka import KafkaBroker
from fixtures.results import assert_results_are, emissions, send
from fixtures.spark import running
from oracles import energy, windows
from oracles.windows import Record
from streamjob_runtime.checkpoint import claim
from streamjob_runtime.faults import CheckpointIncompatible
from streamjob_runtime.spark_session import SHUFFLE_PARTITIONS

START = 1_774_652_400_000  # 2026-03-28T00:00+01:00 in Berlin; the day after has 23 hours
QUARTER = 15 * 60_000
KIND = "energyByMeterReading"
POLICY = {
    "input": "Meter::Reading",
    "slopeThreshold": "[0, 100]",
    "scale": 2,
    "dailyOutput": "Meter::Day",
    "detailedOutput": "Meter::Detail",
    "interval": "30m",
    "midnight": "Proportional",
    "runningTotal": True,
}


def energy_job(folder: Path, kafka: KafkaBroker) -> TestJob:
    """A job without a time zone of its own, of an OU in Berlin."""
    job = make_job(folder, kafka, None)
    del job.document["spec"]["timeWindowAggregation"]
    job.document["spec"] |= {
        "template": {"name": "energy-by-meter-reading", "version": "1.0"},
        KIND: {"latency": "1h", "policies": [POLICY]},
    }
    job.document["timezone"] = "Europe/Berlin"
    return job


def records_of(assets: int, quarters: int) -> list[Record]:
    """Readings that grow, stay, jump and fall, each up to an hour and a half late."""
    chance = random.Random(4)  # noqa: S311 (repeatable)
    arrivals: list[tuple[float, Record]] = []
    for asset in range(assets):
        reading = 100.0
        for quarter in range(quarters):
            reading = max(0.0, reading + chance.choice([0, 0.25, 1, 3.5, 8, 1000, -1000]))
            delay = chance.choice([0, 0, 0, 3.5, 6.5])
            arrivals.append(
                (quarter + delay, (f"meter-{asset:03d}", "Meter::Reading", START + quarter * QUARTER, reading))
            )
    return [record for _, record in sorted(arrivals, key=lambda arrival: arrival[0])]


def test_days_equal_the_oracle_over_micro_batches_and_a_restart(
    spark: SparkSession, kafka: KafkaBroker, tmp_path: Path
) -> None:
    job = energy_job(tmp_path, kafka)
    records = records_of(20, 4 * 50)
    with running(spark, job) as run:
        for part in (records[:1000], records[1000:1500]):
            send(kafka, job, part)
            run.read_everything()
    job = job.next_attempt
    with running(spark, job) as run:
        send(kafka, job, records[1500:])
        run.read_everything()
    wanted = energy.expected(records, KIND, job.document["spec"][KIND], ou_timezone="Europe/Berlin")
    assert wanted.late > 0
    assert set(wanted.modes.values()) == {"final", "running"}
    assert_results_are(emissions(kafka, job), windows.Expected(wanted.results, wanted.modes))


def test_another_time_zone_of_the_ou_makes_the_checkpoint_incompatible(kafka: KafkaBroker, tmp_path: Path) -> None:
    job = energy_job(tmp_path, kafka)
    claim(job.file, SHUFFLE_PARTITIONS)
    claim(job.next_attempt.file, SHUFFLE_PARTITIONS)
    job.document["timezone"] = "Asia/Kathmandu"
    with pytest.raises(CheckpointIncompatible):
        claim(job.file, SHUFFLE_PARTITIONS)
