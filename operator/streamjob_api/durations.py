"""Durations as people write them: ``10m``, ``1h30m``, ``1d``."""

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from streamjob_api.written import Written

_UNIT_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
# A century: beyond it nothing is a slip of the pen that anyone means, and sums of times no longer fit.
_MAX_MS = 36_500 * _UNIT_MS["d"]
_PART = re.compile(r"([0-9]+)(ms|s|m|h|d)")


@dataclass(frozen=True)
class Duration(Written):
    """A span of time."""

    PATTERN: ClassVar[str] = r"^([0-9]+(ms|s|m|h|d))+$"
    MAX_LENGTH: ClassVar[int] = 32
    EXAMPLE: ClassVar[str] = "a number and a unit, as in 90s, 10m or 1d"

    text: str
    milliseconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``10m`` or ``1h30m``: whole numbers, each unit (d h m s ms) at most once, the largest first."""
        if not re.fullmatch(cls.PATTERN, text, re.ASCII):
            raise ValueError(f"{text!r} is not a duration; write {cls.EXAMPLE}")
        parts = _PART.findall(text)
        sizes = [_UNIT_MS[unit] for _, unit in parts]
        if sizes != sorted(set(sizes), reverse=True):
            raise ValueError(f"{text!r}: write each unit once, the largest first, as in 1h30m")
        milliseconds = sum(int(number) * _UNIT_MS[unit] for number, unit in parts)
        if milliseconds > _MAX_MS:
            raise ValueError(f"{text!r} is longer than a century; write at most 36500d")
        return cls(text, milliseconds)

    @property
    def seconds(self) -> float:
        """The span in seconds."""
        return self.milliseconds / 1000

    def __str__(self) -> str:
        return self.text
