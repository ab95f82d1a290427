"""Attributes of assets that a policy is bound to: numbers above 0, as they are when records are taken.

One that an asset does not have, or that is null, is missing; one that is no number, or not above 0, is invalid. Neither
is an error: the calculation goes on as if it were not bound.
"""

import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from streamjob_api.points import AttributeRef
from streamjob_runtime.templates.arrays import Slots
from streamjob_runtime.templates.energy_state import EnergyState
from streamjob_runtime.templates.intervals import Numbers
from streamjob_runtime.templates.surroundings import Attributes, AttributeValue


@dataclass(frozen=True)
class BoundNumbers:
    """The attributes of the assets whose records are taken.

    Attributes:
        slots: of these assets.
        values: as they were read, one a slot.
        numbers: what of them can be used.
    """

    slots: Slots
    values: Mapping[AttributeRef, list[AttributeValue]]
    numbers: Numbers

    @classmethod
    def read(
        cls, attributes: Attributes, bindings: Sequence[Sequence[AttributeRef]], state: EnergyState, slots: Slots
    ) -> "BoundNumbers":
        """Read what policies are bound to, for each of them a list."""
        refs = sorted(set(chain.from_iterable(bindings)))
        if not refs:
            return cls(slots, {}, {})
        values = attributes.read([state.assets[slot] for slot in slots.tolist()], refs)
        numbers = {ref: np.full(len(state.assets), np.nan) for ref in refs}
        for ref, found in values.items():
            numbers[ref][slots] = [_number(value) for value in found]
        return cls(slots, values, numbers)

    def problems(self, binding: Sequence[AttributeRef]) -> Counter[str]:
        """Count the assets that miss an attribute of a policy, or whose attribute is invalid."""
        counts: Counter[str] = Counter()
        if binding:
            for own in zip(*(self.values[ref] for ref in binding), strict=True):
                counts["attributeMissing"] += any(value is None for value in own)
                counts["attributeInvalid"] += any(value is not None and math.isnan(_number(value)) for value in own)
        return counts


def _number(value: AttributeValue) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= sys.float_info.max:
        return math.nan
    return float(value)
