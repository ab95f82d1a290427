"""A merging job on a real Spark session and Kafka, against the oracle: micro-batches, disorder, a restart."""

import random
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from fixtures.eventually import eventually
from fixtures.jobs import make_job
from fixtures.kafka import KafkaBroker
from fixtures.results import assert_results_are, at_highest_revision, emissions, send
from fixtures.spark import running
from oracles import merging, windows
from oracles.windows import Record

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
BLOCK: dict[str, Any] = {
    "trigger": {"mode": "Point", "interpolation": "LastValue"},
    "latency": "30s",
    "policies": [
        {
            "triggerPoint": "Boiler::Supply",
            "logic": "${Boiler::Supply} - ${Boiler::Return}",
            "output": "Boiler::Spread",
        },
        {
            "triggerPoint": "Boiler::Return",
            "logic": "if (${Boiler::Flow} > 0) { ${Boiler::Return} / (${Boiler::Flow} - 3) } else { 0 }",
            "maxAge": "1m",
            "output": "Boiler::Share",
        },
    ],
}


def records_of(assets: int, times: int) -> list[Record]:
    """Integers of three points every ten seconds, up to a minute late; the flow is often silent."""
    chance = random.Random(5)  # noqa: S311 (repeatable)
    arrivals: list[tuple[float, Record]] = []
    for number in range(times):
        for asset in range(assets):
            for point in ("Supply", "Return", "Flow"):
                if point == "Flow" and chance.random() < 0.8:
                    continue
                record = (f"boiler-{asset:03d}", f"Boiler::{point}", START + number * 10_000, chance.randrange(6))
                arrivals.append((number + chance.choice([0, 0.5, 2.5, 6]), record))
    return [record for _, record in sorted(arrivals, key=lambda arrival: arrival[0])]


def test_merged_points_equal_the_oracle_over_micro_batches_and_a_restart(
    spark: SparkSession, kafka: KafkaBroker, tmp_path: Path
) -> None:
    job = make_job(tmp_path, kafka, None)
    del job.document["spec"]["timeWindowAggregation"]
    job.document["spec"] |= {"template": {"name": "multi-point-merging", "version": "1.0"}, "multiPointMerging": BLOCK}
    records = records_of(6, 70)
    with running(spark, job) as run:
        for part in (records[:400], records[400:600]):
            send(kafka, job, part)
            run.read_everything()
    first = run.accounts.counted
    job = job.next_attempt
    with running(spark, job) as run:
        send(kafka, job, records[600:])
        run.read_everything()
    wanted = merging.expected(records, BLOCK)
    assert set(wanted.counts) == {"late", "missing", "divisionByZero"}
    assert {name: (first + run.accounts.counted)[name] for name in wanted.counts} == wanted.counts
    results: dict[Any, Any] = dict(wanted.results)
    assert_results_are(emissions(kafka, job), windows.Expected(results, dict.fromkeys(results, "final")))


TICKING: dict[str, Any] = {
    "trigger": {"mode": "Frequency", "every": "1s"},
    "policies": [
        {
            "logic": 'if (${Boiler::Mode} == "on") { ${Boiler::Supply} - ${Boiler::Return} } else { 0 }',
            "output": "Boiler::Spread",
        },
        {"logic": '${Boiler::Mode} + "!"', "output": "Boiler::Said"},
    ],
}
BOILERS = [f"boiler-{number}" for number in range(4)]


def test_the_clock_calculates_for_silent_assets_and_after_a_restart(
    spark: SparkSession, kafka: KafkaBroker, tmp_path: Path
) -> None:
    job = make_job(tmp_path, kafka, None)
    del job.document["spec"]["timeWindowAggregation"]
    job.document["spec"] |= {
        "template": {"name": "multi-point-merging", "version": "1.0"},
        "multiPointMerging": TICKING,
    }

    def spreads() -> dict[str, list[tuple[int, Any]]]:
        found: dict[str, list[tuple[int, Any]]] = {name: [] for name in BOILERS}
        for (asset, point, time_ms), emission in sorted(at_highest_revision(emissions(kafka, job)).items()):
            assert point == "Boiler::Spread" or emission.value == "on!"
            if point == "Boiler::Spread":
                found[asset].append((time_ms, emission.value))
        return found

    with running(spark, job):
        records: list[Any] = [
            (asset, f"Boiler::{point}", START, value)
            for number, asset in enumerate(BOILERS)
            for point, value in (("Supply", 60 + number), ("Return", 40), ("Mode", "on"))
        ]
        send(kafka, job, records)
        # A tick is a micro-batch, which takes a second, and many where other tests run beside.
        before = eventually(
            spreads, until=lambda found: all(len(ticks) >= 2 for ticks in found.values()), within_seconds=300
        )
    job = job.next_attempt
    with running(spark, job):
        after = eventually(
            spreads,
            until=lambda found: all(len(found[name]) >= len(before[name]) + 2 for name in BOILERS),
            within_seconds=300,
        )
    for number, asset in enumerate(BOILERS):
        assert {value for _, value in after[asset]} == {20 + number}
        assert all(time_ms % 1000 == 0 for time_ms, _ in after[asset])
        assert after[asset][: len(before[asset])] == before[asset]
