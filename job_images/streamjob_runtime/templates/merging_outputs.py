"""What policies give for the calculations that are due, and why some of these give nothing."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from streamjob_api.points import PointRef
from streamjob_runtime.expressions import Column, Fault, calculated
from streamjob_runtime.templates.merging_attributes import attribute_columns
from streamjob_runtime.templates.merging_plan import MergingPlan, Policy
from streamjob_runtime.templates.merging_results import Output
from streamjob_runtime.templates.merging_state import MergingState
from streamjob_runtime.templates.merging_values import Calculations, LastValue
from streamjob_runtime.templates.surroundings import Attributes

_REASONS = {
    Fault.MISSING: "missing",
    Fault.DIVISION_BY_ZERO: "divisionByZero",
    Fault.NOT_FINITE: "notFinite",
    Fault.WRONG_TYPE: "wrongType",
    Fault.ATTRIBUTE_MISSING: "attributeMissing",
    Fault.ATTRIBUTE_INVALID: "attributeInvalid",
}


@dataclass(frozen=True)
class Calculator:
    """Calculates policies of a job, and counts by reason what has no result.

    Attributes:
        attributes: those of the OU's assets.
    """

    plan: MergingPlan
    attributes: Attributes
    counts: Counter[str]

    def outputs(self, due: Calculations, policies: Iterable[Policy], state: MergingState) -> Iterator[Output]:
        """Yield what policies of one model give."""
        seen = cache(due.last_value)
        for policy in policies:
            given = calculated(policy.logic, self._variables(due, policy, state, seen), len(due.slot))
            for fault, reason in _REASONS.items():
                self.counts[reason] += int((given.fault == fault).sum())
            is_given = given.fault == Fault.NONE
            where = (due.slot[is_given], due.time[is_given])
            is_converted = policy.output in self.plan.converted
            yield Output(
                policy.output, *where, given.value[is_given], given.is_int[is_given], policy.gives, is_converted
            )

    def _variables(
        self, due: Calculations, policy: Policy, state: MergingState, seen: Callable[[int], LastValue]
    ) -> dict[PointRef, Column]:
        points = {
            ref: seen(number).column(due.time, policy.max_age_ms, policy.types[ref], state.texts)
            for number, ref in ((number, self.plan.inputs[number]) for number in policy.reads)
        }
        assets = [state.assets[slot] for slot in due.slot.tolist()] if policy.attributes else []
        return points | attribute_columns(self.attributes, policy.attributes, policy.types, assets)
