"""Expressions over points (interim: variables only, until the grammar is here)."""

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from streamjob_api.points import PointRef
from streamjob_api.written import Written


@dataclass(frozen=True)
class Expression(Written):
    """An expression."""

    PATTERN: ClassVar[str] = r"^.+$"
    MAX_LENGTH: ClassVar[int] = 4096
    EXAMPLE: ClassVar[str] = "an expression, as in ${Meter::A} - ${Meter::B}"

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take any text."""
        return cls(text)

    @property
    def variables(self) -> frozenset[PointRef]:
        """The points that it reads."""
        return frozenset(PointRef.parse(name) for name in re.findall(r"\$\{([^}]*)\}", self.text))

    def __str__(self) -> str:
        return self.text
