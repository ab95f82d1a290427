"""Expressions as a manifest writes them."""

from dataclasses import dataclass, field
from typing import ClassVar, Self

from streamjob_api.expressions.parser import MAX_LENGTH, parse
from streamjob_api.expressions.tree import Node, variables
from streamjob_api.points import PointRef
from streamjob_api.written import Written


@dataclass(frozen=True)
class Expression(Written):
    """A calculation over points and attributes, as in ``${Meter::A} - ${Meter::B}``."""

    MAX_LENGTH: ClassVar[int] = MAX_LENGTH
    EXAMPLE: ClassVar[str] = "an expression, as in '${ElectricMeter::MaxReading} - ${ElectricMeter::MinReading}'"

    text: str
    tree: Node = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse an expression; ``ExpressionError`` is raised when it is none."""
        return cls(text, parse(text))

    @property
    def variables(self) -> frozenset[PointRef]:
        """The points and attributes that it reads."""
        return variables(self.tree)

    def __str__(self) -> str:
        return self.text
