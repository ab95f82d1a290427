"""Attributes of assets as variables of expressions."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from streamjob_api.data_types import ValueType
from streamjob_api.points import AttributeRef, PointRef
from streamjob_runtime.expressions import TEXT, Column, Fault
from streamjob_runtime.templates.arrays import Slots
from streamjob_runtime.templates.surroundings import Attributes, AttributeValue


def attribute_columns(
    attributes: Attributes, refs: Sequence[AttributeRef], types: Mapping[PointRef, ValueType], assets: Sequence[str]
) -> dict[PointRef, Column]:
    """Read some attributes.

    Args:
        attributes: where they come from.
        refs: which ones.
        types: what each of them must be.
        assets: whose, one a row; each is read once.
    """
    if not refs or not assets:
        return {}
    distinct = list(dict.fromkeys(assets))
    number = {asset: place for place, asset in enumerate(distinct)}
    rows = np.array([number[asset] for asset in assets], np.int32)
    columns = {}
    for ref, values in attributes.read(distinct, refs).items():
        point = PointRef(ref.model, ref.point)
        columns[point] = _of_rows(_column(values, types[point]), rows)
    return columns


def _column(values: Sequence[AttributeValue], wanted: ValueType) -> Column:
    """Return the values of an attribute as a variable of a type."""
    fits, empty, dtype = _FORMS[wanted]
    is_fit = [fits(value) for value in values]
    fault = [
        Fault.ATTRIBUTE_MISSING if value is None else Fault.NONE if is_right else Fault.ATTRIBUTE_INVALID
        for value, is_right in zip(values, is_fit, strict=True)
    ]
    return Column(
        np.array([value if is_right else empty for value, is_right in zip(values, is_fit, strict=True)], dtype),
        np.array([value is None or _is_integer(value) for value in values], np.bool_),
        np.array(fault, np.uint8),
    )


def _of_rows(column: Column, rows: Slots) -> Column:
    return Column(column.value[rows], column.is_int[rows], column.fault[rows])


def _is_integer(value: AttributeValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: AttributeValue) -> bool:
    """Whether it is a number that fits into a double."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _is_text(value: AttributeValue) -> bool:
    return isinstance(value, str)


def _is_truth(value: AttributeValue) -> bool:
    return isinstance(value, bool)


# By type: whether a value is of it, what stands for one that is not, and the array's.
_FORMS: Mapping[ValueType, tuple[Callable[[AttributeValue], bool], Any, Any]] = {
    ValueType.INT: (_is_number, 0.0, np.float64),
    ValueType.DOUBLE: (_is_number, 0.0, np.float64),
    ValueType.TEXT: (_is_text, "", TEXT),
    ValueType.BOOLEAN: (_is_truth, False, np.bool_),
}
