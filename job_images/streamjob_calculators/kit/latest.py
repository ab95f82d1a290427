"""The latest records of several points of an asset, beside each of its records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streamjob_api.durations import Duration
from streamjob_api.points import PointRef
from streamjob_calculators.kit.calculator import Run
from streamjob_calculators.kit.columns import pl
from streamjob_calculators.kit.series import SERIES, after_earlier, keep_last

KEPT = ("time", "value", "is_int", "text")
# Told of a record where it stands beside another one.
_TOLD = ("point", "time", "value")


def with_latest(
    records: pl.DataFrame, run: Run, points: Sequence[PointRef], max_age: Duration | None = None
) -> pl.DataFrame:
    """Return what the stage kept, then the records, each with the latest records of some points until then.

    A record that is older than the latest one of its asset and point is left out, and counted as ``late``.

    Args:
        records: of this micro-batch.
        run: the stage's; it keeps the latest record of each series.
        points: whose latest records are wanted.
        max_age: how old they may be, by the record that they stand beside.

    Returns:
        ``earlier bool``, the records' columns, and ``latest0``, ``latest1``, ...: for each point a struct of
        ``point str`` and KEPT; null where there is none.
    """
    rows = after_earlier(records, run, KEPT)
    in_order = rows.filter(pl.col("time") >= pl.col("time").cum_max().over(SERIES))
    run.count("late", rows.height - in_order.height)
    keep_last(in_order, run, KEPT)
    return in_order.with_columns(**_latest(points, max_age))


def _latest(points: Sequence[PointRef], max_age: Duration | None) -> Mapping[str, pl.Expr]:
    record = pl.struct(pl.col("point").cast(pl.String), *KEPT)
    latest = {}
    for place, point in enumerate(points):
        own = pl.when(pl.col("point") == str(point)).then(record).forward_fill().over("asset")
        if max_age is not None:
            age = pl.col("time") - own.struct.field("time")
            own = pl.when(age <= max_age.milliseconds).then(own)
        latest[f"latest{place}"] = own
    return latest


def listed(count: int) -> pl.Expr:
    """Return the latest records of so many points as a list of ``point``, ``time`` and ``value``."""
    each = (pl.struct(*(pl.col(f"latest{place}").struct.field(name) for name in _TOLD)) for place in range(count))
    is_there = pl.element().struct.field("point").is_not_null()
    return pl.concat_list(*each).list.eval(pl.element().filter(is_there))
