"""CPU and rate of each contestant as bars, with the lowest and the highest run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.runtime.contestant import Facts
from benchmarks.runtime.figures import Figures, Spread
from benchmarks.svg_plots import pyplot, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OURS, _OTHERS, _FLOORS = "#0b6e4f", "#8d99ae", "#d9d9d9"


def draw(figures: Mapping[str, Figures], facts: Iterable[Facts], path: Path) -> None:
    """Write an SVG, the same bytes for the same figures."""
    there = [fact for fact in facts if fact.key in figures]
    there.sort(key=lambda fact: (fact.is_floor, figures[fact.key].steady.median), reverse=True)
    figure, (left, right) = pyplot().subplots(1, 2, figsize=(10, 0.5 * len(there) + 1.4), sharey=True)
    _bars(left, there, lambda fact: figures[fact.key].steady, "CPU seconds per million messages: less is better", 1)
    _bars(right, there, lambda fact: figures[fact.key].rate, "messages a second on 2 cores: more is better", 0)
    save(figure, path)


def _bars(axes: Axes, facts: list[Facts], of: Callable[[Facts], Spread], title: str, digits: int) -> None:
    spreads = [of(fact) for fact in facts]
    medians = [spread.median for spread in spreads]
    # a floor's low run may lie above the median by rounding alone
    below = [max(0.0, spread.median - spread.lowest) for spread in spreads]
    above = [max(0.0, spread.highest - spread.median) for spread in spreads]
    colours = [_FLOORS if fact.is_floor else _OURS if fact.key == "streamjob" else _OTHERS for fact in facts]
    bars = axes.barh([fact.title for fact in facts], medians, xerr=(below, above), color=colours, capsize=3)
    axes.bar_label(bars, [f"{median:,.{digits}f}" for median in medians], padding=6, fontsize=9)
    axes.set_title(title, fontsize=10)
    axes.margins(x=0.18)
    axes.spines[["top", "right"]].set_visible(False)
