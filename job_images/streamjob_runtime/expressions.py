"""Expressions over columns: each part of a tree is calculated once for all rows, by one array operation or a few.

The language is that of ``docs/expressions.md``; the tree says all, no text is ever run. An expression is calculated
from left to right and only as far as it is needed: what is wrong in a branch that is not taken, or behind a
``false &&`` or a ``true ||``, does not count. Of several things that are wrong the first one does.

These are arrays and no data frame's expressions on purpose: Polars 2.1 multiplies by the reciprocal where it divides by
a number (49 / 49 is 0.9999999999999999), has no remainder with the dividend's sign, and would calculate a part once for
its value and again for each fault that depends on it.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamjob_api.expressions.tree import Binary, Boolean, Call, Conditional, Node, Number, Text, Unary, Variable
from streamjob_api.points import PointRef


class Fault(IntEnum):
    """Why an expression has no value."""

    NONE = 0
    MISSING = 1
    DIVISION_BY_ZERO = 2
    NOT_FINITE = 3
    WRONG_TYPE = 4
    ATTRIBUTE_MISSING = 5
    ATTRIBUTE_INVALID = 6


# Texts of any length side by side, compared by the characters' codes.
TEXT = np.dtypes.StringDType()


@dataclass(frozen=True)
class Column:
    """The values of one part of an expression: arrays of one length, or single values that stand for all rows.

    Attributes:
        value: numbers as f64, texts as TEXT, or truth values; where there is a fault, anything.
        is_int: whether a number is an integer; of other values it means nothing.
        fault: a Fault for each row.
    """

    value: NDArray[Any]
    is_int: NDArray[np.bool_]
    fault: NDArray[np.uint8]


_OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_COMPARISONS = {"==", "!=", "<", "<=", ">", ">="}
_FUNCTIONS: Mapping[str, Callable[..., NDArray[Any]]] = {"min": np.minimum, "max": np.maximum}
_TRUE, _FALSE = np.asarray(True), np.asarray(False)
_NO_FAULT = np.asarray(Fault.NONE, np.uint8)


def calculated(tree: Node, variables: Mapping[PointRef, Column], rows: int) -> Column:
    """Calculate an expression for each of some rows.

    Args:
        tree: an expression whose types fit (``value_type``).
        variables: finite numbers, texts or truth values, as their types are; ``is_int`` counts also where one has a
            fault.
        rows: how many rows there are.

    Returns:
        Arrays of that length; a number without a fault is finite.
    """
    with np.errstate(all="ignore"):  # What is not finite becomes a fault.
        column = _column(tree, variables)
    return Column(*(np.broadcast_to(part, rows) for part in (column.value, column.is_int, column.fault)))


def _column(node: Node, variables: Mapping[PointRef, Column]) -> Column:  # noqa: PLR0911 (one a kind of part)
    match node:
        case Number(value=value):
            return Column(np.asarray(float(value)), np.asarray(isinstance(value, int)), _NO_FAULT)
        case Text(value=text):
            return Column(np.asarray(text, TEXT), _TRUE, _NO_FAULT)
        case Boolean(value=is_true):
            return Column(np.asarray(is_true), _TRUE, _NO_FAULT)
        case Variable(ref=ref):
            return variables[ref]
        case Unary(operator=sign, operand=operand):
            return _unary(sign, _column(operand, variables))
        case Binary(operator=sign, left=left, right=right):
            return _binary(sign, _column(left, variables), _column(right, variables))
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            return _chosen(*(_column(part, variables) for part in (condition, then, otherwise)))
        case Call(function=function, arguments=arguments):
            return _called(function, [_column(argument, variables) for argument in arguments])


def _unary(sign: str, operand: Column) -> Column:
    value = -operand.value if sign == "-" else ~operand.value
    return Column(value, operand.is_int, operand.fault)


def _binary(sign: str, left: Column, right: Column) -> Column:
    if sign == "&&":
        return Column(left.value & right.value, _TRUE, _first(left.fault, np.where(left.value, right.fault, _NO_FAULT)))
    if sign == "||":
        return Column(left.value | right.value, _TRUE, _first(left.fault, np.where(left.value, _NO_FAULT, right.fault)))
    value, fault = _OPERATIONS[sign](left.value, right.value), _first(left.fault, right.fault)
    if isinstance(value, str):  # Of two single texts NumPy makes no array.
        value = np.asarray(value, TEXT)
    if sign in _COMPARISONS:
        return Column(value, _TRUE, fault)
    if sign in {"/", "%"}:
        fault = _first(fault, np.where(right.value == 0, np.uint8(Fault.DIVISION_BY_ZERO), _NO_FAULT))
    if value.dtype.kind == "f":
        fault = _first(fault, np.where(np.isfinite(value), _NO_FAULT, np.uint8(Fault.NOT_FINITE)))
    return Column(value, _FALSE if sign == "/" else left.is_int & right.is_int, fault)


def _chosen(condition: Column, then: Column, otherwise: Column) -> Column:
    """The value of the branch that is taken; it is no integer where the other one would be none."""
    fault = _first(condition.fault, np.where(condition.value, then.fault, otherwise.fault))
    value = np.where(condition.value, then.value, otherwise.value)
    return Column(value, then.is_int & otherwise.is_int, fault)


def _called(function: str, arguments: Sequence[Column]) -> Column:
    values = [argument.value for argument in arguments]
    return Column(
        np.abs(values[0]) if function == "abs" else reduce(_FUNCTIONS[function], values),
        reduce(np.logical_and, [argument.is_int for argument in arguments]),
        reduce(_first, [argument.fault for argument in arguments]),
    )


def _first(fault: NDArray[np.uint8], later: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What is wrong first: ``later`` counts where nothing was wrong before."""
    return np.where(fault, fault, later)
