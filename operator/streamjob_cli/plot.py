"""A small plot of a few series, in characters."""

from datetime import UTC, datetime, timedelta
from typing import Any

import plotille
import polars as pl

from streamjob_cli.printable import printable
from streamjob_runtime.event_times import LATEST_MS

_MOST_SERIES = 4
_HEIGHT = 12
_COLORS = ("cyan", "yellow", "green", "magenta")
_MARKERS = "ox+*"
# Plotille puts this beside the plot: values, the axis and its label.
_MARGIN = 24
_FORM = "%Y-%m-%dT%H:%M:%SZ"


def plot(last: pl.DataFrame, width: int, *, has_colors: bool) -> str | None:
    """Draw the first few series of ``asset, point, time, number``; None where none has two values."""
    rows = last.filter(pl.col("number").is_not_null())
    series = rows.group_by("asset", "point", maintain_order=True).agg("time", "number")
    series = series.filter(pl.col("time").list.len() > 1)
    if series.is_empty():
        return None
    drawn = series.head(_MOST_SERIES)
    figure = _figure(max(width - _MARGIN, 20), has_colors=has_colors)
    first, latest = min(drawn["time"].list.min()), max(drawn["time"].list.max())
    # A little beyond the last point, or its mark would not be drawn.
    figure.set_x_limits(_at(first), _at(min(latest + (latest - first) // 50 + 1, LATEST_MS)))
    for number, (asset, point, times, values) in enumerate(drawn.iter_rows()):
        figure.plot(
            list(map(_at, times)),
            values,
            lc=_COLORS[number] if has_colors else None,
            label=printable(f"{asset} {point}"),
            marker=None if has_colors else _MARKERS[number],
        )
    left_out = series.height - drawn.height
    more = f"and {left_out:,} more series\n" if left_out else ""
    return f"{_at(first):{_FORM}} to {_at(latest):{_FORM}}\n{figure.show(legend=True)}\n{more}"


def _figure(width: int, *, has_colors: bool) -> Any:
    figure = plotille.Figure()
    figure.width, figure.height = width, _HEIGHT
    figure.with_colors = has_colors
    figure.x_label, figure.y_label = "UTC", "value"
    figure.register_label_formatter(float, _number)
    return figure


def _at(time_ms: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=time_ms)


def _number(val: float, chars: int, delta: float, left: bool = False) -> str:  # noqa: ARG001 (plotille's signature)
    return f"{val:{'<' if left else '>'}{chars}.{chars - 5}g}"
