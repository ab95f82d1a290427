"""An energy job on real Spark, Kafka and Redis, against the oracle: restarts, silence, attributes, time zones."""

import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from fixtures.eventually import eventually
from fixtures.jobs import TestJob, make_job
from fixtures.kafka import KafkaBroker
from fixtures.redis import RedisServer
from fixtures.results import Emission, assert_results_are, at_highest_revision, emissions, send
from fixtures.spark import running
from oracles import energy, windows
from oracles.energy_order import Beside
from oracles.windows import Record
from streamjob_runtime.checkpoint import claim, layout_of
from streamjob_runtime.faults import CheckpointIncompatible

START = 1_774_652_400_000  # 2026-03-28T00:00+01:00 in Berlin; the day after has 23 hours
QUARTER = 15 * 60_000
SILENCE_MS = 3000
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


def energy_job(folder: Path, kafka: KafkaBroker, redis_server: RedisServer | None = None) -> TestJob:
    """A job without a time zone of its own, of an OU in Berlin."""
    job = make_job(folder, kafka, redis_server)
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
    wanted = energy.expected(records, KIND, job.document["spec"][KIND], Beside("Europe/Berlin"))
    assert wanted.late > 0
    assert set(wanted.modes.values()) == {"final", "running"}
    assert_results_are(emissions(kafka, job), windows.Expected(wanted.results, wanted.modes))


def test_another_time_zone_of_the_ou_makes_the_checkpoint_incompatible(kafka: KafkaBroker, tmp_path: Path) -> None:
    job = energy_job(tmp_path, kafka)
    claim(job.file, layout_of(job.file))
    claim(job.next_attempt.file, layout_of(job.file))
    job.document["timezone"] = "Asia/Kathmandu"
    with pytest.raises(CheckpointIncompatible):
        claim(job.file, layout_of(job.file))


def test_silence_closes_days_and_scales_are_the_assets(
    spark: SparkSession, kafka: KafkaBroker, redis_server: RedisServer, tmp_path: Path
) -> None:
    job = energy_job(tmp_path, kafka, redis_server)
    bound = {name: value for name, value in POLICY.items() if name != "scale"} | {"scaleAttribute": "Meter::Ratio"}
    block = {"latency": "1h", "policies": [bound]}
    job.document["spec"] |= {KIND: block, "idleTimeout": f"{SILENCE_MS}ms"}
    ratios = {(f"meter-{number:03d}", "Meter::Ratio"): number for number in range(1, 6)}
    with redis_server.client() as client:
        for (asset, name), ratio in ratios.items():
            client.hset(f"streamjob:attributes:{job.file.org_id}:{{{asset}}}", name, ratio)
    records = records_of(6, 40)
    looks = [(0, 120), (SILENCE_MS, 120), (SILENCE_MS, len(records)), (2 * SILENCE_MS, len(records))]
    for part, until in ((records[:120], 2), (records[120:], 4)):
        beside = Beside("Europe/Berlin", frozenset(), ratios, SILENCE_MS, looks[:until])
        wanted = energy.expected(records[: looks[until - 1][1]], KIND, block, beside)
        assert set(wanted.modes.values()) == {"final"}
        send(kafka, job, part)
        with running(spark, job) as run:
            run.read_everything()
            assert run.accounts.totals(0).attribute_missing > 0
            given = eventually(partial(emissions, kafka, job), until=partial(agree, wanted), within_seconds=60)
        assert_results_are(given, windows.Expected(wanted.results, wanted.modes))
        job = job.next_attempt


def agree(wanted: energy.Expected, found: Sequence[Emission]) -> bool:
    """Whether the last emissions are those that the oracle wants."""
    given = {key: (emission.value, emission.mode) for key, emission in at_highest_revision(found).items()}
    return given == {key: (pytest.approx(value), wanted.modes[key]) for key, value in wanted.results.items()}
