"""What an expression must give for one row, by walking its tree. Source: ``docs/expressions.md``."""

import math
from collections.abc import Mapping
from typing import TypeVar

from streamjob_api.expressions.tree import Binary, Boolean, Call, Conditional, Node, Number, Text, Unary, Variable
from streamjob_api.points import PointRef

Value = float | str | bool
T = TypeVar("T", float, str)


class NoValue(Exception):  # noqa: N818 (what it is)
    """The expression has no value, for this reason: ``missing``, ``DivisionByZero``, ``NotFinite``, or a variable's."""


Known = Mapping[PointRef, "Value | NoValue"]
"""Variables: their values, or why they cannot be used; one that is not there is missing."""


def evaluate(node: Node, known: Known) -> Value:  # noqa: C901, PLR0911 (one a kind of part)
    """Calculate an expression whose types fit; numbers are doubles, ``is_integer`` says which ones are integers.

    Raises:
        NoValue: it has none.
    """
    match node:
        case Number(value=value):
            return float(value)
        case Text(value=value) | Boolean(value=value):
            return value
        case Variable(ref=ref):
            found = known.get(ref, NoValue("missing"))
            if isinstance(found, NoValue):
                raise found
            return found if isinstance(found, str | bool) else float(found)
        case Unary(operator="-", operand=operand):
            return -number(operand, known)
        case Unary(operand=operand):
            return not evaluate(operand, known)
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            return evaluate(then if evaluate(condition, known) else otherwise, known)
        case Call(function=function, arguments=arguments):
            numbers = [number(argument, known) for argument in arguments]
            return {"abs": lambda: abs(numbers[0]), "min": lambda: min(numbers), "max": lambda: max(numbers)}[
                function
            ]()
        case Binary(operator="&&", left=left, right=right):
            return bool(evaluate(left, known) and evaluate(right, known))
        case Binary(operator="||", left=left, right=right):
            return bool(evaluate(left, known) or evaluate(right, known))
        case Binary(operator=sign, left=left, right=right):
            return of_two(sign, evaluate(left, known), evaluate(right, known))


def number(node: Node, known: Known) -> float:
    """Calculate what is known to be a number."""
    value = evaluate(node, known)
    assert not isinstance(value, str | bool)
    return value


def of_two(sign: str, left: Value, right: Value) -> Value:
    """Calculate what needs both operands."""
    if isinstance(left, str) and isinstance(right, str):
        return left + right if sign == "+" else compared(sign, left, right)
    assert not isinstance(left, str)
    assert not isinstance(right, str)
    if sign not in {"+", "-", "*", "/", "%"}:
        return compared(sign, left, right)
    if sign in {"/", "%"} and right == 0:
        raise NoValue("DivisionByZero")
    value = arithmetic(sign, left, right)
    if not math.isfinite(value):
        raise NoValue("NotFinite")
    return value


def compared(sign: str, left: T, right: T) -> bool:
    """Compare two texts, numbers or truth values."""
    if sign in {"==", "!="}:
        return (left == right) is (sign == "==")
    if sign in {"<", ">="}:
        return (left < right) is (sign == "<")
    return (left > right) is (sign == ">")


def arithmetic(sign: str, left: float, right: float) -> float:
    """Calculate with doubles, as all numbers are."""
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right
    return math.fmod(left, right)


def is_integer(node: Node, integers: Mapping[PointRef, bool]) -> bool:
    """Whether a numeric expression gives integers; a variable that was never seen takes no part in that."""
    match node:
        case Number(value=value):
            return isinstance(value, int)
        case Variable(ref=ref):
            return integers.get(ref, True)
        case Unary(operand=operand):
            return is_integer(operand, integers)
        case Binary(operator=sign, left=left, right=right):
            return sign != "/" and is_integer(left, integers) and is_integer(right, integers)
        case Conditional(then=then, otherwise=otherwise):
            return is_integer(then, integers) and is_integer(otherwise, integers)
        case Call(arguments=arguments):
            return all(is_integer(argument, integers) for argument in arguments)
    raise TypeError(f"{node} is no number")
