"""What people see: a table of limited length, a plot of few series."""

import re

import polars as pl
import pytest

from streamjob_cli.output import Filter, Table
from streamjob_cli.plot import plot
from streamjob_runtime.event_times import LATEST_MS
from streamjob_runtime.templates.protocols import RESULTS
from unit.cli.previews import MINUTE, START


def results(*rows: tuple[str, str, int, float | None], mode: str = "final") -> pl.DataFrame:
    """Results of an asset, a point, a minute and a value."""
    attr = f'{{"windowAggregator":{{"calType":"max","calMode":"{mode}"}}}}'
    full = [
        (asset, "M", "/M", point, START + minute * MINUTE, value, False, attr, None)
        for asset, point, minute, value in rows
    ]
    return pl.DataFrame(full, schema=RESULTS, orient="row")


def shown(*parts: pl.DataFrame, limit: int = 40) -> Table:
    table = Table("o1", Filter(), limit)
    for part in parts:
        table.add(part)
    return table


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in text.splitlines() if line[:1] == "│"]


def test_the_table_has_the_last_value_of_each_place(capsys: pytest.CaptureFixture[str]) -> None:
    shown(
        results(("b", "X", 0, 1.5), ("a", "X", 10, 2.0), mode="onTime"),
        results(("b", "X", 0, None), ("a", "W[1]", 0, 7)),
    ).finish()
    assert cells(capsys.readouterr().out) == [
        ["a", "M::W[1]", "2023-11-15T00:00:00Z", "7.0", "final"],
        ["a", "M::X", "2023-11-15T00:10:00Z", "2.0", "onTime"],
        ["b", "M::X", "2023-11-15T00:00:00Z", "null", "final"],
    ]


def test_what_a_terminal_would_obey_is_written_out(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "a\x1b[31m\nb\\[red]"
    shown(results((hostile, "X", 0, 1.0), (hostile, "X", 10, 2.0))).finish()
    text = capsys.readouterr().out
    assert cells(text)[0][0] == r"a\x1b[31m\nb\[red]"
    assert "\x1b" not in text
    assert r"a\x1b[31m\nb\[red] M::X" in (drawn((hostile, "M::X", 0, 1.0), (hostile, "M::X", 10, 2.0)) or "")


def test_the_table_says_how_to_see_what_it_leaves_out(capsys: pytest.CaptureFixture[str]) -> None:
    many = results(*(("a", "X", minute, 1.0) for minute in range(5)))
    shown(many, limit=2).finish()
    text = capsys.readouterr().out
    assert len(cells(text)) == 2
    assert "2 of 5 results; --limit 0 shows all, --asset and --point choose." in text
    shown(many, limit=0).finish()
    text = capsys.readouterr().out
    assert len(cells(text)) == 5
    assert "--limit" not in text


def test_without_results_the_table_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    shown(results()).finish()
    assert capsys.readouterr().out == "No results.\n"


def test_what_is_held_stays_within_the_distinct_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamjob_cli.output._MORE", 10)
    table = Table("o1", Filter(), 0)
    most = []
    for number in range(100):
        table.add(results(("a", "X", number % 3, float(number))))
        most.append(table.held)
    assert max(most) <= 3 + 10
    assert sorted(table.last()["number"].to_list()) == [97.0, 98.0, 99.0]


def drawn(*rows: tuple[str, str, int, float | None], width: int = 100) -> str | None:
    frame = results(*rows).with_columns(number="value")
    return plot(frame.sort("asset", "point", "time"), width, has_colors=False)


def test_the_plot_has_labelled_axes_and_fits_the_terminal() -> None:
    text = drawn(*(("a", "X", 10 * number, float(number)) for number in range(7)))
    assert text is not None
    assert text.startswith("2023-11-15T00:00:00Z to 2023-11-15T01:00:00Z\n")
    assert "(value)" in text
    assert "(UTC)" in text
    assert "00:00:00" in text
    assert "a X" in text
    assert max(map(len, text.splitlines())) <= 100
    assert len(re.findall("o", text.partition("\n")[2])) == 7 + 1  # each value, and the legend


@pytest.mark.parametrize("values", [[5.0, 5.0], [0.0, 0.0], [1e300, -1e300], [1e-9, 2e-9], [1.0, None, 2.0]])
def test_values_of_any_size_are_drawn(values: list[float | None]) -> None:
    text = drawn(*(("a", "X", number, value) for number, value in enumerate(values)))
    assert text is not None
    assert max(map(len, text.splitlines())) <= 100


def test_few_series_are_drawn_and_the_others_counted() -> None:
    text = drawn(*((f"a{number}", "X", minute, 1.0) for number in range(6) for minute in range(2)))
    assert text is not None
    assert "a3 X" in text
    assert "a4 X" not in text
    assert "and 2 more series" in text


def test_a_single_value_is_no_series() -> None:
    assert drawn(("a", "X", 0, 1.0), ("b", "X", 0, 2.0), ("c", "X", 0, None)) is None


def test_the_last_time_there_is_can_be_drawn() -> None:
    latest = (LATEST_MS - START) // MINUTE
    assert drawn(("a", "X", 0, 1.0), ("a", "X", latest, 2.0)) is not None
