"""What is made of runs."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.runtime.contestants import ALL
from benchmarks.runtime.figures import figures
from benchmarks.runtime.plot import draw
from benchmarks.runtime.report import report
from benchmarks.runtime.rounds import Turn
from benchmarks.runtime.runs import Run, RunsFile
from benchmarks.runtime.table import markdown

FACTS = [contestant.facts for contestant in ALL]


def run(contestant: str, number: int, messages: int, start: float, per_million: float) -> Run:
    cpu_seconds = start + messages / 1e6 * per_million
    return Run(contestant, number, 10, messages, cpu_seconds / 2, cpu_seconds, messages // 10_000, 1.0, 4, 0, "")


def rounds(contestant: str, costs: list[float], start: float = 10.0) -> list[Run]:
    return [
        run(contestant, number, messages, start, cost)
        for number, cost in enumerate(costs, 1)
        for messages in (1_000_000, 5_000_000)
    ]


def test_the_slope_is_the_steady_figure_and_the_rest_is_starting() -> None:
    found = figures(rounds("quix", [4.0, 3.0, 8.0]))["quix"]
    assert (found.steady.median, found.steady.lowest, found.steady.highest) == pytest.approx((4.0, 3.0, 8.0))
    assert found.start.median == pytest.approx(10.0)
    assert found.whole.median == pytest.approx(4.0 + 10 / 5)
    assert found.rate.median == pytest.approx(2e6 / 4)
    assert found.peak_mib.median == 500
    assert found.runs == 3


def test_a_refused_run_takes_its_round_out() -> None:
    made = rounds("quix", [4.0, 3.0])
    made[0] = replace(made[0], fault="1 results are missing")
    assert figures(made)["quix"].runs == 1
    assert figures(made)["quix"].steady.median == pytest.approx(3.0)
    assert report(figures(made), FACTS, made, 5_000_000, 10)["refused"][0]["contestant"] == "quix"


def test_a_contestant_without_both_backlogs_has_no_figures() -> None:
    assert figures([run("quix", 1, 1_000_000, 1, 1)]) == {}


def test_backlogs_that_took_equally_long_tell_nothing() -> None:
    small, large = rounds("quix", [4.0])
    assert figures([small, replace(large, seconds=small.seconds + 0.2)]) == {}


def test_floors_are_apart_in_the_report() -> None:
    made = [*rounds("quix", [50.0]), *rounds("polars", [3.0])]
    told = report(figures(made), FACTS, made, 5_000_000, 10)
    assert told["cpu_seconds_per_million"] == {"quix": 50.0}
    assert told["floors"]["polars"]["cpu_seconds_per_million"] == 3.0
    assert json.loads(json.dumps(told)) == told


def test_the_cheapest_is_on_top_and_floors_are_at_the_end() -> None:
    made = [*rounds("quix", [50.0]), *rounds("polars", [3.0]), *rounds("streamjob", [4.0])]
    titles = [line.split(" | ")[0] for line in markdown(figures(made), FACTS).splitlines()[2:5]]
    assert titles == ["| streamjob", "| Quix Streams", "| floor: Polars, nothing durable"]


def test_each_round_begins_with_another_contestant_and_all_take_part() -> None:
    turns = list(Turn.all_of(ALL, len(ALL), 6_000_000, 10_000))
    by_round = [[turn for turn in turns if turn.number == number] for number in range(1, len(ALL) + 1)]
    assert len({of_round[0].contestant.facts.key for of_round in by_round}) == len(ALL)
    every = {(fact.key, share) for fact in FACTS for share in fact.backlogs}
    for of_round in by_round:
        assert {(turn.contestant.facts.key, turn.load.rounds / 600) for turn in of_round} == every


def test_a_broken_off_benchmark_goes_on(tmp_path: Path) -> None:
    turn = next(Turn.all_of(ALL, 1, 6_000_000, 10_000))
    made = Run(turn.contestant.facts.key, 1, 10_000, turn.load.messages, 1, 1, 1, 1, 1, 0, "")
    file = RunsFile(tmp_path / "runs.jsonl")
    assert not turn.is_made(file.read())
    file.add(replace(made, fault="broken"))
    assert not turn.is_made(file.read())
    file.add(made)
    with (tmp_path / "runs.jsonl").open("a") as half:
        half.write('{"contestant": "qu')
    assert turn.is_made(file.read())
    assert not turn.is_made([replace(made, number=2)])


def test_the_plot_is_an_svg_with_every_contestant_and_does_not_change(tmp_path: Path) -> None:
    made = [*rounds("quix", [50.0, 60.0]), *rounds("streamjob", [4.0, 5.0])]
    for name in ("a.svg", "b.svg"):
        draw(figures(made), FACTS, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert all(title in (tmp_path / "a.svg").read_text() for title in ("<svg", ">Quix Streams<", ">streamjob<"))
