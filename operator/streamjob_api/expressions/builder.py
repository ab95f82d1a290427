"""From lark's parse tree to the parts of an expression, with the faults that the grammar cannot see."""

import math
import re
from typing import Any, cast

from lark import Token, Transformer_NonRecursive

from streamjob_api.expressions.faults import Fault, Position
from streamjob_api.expressions.tree import (
    Binary,
    BinaryOperator,
    Boolean,
    Call,
    Conditional,
    Function,
    Node,
    Number,
    Text,
    Unary,
    UnaryOperator,
    Variable,
)
from streamjob_api.points import PointRef
from streamjob_api.suggestions import did_you_mean

# Name to the least and the greatest number of arguments.
FUNCTIONS: dict[str, tuple[int, float]] = {"abs": (1, 1), "max": (2, math.inf), "min": (2, math.inf)}
ESCAPES = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "r": "\r", "t": "\t"}

_WORDS = ("true", "false", "if", "else", *FUNCTIONS)
_MAX_INTEGER = 2**63 - 1
_UNBUILDABLE = Boolean(False)  # stands where a fault was found; no such tree is handed out


class Builder(Transformer_NonRecursive[Token, Node]):
    """Builds one expression; the tree counts only when no ``faults`` were found."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[Fault] = []

    def start(self, children: list[Any]) -> Node:
        """The whole expression."""
        return cast("Node", children[0])

    def number(self, children: list[Token]) -> Node:
        """A literal number."""
        token = children[0]
        value: int | float = int(token) if token.isdigit() else float(token)
        if isinstance(value, int) and value > _MAX_INTEGER:
            return self._fault(token, f"'{token}' is too large for an integer; write it as '{token}.0'")
        if math.isinf(value):
            return self._fault(token, f"'{token}' is too large; numbers go up to about 1.8e308")
        return Number(value, position=position_of(token))

    def text(self, children: list[Token]) -> Node:
        """A literal text."""
        token = children[0]
        unknown = [found for found in re.findall(r"\\(.)", token[1:-1]) if found not in ESCAPES]
        if unknown:
            known = " ".join(f"\\{letter}" for letter in ESCAPES)
            return self._fault(token, f"'\\{unknown[0]}' in a text has no meaning; known are {known}")
        return Text(re.sub(r"\\(.)", lambda found: ESCAPES[found[1]], token[1:-1]), position=position_of(token))

    def boolean(self, children: list[Token]) -> Node:
        """``true`` or ``false``."""
        return Boolean(children[0] == "true", position=position_of(children[0]))

    def variable(self, children: list[Token]) -> Node:
        """A point or an attribute."""
        token = children[0]
        try:
            return Variable(PointRef.parse(token[2:-1].strip()), position=position_of(token))
        except ValueError:
            return self._fault(
                token,
                f"'{token}' names no point or attribute; write ${{model::point}}, as in ${{ElectricMeter::Reading}}",
            )

    def word(self, children: list[Token]) -> Node:
        """A bare name, which has no meaning."""
        token = children[0]
        hint = did_you_mean(token, _WORDS) or "; a point is written ${model::point}, a text in quotes"
        return self._fault(token, f"unknown word '{token}'{hint}")

    def call(self, children: list[Any]) -> Node:
        """A function of its arguments."""
        token, arguments = children[0], tuple(children[1:])
        if token not in FUNCTIONS:
            hint = did_you_mean(token, FUNCTIONS) or f"; the functions are {', '.join(FUNCTIONS)}"
            return self._fault(token, f"unknown function '{token}'{hint}")
        least, most = FUNCTIONS[token]
        if not least <= len(arguments) <= most:
            needed = "one value" if most == 1 else "two values or more"
            return self._fault(token, f"'{token}' takes {needed}; given: {len(arguments)}")
        return Call(cast("Function", str(token)), arguments, position=position_of(token))

    def unary(self, children: list[Any]) -> Node:
        """An operator before its operand."""
        return Unary(cast("UnaryOperator", str(children[0])), children[1], position=position_of(children[0]))

    def binary(self, children: list[Any]) -> Node:
        """An operator between two operands; the documented single bar is the same as two."""
        left, sign, right = children
        operator = "||" if sign == "|" else str(sign)
        return Binary(cast("BinaryOperator", operator), left, right, position=position_of(sign))

    disjunction = conjunction = comparison = sum = product = binary

    def conditional(self, children: list[Any]) -> Node:
        """``if`` with both its branches."""
        keyword, condition, then, _, otherwise = children
        return Conditional(condition, then, otherwise, position=position_of(keyword))

    def _fault(self, token: Token, message: str) -> Node:
        self.faults.append(Fault(position_of(token), message))
        return _UNBUILDABLE


def position_of(token: Token) -> Position:
    """Where a token begins."""
    return Position(token.line or 1, token.column or 1)
