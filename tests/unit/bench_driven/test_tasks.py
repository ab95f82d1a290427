"""Every job that is measured is one that a driver takes, and the clock's results are judged."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from benchmarks.driven.calculator_tasks import CASES, WITHOUT_RESULTS
from benchmarks.driven.dimensions import DIMENSIONS, Effort
from benchmarks.driven.steady_load import day_task
from benchmarks.driven.streams import Stream, noise
from benchmarks.driven.tasks import Meters, Phase, Task
from benchmarks.driven.template_tasks import TEMPLATES, held_readings, tick_faults
from streamjob_api.calculators.catalogue import canonical_name, catalogue
from streamjob_api.job_file import JobFile

METERS = Meters(3, (Phase("backlog", 12, 0),))
STREAM = METERS.stream(noise)
TICK = 1_767_312_000_000


def tasks() -> Iterator[Task]:
    for dimension in DIMENSIONS.values():
        yield from (point.task for point in dimension.points(Effort(280_000, 1_000, 1.0)))
    yield from (make(METERS, 2.0) for _, make in TEMPLATES.values())
    yield from (case.task(METERS, 2.0) for case in CASES.values())
    yield day_task(10, 5, 1.0)


def test_each_job_is_valid(tmp_path: Path) -> None:
    for task in tasks():
        job = JobFile.model_validate(task.job.document("o1", "127.0.0.1:9092", tmp_path, "redis://localhost:1/0"))
        assert not list(job.spec.faults())


def test_each_calculator_is_measured() -> None:
    known = {canonical_name(calculator) for calculator in catalogue().values()}
    assert known == {*CASES} | WITHOUT_RESULTS, "give it a case in benchmarks/driven/calculator_tasks.py"


def ticks(rounds: dict[int, int], stream: Stream = STREAM) -> pl.DataFrame:
    """What a job by the clock writes that sees the rounds at these ticks."""
    rows = [
        (asset, "Limited", tick, value * 2 - 1 if value > 3 else 0.0)
        for tick, number in rounds.items()
        for asset, value in zip(stream.assets(), stream.of_round(number), strict=True)
    ]
    return pl.DataFrame(rows, schema=["asset", "point", "time", "value"], orient="row")


def test_ticks_that_see_later_and_later_rounds_are_right() -> None:
    assert tick_faults(ticks({TICK: 2, TICK + 5_000: 2, TICK + 15_000: 11}), STREAM) == ""


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (ticks({TICK + 1: 2}), "not at a tick"),
        (ticks({TICK: 5, TICK + 5_000: 4}), "back to an earlier value"),
        (ticks({TICK: 2}).with_columns(value=pl.col("value") + 1e-3), "of no value that was sent"),
        (ticks({TICK: 2}).head(2), "ticks without some meters"),
    ],
)
def test_what_is_wrong_with_ticks_is_told(found: pl.DataFrame, words: str) -> None:
    assert words in tick_faults(found, STREAM)


def test_of_redis_only_the_point_that_was_sent_is_looked_at() -> None:
    latest = {
        ("m1", "Meter::Reading"): {"time": 5, "value": 2.5, "rev": "1.1.1"},
        ("m1", "Meter::Connection"): {"time": 7, "value": "online", "rev": "1.1.1"},
    }
    assert held_readings(latest).rows() == [("m1", 5, 2.5)]
