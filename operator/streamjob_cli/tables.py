"""Results for people: a table of the last values, and a plot of a few series."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streamjob_cli.plot import plot
from streamjob_cli.printable import printable

# Without a terminal to ask, a width that holds ids of some length.
_WIDTH = 110
_DIGITS = 10


def show(last: pl.DataFrame | None, limit: int) -> None:
    """Print ``asset, point, time, value, mode, number``, sorted, or that there is none.

    Args:
        limit: most rows of the table, 0 for all.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    if last is None:
        console.print("No results.")
        return
    shown = last if limit == 0 else last.head(limit)
    console.print(_table(shown))
    if shown.height < last.height:
        console.print(f"{shown.height:,} of {last.height:,} results; --limit 0 shows all, --asset and --point choose.")
    drawn = plot(last, console.width, has_colors=console.color_system is not None)
    if drawn is not None and console.encoding.startswith("utf"):
        console.print()
        console.out(drawn, highlight=False)


def show_stages(rows: Sequence[tuple[str, dict[str, Any]]], limit: int) -> None:
    """Print records after the stages that gave them.

    Args:
        rows: stage and record, in the order of their work.
        limit: most rows of the table, 0 for all.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    if not rows:
        console.print("No records.")
        return
    table = Table("stage", "asset", "point", "time (UTC)", "value", "added")
    for stage, record in rows if limit == 0 else rows[:limit]:
        point, time = f"{record['modelId']}::{record['pointId']}", datetime.fromtimestamp(record["time"] / 1000, UTC)
        added = {**({"dq": record["dq"]} if "dq" in record else {}), **record["attr"]}
        told = ", ".join(f"{name}={value}" for name, value in added.items() if value is not None)
        cells = (stage, record["assetId"], point, f"{time:%Y-%m-%dT%H:%M:%SZ}", _short(str(record["value"])), told)
        table.add_row(*(Text(printable(cell)) for cell in cells))
    console.print(table)
    if limit and len(rows) > limit:
        console.print(f"{limit:,} of {len(rows):,} records; --limit 0 shows all, --stage, --asset and --point choose.")


def _short(value: str) -> str:
    """A number without the digits that only its binary form has; JSON keeps them."""
    return f"{float(value):.{_DIGITS}g}" if "." in value and len(value) > _DIGITS else value


def _table(rows: pl.DataFrame) -> Table:
    table = Table("asset", "point", "time (UTC)")
    table.add_column("value", justify="right")
    table.add_column("mode")
    times = (
        pl.from_epoch("time", time_unit="ms")
        .dt.to_string("%Y-%m-%dT%H:%M:%S%.3fZ")
        .str.replace(".000Z", "Z", literal=True)
    )
    values = pl.col("value").map_elements(_short, return_dtype=pl.String)
    for row in rows.with_columns(times, values).select("asset", "point", "time", "value", "mode").iter_rows():
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table
