"""Figures for people: a table on the terminal, the same as Markdown, settings and versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rich.table import Table

from benchmarks.runtime.contestant import Facts
from benchmarks.runtime.figures import Figures, Spread


@dataclass(frozen=True)
class _Column:
    title: str
    of: Callable[[Figures], Spread]
    digits: int
    with_spread: bool = False


_COLUMNS = (
    _Column("CPU s per million, steady", lambda figures: figures.steady, 2, with_spread=True),
    _Column("records/s, steady", lambda figures: figures.rate, 0, with_spread=True),
    _Column("CPU s to start", lambda figures: figures.start, 1),
    _Column("CPU s per million, start included", lambda figures: figures.whole, 2),
    _Column("peak MiB", lambda figures: figures.peak_mib, 0),
    _Column("broker's CPU s per million", lambda figures: figures.broker, 2),
)


def rows(figures: Mapping[str, Figures], facts: Iterable[Facts]) -> list[list[str]]:
    """A row for each contestant that has figures: the cheapest first, floors at the end."""
    there = [fact for fact in facts if fact.key in figures]
    there.sort(key=lambda fact: (fact.is_floor, figures[fact.key].steady.median))
    return [[fact.title, *(_cell(column, figures[fact.key]) for column in _COLUMNS)] for fact in there]


def table(figures: Mapping[str, Figures], facts: Iterable[Facts]) -> Table:
    """For a terminal."""
    made = Table("", *(column.title for column in _COLUMNS))
    for row in rows(figures, facts):
        made.add_row(*row)
    return made


def markdown(figures: Mapping[str, Figures], facts: Iterable[Facts]) -> str:
    """For the docs: figures, then versions, settings and guarantees."""
    facts = list(facts)
    told = [
        [fact.title, _listed(fact.versions, " "), _listed(fact.settings, ": "), fact.guarantee]
        for fact in facts
        if fact.key in figures
    ]
    return "\n\n".join([
        _markdown(["", *(column.title for column in _COLUMNS)], rows(figures, facts)),
        _markdown(["", "versions", "settings", "guarantee"], told),
    ])  # fmt: skip


def _listed(named: Mapping[str, str], between: str) -> str:
    return ", ".join(f"{name}{between}{value}" for name, value in named.items())


def _markdown(head: list[str], body: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *body])


def _cell(column: _Column, figures: Figures) -> str:
    spread = column.of(figures)
    median, lowest, highest = (
        f"{value:,.{column.digits}f}" for value in (spread.median, spread.lowest, spread.highest)
    )
    return f"{median} ({lowest} - {highest})" if column.with_spread and figures.runs > 1 else median
