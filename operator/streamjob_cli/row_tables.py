"""Offsets and state as tables for people, or a JSON object a line for programs."""

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from streamjob_api.checkpoint_tools import HeldRow, OffsetRow, PendingEdit
from streamjob_cli.printable import printable

_SHOWN = 5
_WIDTH = 140


def show_offsets(rows: Sequence[OffsetRow], form: str | None) -> None:
    """Print partitions; ``after`` where they are reset."""
    if not _is_table(form):
        _print_json(row.model_dump_json(exclude_none=True) for row in rows)
        return
    _print_offsets(rows)


def show_trial(rows: Sequence[OffsetRow]) -> None:
    """Print what a reset would do, where the question is asked: the result alone goes to stdout."""
    _print_offsets(rows, to_stderr=True)


def _print_offsets(rows: Sequence[OffsetRow], *, to_stderr: bool = False) -> None:
    columns = ["position", "earliest", "latest", "lag", "after"]
    told = [name for name in columns if any(getattr(row, name) is not None for row in rows)]
    cells = [[row.topic, str(row.partition), *(_number(getattr(row, name)) for name in told)] for row in rows]
    heads = ["topic", "partition", *told]
    _print_table(heads, cells, right=len(told) + 1, nothing="No partitions are read.", to_stderr=to_stderr)


def show_held(rows: Sequence[HeldRow], form: str | None) -> None:
    """Print what is held, by asset and point."""
    ordered = sorted(rows, key=lambda row: (row.asset, row.point, row.kind, str(row.fields.get("time", ""))))
    if not _is_table(form):
        _print_json(row.model_dump_json(exclude_defaults=True) for row in ordered)
        return
    cells = [
        [row.asset, row.point, row.kind, _written("time", row.fields.get("time", "")), _rest(row)] for row in ordered
    ]
    _print_table(["asset", "point", "what", "time (UTC)", "holds"], cells, nothing="The state holds nothing of these.")


def show_pending(edits: Sequence[PendingEdit]) -> None:
    """Tell what is forgotten when the job goes on."""
    for edit in edits:
        more = f" and {len(edit.assets) - _SHOWN:,} more" if len(edit.assets) > _SHOWN else ""
        assets = f"{', '.join(edit.assets[:_SHOWN])}{more}"
        points = ", ".join(map(str, edit.points))
        click.echo(
            printable(f"pending: forgets {assets} in {points} (asked for at {edit.at:%Y-%m-%dT%H:%M:%SZ})"), err=True
        )


def _rest(row: HeldRow) -> str:
    told = [f"{name}={_written(name, value)}" for name, value in row.fields.items() if name != "time"]
    return ", ".join([*told, *(["(to be forgotten)"] if row.pending else [])])


def _written(name: str, value: Any) -> str:
    if isinstance(value, int) and name.lower().endswith("time"):
        return f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%dT%H:%M:%S}.{value % 1000:03d}Z".replace(
            ".000Z", "Z"
        )
    if isinstance(value, list):
        return " ".join(map(str, value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _is_table(form: str | None) -> bool:
    return form == "table" or (form is None and sys.stdout.isatty())


def _print_json(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _print_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, nothing: str, right: int = 0, to_stderr: bool = False
) -> None:
    from rich.console import Console  # noqa: PLC0415 (programs need no table)
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(stderr=to_stderr)
    if not console.is_terminal:
        console = Console(stderr=to_stderr, width=_WIDTH)
    if not rows:
        console.print(nothing)
        return
    table = Table()
    for number, head in enumerate(heads):
        table.add_column(head, justify="right" if 0 < right >= len(heads) - number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console.print(table)
