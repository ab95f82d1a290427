"""What the tools beside a checkpoint do to a job that goes on afterwards, on real Spark and Kafka."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession

from fixtures.jobs import TestJob, make_job
from fixtures.kafka import KafkaBroker
from fixtures.results import at_highest_revision, emissions, send
from fixtures.spark import running
from oracles.windows import Record
from streamjob_api.checkpoint_tools import (
    Action,
    Answer,
    HeldRow,
    OffsetRow,
    Position,
    Target,
    ToolRequest,
    to_arguments,
)
from streamjob_api.points import PointRef
from streamjob_runtime.checkpoint_lock import held_by_driver
from streamjob_runtime.delivery import Delivery
from streamjob_runtime.offset_reset import Refused
from streamjob_runtime.restoring import restore
from streamjob_runtime.state_tools import answers

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
MINUTE = 60_000
READING = PointRef("Meter", "Reading")
Value = dict[tuple[str, str, int], Any]


class Crash(Exception):  # noqa: N818
    """A driver's end before its micro-batch is committed."""


def crashing(delivery: Delivery) -> Callable[[DataFrame, int], None]:
    def deliver(frame: DataFrame, batch_id: int) -> None:
        delivery(frame, batch_id)
        raise Crash

    return deliver


def ask(job: TestJob, action: Action, **asked: Any) -> list[Answer]:
    """Carry out a request as the pod beside the checkpoint does; the last answer says that it is done."""
    found = list(answers(job.file, ToolRequest(action=action, **asked)))
    assert found[-1].done is not None
    return found[:-1]


def offsets(job: TestJob) -> list[OffsetRow]:
    return [row.offset for row in ask(job, Action.SHOW_OFFSETS) if row.offset]


def held(job: TestJob, *assets: str) -> list[HeldRow]:
    return [row.held for row in ask(job, Action.SHOW_STATE, assets=list(assets)) if row.held]


def told_by_process(job: TestJob, *assets: str) -> list[HeldRow]:
    """The same of a process that runs nothing else, as in the pod."""
    arguments = to_arguments(ToolRequest(action=Action.SHOW_STATE, assets=list(assets)))
    command = [sys.executable, "-m", "streamjob_runtime.state_tools", str(job.write()), *arguments]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    found = [Answer.model_validate_json(line) for line in ended.stdout.splitlines()]
    assert found, ended.stderr[-2000:]
    assert found[-1].done is not None, found[-1].refused
    return [answer.held for answer in found if answer.held]


def values(kafka: KafkaBroker, job: TestJob) -> Value:
    return {key: found.value for key, found in at_highest_revision(emissions(kafka, job)).items()}


def test_what_a_paused_job_forgets_and_skips_stays_forgotten_and_skipped_over_a_crash(
    spark: SparkSession, kafka: KafkaBroker, tmp_path: Path
) -> None:
    job = make_job(tmp_path, kafka, None)
    before: list[Record] = [(meter, str(READING), START, 7) for meter in ("m1", "m2", "m3")]
    with running(spark, job) as run:
        send(kafka, job, before)
        run.read_everything()
    windows = [row for row in held(job, "m1") if row.kind == "window"]
    assert [(row.asset, row.point, row.fields["time"], row.fields["max"]) for row in windows] == [
        ("m1", str(READING), START, 7.0)
    ] * 2, "one of ten minutes and one of an hour"
    ask(job, Action.FORGET_STATE, assets=["m1"], points=[READING])
    ask(job, Action.FORGET_STATE, assets=["m[3]"])
    assert {row.asset: row.pending for row in held(job, "*")} == {"m1": True, "m2": False, "m3": True}
    send(kafka, job, [(meter, str(READING), START + 1, 900) for meter in ("m1", "m2", "m3")])
    assert sum(row.lag or 0 for row in offsets(job)) == 3
    ask(job, Action.RESET_OFFSETS, to=Target(end="latest"))
    assert sum(row.lag or 0 for row in offsets(job)) == 0
    job = job.next_attempt
    with pytest.raises(StreamingQueryException), running(spark, job, crashing) as run:
        run.read_everything()
    assert {row.asset for row in held(job, "*") if row.pending} == {"m1", "m3"}, "the micro-batch is not committed"
    job = job.next_attempt
    send(kafka, job, [(meter, str(READING), START + 2, 1) for meter in ("m1", "m2")])
    with running(spark, job) as run:
        run.read_everything()
        send(kafka, job, [(meter, str(READING), START + 10 * MINUTE, 1) for meter in ("m1", "m2", "m3")])
        run.read_everything()
    maxima = {key[0]: value for key, value in values(kafka, job).items() if key[1] == "Meter::Max"}
    assert maxima == {"m1": 1, "m2": 7}
    assert not [row for row in held(job, "*") if row.pending]


