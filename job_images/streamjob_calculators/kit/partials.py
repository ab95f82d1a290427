"""What of some values has to be known for an aggregate, so that it can be put together from parts, in any cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streamjob_calculators.kit.columns import pl

# The parts of a sum that does not depend on the order of its terms.
SUMS = ("coarse", "fine", "rest")
# Beside all others: whether each value was written without a fraction.
_WHOLE = "is_int"


def of_records(names: Sequence[str]) -> dict[str, pl.Expr]:
    """Return the partials of each record by itself."""
    from streamjob_runtime.templates.sums import split  # noqa: PLC0415 (the operator reads parameters alone)

    sums = dict(zip(SUMS, split(pl.col("value")), strict=True))
    others = {"count": pl.lit(1, pl.Int64), "first_time": pl.col("time"), "last_time": pl.col("time")}
    return {name: (sums | others).get(name, pl.col("value")) for name in names}


def merged(rows: pl.DataFrame, keys: Sequence[str], names: Sequence[str], **also: pl.Expr) -> pl.DataFrame:
    """Put rows of the same keys together, in the order of their first rows.

    Args:
        rows: of equal times, the earlier row came earlier.
        keys: columns.
        names: of partials.
        also: what else is wanted of the rows of a key.
    """
    partials = [_merged(name) for name in (*names, _WHOLE)]
    return rows.group_by(keys, maintain_order=True).agg(*partials, **also)


def _merged(name: str) -> pl.Expr:
    column = pl.col(name)
    if name in {"high", "last_time"}:
        return column.max()
    if name in {"low", "first_time"}:
        return column.min()
    if name == _WHOLE:
        return column.all()
    if name == "first":
        return column.sort_by("first_time", maintain_order=True).first()
    if name == "last":
        return column.sort_by("last_time", maintain_order=True).last()
    return column.sum()


def running(rows: pl.DataFrame, keys: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
    """Return for each row the partials of the rows of its keys up to it, in the order in which they came."""
    partials = {name: _running(name).over(keys) for name in (*names, _WHOLE)}
    return rows.with_columns(**partials)


def _running(name: str) -> pl.Expr:
    column = pl.col(name)
    running: Mapping[str, pl.Expr] = {
        "high": column.cum_max(),
        "last_time": column.cum_max(),
        "low": column.cum_min(),
        "first_time": column.cum_min(),
        _WHOLE: column.cast(pl.Int8).cum_min().cast(pl.Boolean),
    }
    if name in {"first", "last"}:
        time = pl.col(f"{name}_time")
        before = (time.cum_min() if name == "first" else time.cum_max()).shift()
        is_it = (time < before) if name == "first" else (time >= before)
        return pl.when(is_it.fill_null(True)).then(column).forward_fill()
    return running.get(name, column.cum_sum())
