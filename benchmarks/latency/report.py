"""The figures of all intervals, for a terminal and for the docs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from benchmarks.latency.trial import Trial

_HEADS = ("Trigger interval", "p50", "p90", "p99", "Longest", "Results", "Micro-batches", "Driver's cores")


def table(trials: Sequence[Trial]) -> Table:
    shown = Table(title="From sending a window's closing record to its results, milliseconds")
    for number, head in enumerate(_HEADS):
        shown.add_column(head, justify="right" if number else "left")
    for trial in trials:
        shown.add_row(*_cells(trial))
    return shown


def markdown(trials: Sequence[Trial]) -> str:
    """The docs' table."""
    rows = [_HEADS, ("---",) * len(_HEADS), *(_cells(trial) for trial in trials)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cells(trial: Trial) -> tuple[str, ...]:
    if trial.waits is None:
        return (trial.interval, "refused", *("",) * (len(_HEADS) - 2))
    found = trial.waits
    figures = (found.p50_ms, found.p90_ms, found.p99_ms, found.max_ms)
    counts = (f"{found.results:,}", f"{trial.batches:,}", f"{trial.cores:.2f}")
    return (trial.interval, *(f"{figure:,.0f}" for figure in figures), *counts)