BLOCKS: dict[str, tuple[str, dict[str, Any]]] = {
    "windows": (
        "time-window-aggregation",
        {
            "timeWindowAggregation": {
                "windowType": "Sliding",
                "latency": "5m",
                "policies": [
                    {
                        "input": str(READING),
                        "aggregation": "sum",
                        "windowSize": "10m",
                        "slide": "5m",
                        "output": "Meter::S",
                    }
                ],
            }
        },
    ),
    "energy": (
        "energy-by-meter-reading",
        {
            "energyByMeterReading": {
                "policies": [
                    {
                        "input": str(READING),
                        "slopeThreshold": "[0, 1000]",
                        "dailyOutput": "Meter::Day",
                        "runningTotal": True,
                    }
                ]
            }
        },
    ),
    "merging": (
        "multi-point-merging",
        {
            "multiPointMerging": {
                "trigger": {"mode": "Point", "interpolation": "LastValue"},
                "latency": "3m",
                "policies": [
                    {"triggerPoint": str(READING), "logic": "${Meter::Reading} - ${Meter::Power}", "output": "Meter::D"}
                ],
            }
        },
    ),
    "device states": ("device-state", {"deviceState": {"points": [str(READING), "Meter::Power"]}}),
}
KINDS = {
    "windows": {"watermark", "pane"},
    "energy": {"watermark", "reference"},
    "merging": {"watermark", "lastValue", "waiting"},
    "device states": {"latestValue"},
}


@pytest.mark.parametrize("template", BLOCKS)
def test_a_job_that_forgets_all_and_reads_again_gives_the_same_again(
    spark: SparkSession, kafka: KafkaBroker, tmp_path: Path, template: str
) -> None:
    job, (name, block) = make_job(tmp_path, kafka, None), BLOCKS[template]
    del job.document["spec"]["timeWindowAggregation"]
    job.document["spec"] |= {"template": {"name": name, "version": "1.0"}, **block}
    records = [
        (f"m{meter}", point, START + step * 4 * MINUTE, step * meter)
        for step in range(8)
        for meter in (1, 2)
        for point in ("Meter::Power", str(READING))
    ]
    with running(spark, job) as run:
        send(kafka, job, records)
        run.read_everything()
    first = held(job, "*")
    assert {row.kind for row in first} == KINDS[template]
    given = values(kafka, job)
    assert given or template == "device states", "latest values go to Redis alone"
    ask(job, Action.FORGET_STATE, assets=["m1", "m2"])
    ask(job, Action.RESET_OFFSETS, to=Target(time=datetime.fromtimestamp(START / 1000, UTC)))
    job = job.next_attempt
    with running(spark, job) as run:
        run.read_everything()
        assert run.accounts.totals(0).messages == len(records)
    again = {found.key: found.value for found in emissions(kafka, job) if found.revision[1] == 2}
    assert again == given
    assert held(job, "*") == first


def test_a_reset_moves_only_the_partitions_that_are_named_and_keeps_the_state(
    spark: SparkSession, kafka: KafkaBroker, tmp_path: Path
) -> None:
    job = make_job(tmp_path, kafka, None)
    kafka.produce_to(job.file.input_topic, 1, [b"?"] * 5)
    kafka.produce_to(job.file.input_topic, 2, [b"?"] * 5)
    with running(spark, job) as run:
        run.read_everything()
    before = offsets(job)
    assert [row.position for row in before] == [0, 5, 5, 0]
    to = Target(positions=[Position(partition=1, position=3)])
    tried = [row.offset.after for row in ask(job, Action.RESET_OFFSETS, to=to, only_try=True) if row.offset]
    assert tried == [None, 3, None, None]
    assert offsets(job) == before
    ask(job, Action.RESET_OFFSETS, to=to)
    assert [(row.position, row.lag) for row in offsets(job)] == [(0, 0), (3, 2), (5, 0), (0, 0)]
    bad = Target(positions=[Position(partition=1, position=9), Position(partition=7, position=0)])
    with pytest.raises(Refused, match=r"holds the offsets 0 to 5, not 9; .* has no partition 7; .* are 0 to 3"):
        ask(job, Action.RESET_OFFSETS, to=bad)
    with running(spark, job.next_attempt) as run:
        run.read_everything()
        assert run.accounts.totals(0).messages == 2


def test_nothing_is_changed_while_a_driver_has_the_checkpoint(
    spark: SparkSession, kafka: KafkaBroker, tmp_path: Path
) -> None:
    job = make_job(tmp_path, kafka, None)
    with running(spark, job) as run:
        run.read_everything()
    with held_by_driver(job.file, lambda: False) as is_held:
        assert is_held
        with pytest.raises(Refused, match="a driver of the job runs"):
            ask(job, Action.RESET_OFFSETS, to=Target(end="latest"))
        with pytest.raises(Refused, match="a driver of the job runs"):
            ask(job, Action.FORGET_STATE, assets=["a"])
    with pytest.raises(Refused, match="does not read Meter::Other; it reads Meter::Power, Meter::Reading"):
        ask(job, Action.FORGET_STATE, assets=["a"], points=[PointRef("Meter", "Other")])


def test_a_job_goes_on_with_a_copy_of_another_jobs_checkpoint_when_that_is_gone(
    spark: SparkSession, kafka: KafkaBroker, tmp_path: Path
) -> None:
    job = make_job(tmp_path, kafka, None)
    with running(spark, job) as run:
        send(kafka, job, [("m1", str(READING), START, 7)])
        run.read_everything()
    old = Path(job.file.checkpoint_path)
    job.document["spec"]["restoreFrom"] = str(old.relative_to(job.file.checkpoint_dir))
    job.document["job"]["uid"] = "another"
    assert restore(job.file)
    shutil.rmtree(old)
    assert [row.fields["max"] for row in told_by_process(job, "m1") if row.kind == "window"] == [7, 7]
    with running(spark, job) as run:
        send(kafka, job, [("m1", str(READING), START + 10 * MINUTE, 1)])
        run.read_everything()
        assert run.accounts.totals(0).messages == 1
    assert values(kafka, job)["m1", "Meter::Max", START] == 7
