"""What people see of the demo: tables."""

import polars as pl
from rich.console import Console
from rich.table import Table

from demo.comparison import Comparison
from demo.meters import WEEK_START_MS

BREAKFAST_MS = 7 * 3_600_000
SHOWN_METERS = 3
SHOWN_WINDOWS = 3
SHOWN_DIFFERENCES = 20


def _clock(column: str) -> pl.Expr:
    return pl.from_epoch(column, time_unit="ms").dt.strftime("%a %H:%M")


def show_sample(console: Console, expected: pl.DataFrame, results: pl.DataFrame) -> None:
    """A few windows of a few meters at breakfast: what Kafka holds beside what was calculated apart."""
    begin = WEEK_START_MS + BREAKFAST_MS
    keys = ["asset", "point", "time"]
    meters = expected["asset"].unique().sort().head(SHOWN_METERS)
    windows = (
        expected.filter(pl.col("asset").is_in(meters.implode()) & (pl.col("time") >= begin))
        .join(results, on=keys, how="left")
        .sort(keys)
        .group_by("asset", "point", maintain_order=True)
        .head(SHOWN_WINDOWS)
    )
    table = Table(title="Ten-minute extremes (kWh)", title_justify="left")
    for heading in ("meter", "point", "window (UTC)", "from Kafka", "calculated apart", "emission"):
        table.add_column(heading, justify="right" if heading in {"from Kafka", "calculated apart"} else "left")
    for row in windows.with_columns(clock=_clock("time")).iter_rows(named=True):
        value = "missing" if row["value"] is None else f"{row['value']:.3f}"
        table.add_row(row["asset"], row["point"], row["clock"], value, f"{row['expected']:.3f}", row["mode"])
    console.print(table)


def show_latest(console: Console, expected: pl.DataFrame, latest: pl.DataFrame) -> None:
    """The latest values of a few meters: what Redis holds beside what was calculated apart."""
    rows = expected.join(latest, on=["asset", "point", "time"], how="left").sort("asset", "point")
    table = Table(title="Latest values (kWh)", title_justify="left")
    for heading in ("meter", "point", "window (UTC)", "from Redis", "calculated apart"):
        table.add_column(heading, justify="right" if heading in {"from Redis", "calculated apart"} else "left")
    for row in rows.head(2 * SHOWN_METERS).with_columns(clock=_clock("time")).iter_rows(named=True):
        value = "missing" if row["value"] is None else f"{row['value']:.3f}"
        table.add_row(row["asset"], row["point"], row["clock"], value, f"{row['expected']:.3f}")
    console.print(table)


def show_verdict(console: Console, name: str, comparison: Comparison) -> None:
    """One line for a comparison that holds; the first differences for one that does not."""
    mark = "[green]equal[/]" if comparison.holds else "[red]NOT EQUAL[/]"
    repeated = f"; {comparison.repeated:,} records were replaced by later ones" if comparison.repeated else ""
    console.print(f"{name}: {comparison.equal:,} of {comparison.expected:,} results {mark}{repeated}")
    if not comparison.holds:
        console.print(comparison.differing.head(SHOWN_DIFFERENCES))
