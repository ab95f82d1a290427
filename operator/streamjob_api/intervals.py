"""Interval notation of thresholds: round brackets exclude the bound, square ones include it.

Source of the forms: the service's list ``(x,y) (x,y] [x,y) [x,y] (-inf,y) (-inf,y] (x,+inf) [x,+inf) (-inf,+inf)``.
"""

import math
import re
from dataclasses import dataclass
from typing import ClassVar, Self

from streamjob_api.written import Written

_NUMBER = r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?"


@dataclass(frozen=True)
class Interval(Written):
    """The numbers from ``low`` to ``high``."""

    PATTERN: ClassVar[str] = rf"^(\( *-inf|[\[(] *{_NUMBER}) *, *(\+inf *\)|{_NUMBER} *[\])])$"
    MAX_LENGTH: ClassVar[int] = 64
    EXAMPLE: ClassVar[str] = "an interval, as in [0, 100), (0, +inf) or (-inf, +inf)"

    text: str
    low: float
    high: float
    low_included: bool
    high_included: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse interval notation; bounds are finite numbers or ``-inf``, ``+inf``, and the interval holds a number."""
        if not re.fullmatch(cls.PATTERN, text, re.ASCII):
            raise ValueError(f"{text!r} is not an interval; write {cls.EXAMPLE}")
        written = [bound.strip() for bound in text[1:-1].split(",")]
        low, high = (float(bound) + 0.0 for bound in written)  # -0.0 is equal to 0.0, but written otherwise
        if (math.isinf(low), math.isinf(high)) != (written[0] == "-inf", written[1] == "+inf"):
            raise ValueError(f"{text!r}: a bound is too large for a number; write {cls.EXAMPLE}")
        interval = cls(text, low, high, text[0] == "[", text[-1] == "]")
        if low > high:
            raise ValueError(f"{text!r} holds no number; the lower bound comes first")
        if low == high and not (interval.low_included and interval.high_included):
            raise ValueError(f"{text!r} holds no number; write [{written[0]}, {written[1]}] for this one value")
        return interval

    def __contains__(self, value: float) -> bool:
        above = value >= self.low if self.low_included else value > self.low
        below = value <= self.high if self.high_included else value < self.high
        return above and below

    def __str__(self) -> str:
        return self.text


UNBOUNDED = Interval.parse("(-inf, +inf)")
