"""Energy by meter reading: the accepted differences of readings, times the scale.

A series has one reference, a time and a reading. Its first record becomes the reference. A later one with the same
reading changes nothing: the reference keeps its time, and the next change is measured over the whole flat stretch. One
with another reading gives the difference ``dE``, if ``dE`` divided by the hours since the reference lies within the
slope threshold, and nothing otherwise (a jump, a negative difference, a reset to zero); it becomes the reference in
either case. The slope is that of the readings; the scale applies to each accepted difference.

With a rollover modulus a reading below the reference is first taken for a meter that began again at 0: its difference
is ``reading + modulus - reference`` where that has an accepted slope.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from streamjob_api.intervals import Interval
from streamjob_api.templates.energy_by_meter_reading import MeterReadingPolicy
from streamjob_runtime.templates.arrays import Flags, Floats, Times
from streamjob_runtime.templates.chains import Chains
from streamjob_runtime.templates.intervals import HOUR_MS, Intervals, Reference
from streamjob_runtime.templates.limits import within
from streamjob_runtime.templates.ordering import NEVER


@dataclass(frozen=True)
class MeterReading:
    """The calculation of one policy."""

    slope: Interval
    scale: float
    modulus: float | None

    @property
    def cal_type(self) -> str:
        """``calType`` of the results."""
        return "meterReading"

    @classmethod
    def of(cls, policy: MeterReadingPolicy) -> Self:
        """Return the calculation that a policy configures.

        Raises:
            NotImplementedError: the policy is bound to attributes; ``streamjob_api.support`` refuses it before.
        """
        if policy.slope_threshold is None or policy.scale_attribute is not None:
            raise NotImplementedError("binding to an attribute")
        return cls(policy.slope_threshold, 1.0 if policy.scale is None else policy.scale, policy.rollover_modulus)

    @property
    def identity(self) -> list[Any]:
        """All that the results depend on."""
        slope = self.slope
        bounds = [slope.low, slope.high, slope.low_included, slope.high_included]
        return [self.cal_type, bounds, self.scale, self.modulus]

    def intervals(self, chains: Chains, reference: Reference) -> Intervals:
        """Measure each record against the reference that it meets."""
        before = chains.before(chains.value, reference.value)
        is_changed = chains.value != before
        reached = chains.latest(chains.time, is_changed, reference.time)
        since = chains.before(reached, reference.time)
        is_measured = is_changed & (since != NEVER)
        energy, is_accepted = self._accepted(chains.value, before, chains.time - since)
        is_accepted &= is_measured
        return Intervals(
            since=since,
            energy=np.where(is_accepted, energy * self.scale, 0.0),
            is_accepted=is_accepted,
            outside=int((is_measured & ~is_accepted).sum()),
            reached=Reference(reached, chains.value),
        )

    def _accepted(self, value: Floats, before: Floats, elapsed_ms: Times) -> tuple[Floats, Flags]:
        """Return the differences, and whether their slopes are accepted."""
        difference = value - before
        is_accepted = within(difference * HOUR_MS / elapsed_ms, self.slope)
        if self.modulus is None:
            return difference, is_accepted
        rolled = value + self.modulus - before
        is_rolled = (value < before) & within(rolled * HOUR_MS / elapsed_ms, self.slope)
        return np.where(is_rolled, rolled, difference), is_accepted | is_rolled
