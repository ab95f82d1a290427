"""Energy by meter reading: the accepted differences of readings, times the scale.

A series has one reference, a time and a reading. Its first record becomes the reference. A later one with the same
reading changes nothing: the reference keeps its time, and the next change is measured over the whole flat stretch. One
with another reading gives the difference ``dE``, if ``dE`` divided by the hours since the reference lies within the
slope threshold, and nothing otherwise (a jump, a negative difference, a reset to zero); it becomes the reference in
either case. The slope is that of the readings; the scale applies to each accepted difference.

Either may be bound to an attribute of the asset, as it is when the interval is accepted: the highest slope, the lowest
then being 0, and the scale. Without a number to use the slope has no highest value and the scale is 1.

With a rollover modulus a reading below the reference is first taken for a meter that began again at 0: its difference
is ``reading + modulus - reference`` where that has an accepted slope.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from streamjob_api.intervals import Interval
from streamjob_api.points import AttributeRef
from streamjob_api.templates.energy_by_meter_reading import MeterReadingPolicy
from streamjob_runtime.templates.arrays import NEVER, Flags, Floats, Times
from streamjob_runtime.templates.chains import Chains
from streamjob_runtime.templates.intervals import HOUR_MS, Intervals, Numbers, Reference
from streamjob_runtime.templates.limits import within

# Of slopes with a limit that is bound, before the limit.
_NOT_NEGATIVE = Interval.parse("[0, +inf)")


@dataclass(frozen=True)
class MeterReading:
    """The calculation of one policy."""

    slope: Interval
    slope_limit: AttributeRef | None
    scale: float
    bound_scale: AttributeRef | None
    modulus: float | None

    @property
    def cal_type(self) -> str:
        """``calType`` of the results."""
        return "meterReading"

    @classmethod
    def of(cls, policy: MeterReadingPolicy) -> Self:
        """Return the calculation that a policy configures."""
        return cls(
            slope=policy.slope_threshold or _NOT_NEGATIVE,
            slope_limit=policy.slope_limit_attribute,
            scale=1.0 if policy.scale is None else policy.scale,
            bound_scale=policy.scale_attribute,
            modulus=policy.rollover_modulus,
        )

    @property
    def identity(self) -> list[Any]:
        """All that the results depend on."""
        slope = self.slope
        bounds = [slope.low, slope.high, slope.low_included, slope.high_included]
        return [self.cal_type, bounds, self.scale, self.modulus, str(self.slope_limit), str(self.bound_scale)]

    @property
    def bound_to(self) -> tuple[AttributeRef, ...]:
        """The attributes that it needs."""
        return tuple(attribute for attribute in (self.slope_limit, self.bound_scale) if attribute is not None)

    def intervals(self, chains: Chains, reference: Reference, numbers: Numbers) -> Intervals:
        """Measure each record against the reference that it meets."""
        before = chains.before(chains.value, reference.value)
        is_changed = chains.value != before
        reached = chains.latest(chains.time, is_changed, reference.time)
        since = chains.before(reached, reference.time)
        is_measured = is_changed & (since != NEVER)
        limit = numbers[self.slope_limit][chains.slot] if self.slope_limit else np.array(np.nan)
        energy, is_accepted = self._accepted(chains.value, before, chains.time - since, limit)
        is_accepted &= is_measured
        scale = numbers[self.bound_scale][chains.slot] if self.bound_scale else np.array(self.scale)
        return Intervals(
            since=since,
            energy=np.where(is_accepted, energy * np.where(np.isnan(scale), 1.0, scale), 0.0),
            is_accepted=is_accepted,
            outside=int((is_measured & ~is_accepted).sum()),
            reached=Reference(reached, chains.value, chains.time, np.zeros_like(chains.time)),
        )

    def _accepted(self, value: Floats, before: Floats, elapsed_ms: Times, limit: Floats) -> tuple[Floats, Flags]:
        """Return the differences, and whether their slopes are accepted."""
        difference = value - before
        is_accepted = self._is_slope(difference, elapsed_ms, limit)
        if self.modulus is None:
            return difference, is_accepted
        rolled = value + self.modulus - before
        is_rolled = (value < before) & self._is_slope(rolled, elapsed_ms, limit)
        return np.where(is_rolled, rolled, difference), is_accepted | is_rolled

    def _is_slope(self, difference: Floats, elapsed_ms: Times, limit: Floats) -> Flags:
        """Whether a difference has a slope that is accepted; a limit of NaN is none."""
        slope = difference * HOUR_MS / elapsed_ms
        return within(slope, self.slope) & ~(slope > limit)
