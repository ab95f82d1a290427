"""Energy by instant power and by average power: the integral of a power over the time between its records.

By instant power a record's power holds back to the record before it; by average power the mean of both powers holds
between them. A power outside the threshold is invalid:

    Ignore      every interval that touches it contributes nothing; it moves the reference's time all the same, so that
                the next record does not integrate the gap
    LastValue   the last valid power takes its place; before there was any, as Ignore
    Linear      it is passed over, and a straight line drawn between the valid powers around it (``linear``)

By instant power an interval touches the power at its end alone. An interval longer than ``maxGap`` contributes
nothing, with Linear one between two valid powers; the last valid power outlives it. Nothing is converted unless both
units are given.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from streamjob_api.intervals import Interval
from streamjob_api.points import AttributeRef
from streamjob_api.templates.energy_by_power import EnergyUnit, PowerInterpolation, PowerPolicy, PowerUnit
from streamjob_runtime.templates.arrays import NEVER, Flags, Floats, Times
from streamjob_runtime.templates.chains import Chains
from streamjob_runtime.templates.intervals import HOUR_MS, Intervals, Numbers, Reference, Stretches
from streamjob_runtime.templates.limits import within
from streamjob_runtime.templates.linear import along_the_line

# What a product of power and milliseconds is divided by.
_DIVISORS = {
    (PowerUnit.WATT, EnergyUnit.KILOWATT_HOUR): HOUR_MS * 1000,
    (PowerUnit.KILOWATT, EnergyUnit.WATT_HOUR): HOUR_MS // 1000,
}


@dataclass(frozen=True)
class Power:
    """The calculation of one policy."""

    is_average: bool
    threshold: Interval
    interpolation: PowerInterpolation
    max_gap_ms: int | None
    divisor: int

    @classmethod
    def of(cls, policy: PowerPolicy, *, is_average: bool) -> Self:
        """Return the calculation that a policy configures."""
        units = policy.power_unit, policy.energy_unit
        return cls(
            is_average=is_average,
            threshold=policy.threshold,
            interpolation=policy.interpolation,
            max_gap_ms=policy.max_gap.milliseconds if policy.max_gap else None,
            divisor=next((divisor for known, divisor in _DIVISORS.items() if known == units), HOUR_MS),
        )

    @property
    def cal_type(self) -> str:
        """``calType`` of the results."""
        return "averagePower" if self.is_average else "instantPower"

    @property
    def identity(self) -> list[Any]:
        """All that the results depend on."""
        limits = self.threshold
        bounds = [limits.low, limits.high, limits.low_included, limits.high_included]
        return [self.cal_type, bounds, self.interpolation, self.max_gap_ms, self.divisor]

    @property
    def bound_to(self) -> tuple[AttributeRef, ...]:
        """Nothing: a power has neither scale nor slope."""
        return ()

    def intervals(self, chains: Chains, reference: Reference, numbers: Numbers) -> Intervals:  # noqa: ARG002
        """Integrate up to each record."""
        is_valid = within(chains.value, self.threshold)
        if self.interpolation is PowerInterpolation.LINEAR:
            stretches = along_the_line(chains, is_valid, reference, is_average=self.is_average)
        else:
            stretches = self._held(chains, is_valid, reference)
        elapsed_ms = chains.time - stretches.since
        is_accepted = (stretches.since != NEVER) & ~np.isnan(stretches.mean) & self._is_short(elapsed_ms)
        return Intervals(
            since=stretches.since,
            energy=np.where(is_accepted, stretches.mean * elapsed_ms / self.divisor, 0.0),
            is_accepted=is_accepted,
            outside=int((~is_valid).sum()),
            reached=stretches.reached,
        )

    def _held(self, chains: Chains, is_valid: Flags, reference: Reference) -> Stretches:
        """Return the stretch between each record and the one before it; each record becomes the reference."""
        if self.interpolation is PowerInterpolation.LAST_VALUE:
            power = chains.latest(chains.value, is_valid, reference.value)
        else:
            power = np.where(is_valid, chains.value, np.nan)
        since = chains.before(chains.time, reference.time)
        mean = self._mean(chains.before(power, reference.value), power)
        return Stretches(since, mean, Reference(chains.time, power, chains.time, np.zeros_like(chains.time)))

    def _mean(self, before: Floats, power: Floats) -> Floats:
        """Return the power that holds in the interval between two records."""
        # Halves first: the sum of two finite powers may not be finite.
        return before / 2 + power / 2 if self.is_average else power

    def _is_short(self, elapsed_ms: Times) -> Flags:
        limit = np.iinfo(np.int64).max if self.max_gap_ms is None else self.max_gap_ms
        return elapsed_ms <= limit
