"""What refuses a measurement, and how a figure is made of marks."""

from pathlib import Path

import polars as pl
import pytest

from benchmarks.driven.dimensions import DIMENSIONS, Effort
from benchmarks.driven.following import Fault, Mark, Steady, steady
from benchmarks.driven.growth_report import grown, point_name
from benchmarks.driven.measuring import Measurement, Measurements
from benchmarks.driven.results import difference
from benchmarks.driven.tasks import Phase

WANTED = pl.DataFrame(
    {"asset": ["a", "a", "b"], "point": ["P", "P", "P"], "time": [0, 10, 0], "value": [1.0, 2.0, 3.0]}
)
FOUND = WANTED.with_columns(is_final=True)


def test_all_results_at_their_last_value_are_no_difference() -> None:
    early = FOUND.head(1).with_columns(value=pl.lit(7.0), is_final=pl.lit(value=False))
    assert difference(pl.concat([early, FOUND, FOUND.tail(1)]), WANTED) == ""


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (FOUND.head(2), "1 missing, such as ('b', 'P', 0, 3.0)"),
        (pl.concat([FOUND, FOUND.tail(1).with_columns(time=pl.lit(20, pl.Int64))]), "1 too many"),
        (FOUND.with_columns(value=pl.col("value") * (1 + 1e-8)), "3 wrong"),
        (FOUND.with_columns(value=pl.lit(None, pl.Float64)), "3 wrong"),
        (FOUND.with_columns(is_final=pl.col("asset") == "a"), "1 not final"),
    ],
)
def test_each_difference_is_told_with_an_example(found: pl.DataFrame, words: str) -> None:
    assert difference(found, WANTED).startswith(words)


def test_the_steady_cost_is_what_comes_between_two_marks() -> None:
    marks = [Mark(1, 100, 20.0, 30.0), Mark(2, 300, 21.0, 31.0), Mark(4, 700, 23.0, 33.0), Mark(5, 800, 60.0, 70.0)]
    assert steady(marks, 200, 700, keys=10) == Steady(400, 2, cpu=5000.0, rate=200, per_key=20.0)


def test_a_single_micro_batch_is_not_measured() -> None:
    with pytest.raises(Fault, match="send more"):
        steady([Mark(1, 100, 20.0, 30.0)], 0, 1000, keys=10)


def measurement(name: str, cpu: float, fault: str = "") -> Measurement:
    phases = {} if fault else {"backlog": Steady(1000, 2, cpu, 500, 1.0), "in_step": Steady(1000, 2, 2 * cpu, 500, 1.0)}
    return Measurement(name, 10, 2.0, 4, 200, phases, fault=fault)


def test_a_file_that_broke_off_has_what_was_written_whole(tmp_path: Path) -> None:
    file = Measurements(tmp_path / "growth.jsonl")
    assert file.read() == {}
    file.add(measurement("assets/1,000", 4.0))
    file.add(measurement("assets/10,000", 5.0, fault="3 wrong"))
    with (tmp_path / "growth.jsonl").open("a") as broken:
        broken.write('{"name": "assets/100,000", "me')
    assert file.read() == {"assets/1,000": measurement("assets/1,000", 4.0)}


def test_growth_is_told_beside_the_first_point() -> None:
    effort = Effort(100_000, 1_000, 1.0)
    chosen = {key: (DIMENSIONS[key], DIMENSIONS[key].points(effort)) for key in ("partitions", "per-key")}
    names = [point_name("partitions", chosen["partitions"][1], point) for point in chosen["partitions"][1]]
    assert names == ["partitions/1", "partitions/4", "partitions/16"]
    made = {name: measurement(name, cpu) for name, cpu in zip(names, (4.0, 10.0, 6.0), strict=True)}
    made["per-key/50"] = measurement("per-key/50", 3.0)
    factors = {each.key: each.factor for each in grown(chosen, made)}
    assert factors == {"partitions": 2.5, "per-key": 2.0}


@pytest.mark.parametrize("is_quick", [True, False])
def test_every_dimension_sends_what_its_points_say(is_quick: bool) -> None:
    for dimension in DIMENSIONS.values():
        points = dimension.points(Effort(280_000, 1_000, 1.0, is_quick))
        assert len(points) > 1
        for point in points:
            assert point.phase in {phase.name for phase in point.task.phases}
            assert sum(phase.rounds for phase in point.task.phases) == point.task.stream.rounds


def test_a_phase_sends_all_its_rounds_once() -> None:
    assert Phase("p", 5, 0, at_once=2).batches(3) == [range(3, 5), range(5, 7), range(7, 8)]
    assert Phase("p", 5, 0).batches(3) == [range(3, 8)]
