"""What the energy calculations have in common: each makes intervals out of the records of a series."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from streamjob_api.points import AttributeRef
from streamjob_runtime.templates.arrays import Flags, Floats, Times
from streamjob_runtime.templates.chains import Chains

HOUR_MS = 3_600_000
# Attributes, by slot; NaN where the asset has no number to use.
Numbers = Mapping[AttributeRef, Floats]


@dataclass(frozen=True)
class Reference:
    """Against what the next record of a series is measured.

    Attributes:
        time: where the next interval begins; NEVER where there was no record.
        value: the reading or power there; NaN where there is none to use.
        last: time of the last record, which may lie later.
        passed: what ``linear`` has added up of the records between; 0 for all else.
    """

    time: Times
    value: Floats
    last: Times
    passed: Times


@dataclass(frozen=True)
class Stretches:
    """The time that a power holds for, up to each record.

    Attributes:
        since: where it begins.
        mean: the power that holds; NaN where none does.
        reached: the reference after each record.
    """

    since: Times
    mean: Floats
    reached: Reference


@dataclass(frozen=True)
class Intervals:
    """The interval that ends with each record.

    Attributes:
        since: where it begins.
        energy: 0 where it is not accepted.
        is_accepted: whether it contributes, be it 0.
        outside: how many records had a slope or a power outside the threshold.
        reached: the reference after each record.
    """

    since: Times
    energy: Floats
    is_accepted: Flags
    outside: int
    reached: Reference


class Calculation(Protocol):
    """One policy's way from records to energy."""

    @property
    def cal_type(self) -> str:
        """``calType`` of the results."""

    @property
    def identity(self) -> list[Any]:
        """All that the results depend on."""

    @property
    def bound_to(self) -> tuple[AttributeRef, ...]:
        """The attributes that it needs."""

    def intervals(self, chains: Chains, reference: Reference, numbers: Numbers) -> Intervals:
        """Return the interval of each record; the reference, and the attributes, are by slot."""
