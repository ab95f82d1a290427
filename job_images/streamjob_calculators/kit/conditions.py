"""Expressions of stages over records: ``${record::value}``, ``${last::value}``, and ``${model::point}``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from streamjob_api.calculators.conditions import LAST, RECORD
from streamjob_api.expressions import Expression
from streamjob_api.points import PointRef
from streamjob_calculators.kit.columns import np, pl
from streamjob_calculators.kit.series import told_text

if TYPE_CHECKING:
    from streamjob_runtime.expressions import Column


def is_true(condition: Expression, records: pl.DataFrame, last: pl.DataFrame | None = None) -> pl.Series:
    """Tell of each record whether a condition is true; where it has no value, it is not.

    ``${model::point}`` is the value of a record of that point, and missing in any other.

    Args:
        condition: gives true or false.
        records: as ``kit.calculator`` says.
        last: a row for each record, with ``time``, ``value`` and ``text`` of the record before it.
    """
    from streamjob_runtime.expressions import Fault, calculated  # noqa: PLC0415 (the operator reads parameters alone)

    found = calculated(
        condition.tree, {ref: _column(ref, records, last) for ref in condition.variables}, records.height
    )
    return pl.Series(found.value & (found.fault == Fault.NONE))


def _column(ref: PointRef, records: pl.DataFrame, last: pl.DataFrame | None) -> Column:
    if ref.model == LAST and last is not None:
        return _told(last) if ref.point == "text" else numbers(last[ref.point])
    if ref.model == RECORD:
        return _FIELDS[ref.point](records)
    is_of = records["point"].cast(pl.String) == str(ref)
    return numbers(records.select(pl.when(is_of).then("value")).to_series(), records["is_int"])


def numbers(values: pl.Series, is_int: pl.Series | None = None) -> Column:
    """Return numbers as a part of an expression; where there is none, it is missing."""
    from streamjob_runtime.expressions import Column, Fault  # noqa: PLC0415 (as above)

    fault = np.where(values.is_null().to_numpy(), np.uint8(Fault.MISSING), np.uint8(Fault.NONE))
    whole = np.full(len(values), values.dtype.is_integer()) if is_int is None else is_int.to_numpy()
    return Column(values.cast(pl.Float64).fill_null(0.0).to_numpy(), whole, fault)


def _texts(names: pl.Series) -> Column:
    from streamjob_runtime.expressions import TEXT, Column  # noqa: PLC0415 (as above)

    none = np.zeros(len(names), np.uint8)
    return Column(np.array(names.to_list(), TEXT), none.astype(np.bool_), none)


def _told(records: pl.DataFrame) -> Column:
    """Return texts and truth values, these as texts, too; numbers have none."""
    from streamjob_runtime.expressions import Column, Fault  # noqa: PLC0415 (as above)

    texts = records.select(told_text()).to_series()
    fault = np.where(texts.is_null().to_numpy(), np.uint8(Fault.MISSING), np.uint8(Fault.NONE))
    return Column(_texts(texts.fill_null("")).value, np.zeros(len(texts), np.bool_), fault)


def _part(records: pl.DataFrame, part: int) -> Column:
    return _texts(records["point"].cast(pl.String).str.split_exact("::", 1).struct[part])


def _tagged(records: pl.DataFrame) -> pl.Series:
    """Return what a tagger has found; 0 of records that came by none."""
    if "dq" not in records.columns:
        return pl.repeat(0, records.height, eager=True)
    return records["dq"].fill_null(0)


def _quality(records: pl.DataFrame) -> Column:
    from streamjob_runtime.templates.pipeline_results import quality  # noqa: PLC0415 (as above)

    return numbers(quality(records))


_FIELDS: Mapping[str, Callable[[pl.DataFrame], Column]] = {
    "value": lambda records: numbers(records["value"], records["is_int"]),
    "text": _told,
    "time": lambda records: numbers(records["time"]),
    "assetId": lambda records: _texts(records["asset"]),
    "modelId": lambda records: _part(records, 0),
    "pointId": lambda records: _part(records, 1),
    "quality": _quality,
    "dq": lambda records: numbers(_tagged(records)),
}
