"""References to measurement points: ``model::point``."""

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from streamjob_api.written import Written

# Ids of models, points and attributes.
NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"


@dataclass(frozen=True, order=True)
class PointRef(Written):
    """One measurement point of a thing model."""

    PATTERN: ClassVar[str] = rf"^{NAME}::{NAME}$"
    MAX_LENGTH: ClassVar[int] = 258
    EXAMPLE: ClassVar[str] = "model::point, as in ElectricMeter::Reading"

    model: str
    point: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``model::point``."""
        if not re.fullmatch(cls.PATTERN, text, re.ASCII):
            raise ValueError(f"{text!r} is not of the form {cls.EXAMPLE}")
        model, _, point = text.partition("::")
        return cls(model, point)

    def __str__(self) -> str:
        return f"{self.model}::{self.point}"


class AttributeRef(PointRef):
    """One attribute of a thing model; ``point`` is the attribute's name."""

    EXAMPLE: ClassVar[str] = "model::attribute, as in ElectricMeter::Ratio"
