"""What is wrong with an expression, and where."""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, order=True, slots=True)
class Position:
    """A place in an expression's text; line and column count from 1."""

    line: int
    column: int


@dataclass(frozen=True, order=True, slots=True)
class Fault:
    """One fault; printed with its column, and with its line where the text has several."""

    position: Position
    message: str
    has_lines: bool = False

    def of(self, text: str) -> "Fault":
        """The same fault as one of this text."""
        return replace(self, has_lines="\n" in text.strip())

    def __str__(self) -> str:
        column = f"column {self.position.column}"
        where = f"line {self.position.line}, {column}" if self.has_lines else column
        return f"{where}: {self.message}"


class ExpressionError(ValueError):
    """A text that is no expression: ``faults`` in the order of the text, ``line`` and ``column`` of the first one."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)
        self.line = self.faults[0].position.line
        self.column = self.faults[0].position.column
