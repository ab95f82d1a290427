"""The parts of a parsed expression. Positions take no part in equality: two spellings of one calculation are equal."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from streamjob_api.expressions.faults import Position
from streamjob_api.points import PointRef

UnaryOperator = Literal["-", "!"]
BinaryOperator = Literal["||", "&&", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"]
Function = Literal["abs", "max", "min"]

_START = Position(1, 1)


@dataclass(frozen=True, slots=True)
class _Part:
    position: Position = field(default=_START, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Number(_Part):
    """A literal number, never negative: an int is an integer, a float a decimal."""

    value: int | float


@dataclass(frozen=True, slots=True)
class Text(_Part):
    """A literal text."""

    value: str


@dataclass(frozen=True, slots=True)
class Boolean(_Part):
    """``true`` or ``false``."""

    value: bool


@dataclass(frozen=True, slots=True)
class Variable(_Part):
    """The latest value of a point, or an attribute's value."""

    ref: PointRef


@dataclass(frozen=True, slots=True)
class Unary(_Part):
    """An operator before its operand."""

    operator: UnaryOperator
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Binary(_Part):
    """An operator between two operands; its position is the operator's."""

    operator: BinaryOperator
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Conditional(_Part):
    """``if (condition) { then } else { otherwise }``; ``else if`` is a Conditional as ``otherwise``."""

    condition: "Node"
    then: "Node"
    otherwise: "Node"


@dataclass(frozen=True, slots=True)
class Call(_Part):
    """A function of its arguments."""

    function: Function
    arguments: tuple["Node", ...]


Node = Number | Text | Boolean | Variable | Unary | Binary | Conditional | Call


def walk(tree: Node) -> Iterator[tuple[Node, int]]:
    """Every part with its depth (the root's is 1), without recursion."""
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting.extend((part, depth + 1) for part in reversed(_parts(node)))


def variables(tree: Node) -> frozenset[PointRef]:
    """The points and attributes that the expression reads."""
    return frozenset(node.ref for node, _ in walk(tree) if isinstance(node, Variable))


def _parts(node: Node) -> tuple[Node, ...]:
    match node:
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            return (condition, then, otherwise)
        case Call(arguments=arguments):
            return arguments
        case _:
            return ()
