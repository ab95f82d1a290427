"""Growth for people: a table for each dimension, the same as Markdown, and a plot of all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.driven.dimensions import Dimension, Point
from benchmarks.driven.following import Steady
from benchmarks.driven.measuring import Measurement
from benchmarks.svg_plots import pyplot, save

_HEAD = ("CPU s per million", "records/s", "per key and batch", "peak MiB", "checkpoint MiB")
_LINE, _BOUND = "#0b6e4f", "#b23a48"
_GROWTH_ALLOWED = 2.0


@dataclass(frozen=True)
class Grown:
    """One dimension with what was measured of it."""

    key: str
    dimension: Dimension
    points: Sequence[tuple[Point, Measurement, Steady]]

    @property
    def factor(self) -> float | None:
        """The highest cost beside that of the first point; None while there is nothing to compare."""
        costs = [cost.cpu for _, _, cost in self.points]
        return round(max(costs) / costs[0], 2) if len(costs) > 1 and costs[0] > 0 else None

    def figures(self) -> dict[str, Any]:
        """For the JSON of the benchmark."""
        points = {
            point.label: {
                "cpu_seconds_per_million": cost.cpu,
                "records_per_second": cost.rate,
                "records_per_key_and_batch": cost.per_key,
                "peak_mib": made.peak_mib,
                "checkpoint_mib": made.checkpoint_mib,
                "message_bytes": made.message_bytes,
            }
            for point, made, cost in self.points
        }
        return {"growth": self.factor, "points": points}


def grown(dimensions: Mapping[str, tuple[Dimension, list[Point]]], made: Mapping[str, Measurement]) -> list[Grown]:
    """Those dimensions of which there is any measurement."""
    found = []
    for key, (dimension, points) in dimensions.items():
        there = [
            (point, measurement, cost)
            for point in points
            if (measurement := made.get(point_name(key, points, point)))
            and (cost := measurement.phases.get(point.phase))
        ]
        if there:
            found.append(Grown(key, dimension, there))
    return found


def point_name(key: str, points: Sequence[Point], point: Point) -> str:
    """The measurement that a point is read off: of the first point that has the same task."""
    first = next(each for each in points if each.task is point.task)
    return f"{key}/{first.label}"


def tables(all_grown: Iterable[Grown]) -> Iterable[Table]:
    """For a terminal."""
    for each in all_grown:
        table = Table(each.dimension.title, *_HEAD, title=_title(each))
        for row in _rows(each):
            table.add_row(*row)
        yield table


def markdown(all_grown: Iterable[Grown]) -> str:
    """For the docs: one table."""
    lines = [["", *_HEAD, "growth"], ["---"] * (len(_HEAD) + 2)]
    for each in all_grown:
        for number, (label, *cells) in enumerate(_rows(each)):
            factor = f"{each.factor:g}" if each.factor and number == len(each.points) - 1 else ""
            lines.append([f"{each.dimension.title}: {label}", *cells, factor])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _title(each: Grown) -> str:
    return each.dimension.title + (f": cost grows {each.factor:g} times at most" if each.factor else "")


def _rows(each: Grown) -> list[list[str]]:
    return [
        [
            point.label, f"{cost.cpu:.2f}", f"{cost.rate:,}", f"{cost.per_key:,g}", f"{made.peak_mib:,}",
            f"{made.checkpoint_mib:,g}",
        ]
        for point, made, cost in each.points
    ]  # fmt: skip


def draw(all_grown: Sequence[Grown], path: Path) -> None:
    """Write an SVG: a panel for each dimension, its cost beside that of its first point; the same bytes again."""
    columns = min(4, len(all_grown))
    lines = -(-len(all_grown) // columns)
    figure, panels = pyplot().subplots(lines, columns, figsize=(3 * columns, 2.6 * lines), sharey=True, squeeze=False)
    for panel, each in zip(panels.flat, all_grown, strict=False):
        costs = [cost.cpu / each.points[0][2].cpu for _, _, cost in each.points]
        panel.plot(range(len(costs)), costs, marker="o", color=_LINE)
        panel.axhline(_GROWTH_ALLOWED, color=_BOUND, linewidth=0.8, linestyle="--")
        panel.set_xticks(range(len(costs)), [point.label for point, _, _ in each.points])
        panel.set_title(each.dimension.title, fontsize=9)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in list(panels.flat)[len(all_grown) :]:
        panel.set_visible(False)
    factors = [each.factor or 1.0 for each in all_grown]
    panels[0][0].set_ylim(0, 1.1 * max(_GROWTH_ALLOWED, *factors))  # all panels share it
    panels[0][0].set_ylabel("CPU per record,\nfirst point = 1", fontsize=9)
    save(figure, path)
