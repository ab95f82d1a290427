"""What a job's merging policies come to: the points they read, and what makes two jobs the same."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from streamjob_api.data_types import ValueType
from streamjob_api.durations import Duration
from streamjob_api.expressions import printed, value_type, variable_types
from streamjob_api.expressions.tree import Node
from streamjob_api.points import AttributeRef, PointRef
from streamjob_api.resolved_names import ResolvedNames
from streamjob_api.templates.multi_point_merging import MergingPolicy, MultiPointMerging
from streamjob_runtime.shards import FORMER

# Raise it when the blocks of the state change; checkpoints of another version are then incompatible.
STATE_VERSION = 1


@dataclass(frozen=True)
class Policy:
    """One policy of a job.

    Attributes:
        trigger: which input triggers it, by its place among the inputs; None: the clock.
        reads: the inputs of its expression, likewise, but those that are attributes.
        attributes: the attributes of its expression.
        types: of all variables of the expression.
        max_age_ms: how old a value may be; None: as old as it is.
        gives: the type of its results.
    """

    trigger: int | None
    reads: tuple[int, ...]
    attributes: tuple[AttributeRef, ...]
    types: Mapping[PointRef, ValueType]
    logic: Node
    max_age_ms: int | None
    output: PointRef
    gives: ValueType

    @property
    def identity(self) -> list[Any]:
        """All that the results depend on, beside the names of the inputs."""
        return [str(self.output), self.trigger, printed(self.logic), self.max_age_ms]


@dataclass(frozen=True)
class MergingPlan:
    """The policies of a job, in an order that does not depend on how they were written.

    Attributes:
        every_ms: period of the clock that triggers; None: records do.
        inputs: all names, sorted, so that those of one model follow one another; the state names an input by its place
            here. Attributes have their places, too: a state outlives that thing models turn a point into one.
        points: the inputs that are points.
        texts: the points whose values may be texts or truth values.
        policies: by trigger, then by output.
        converted: outputs whose results become texts, whatever they are.
        identity: equal for two plans exactly when one can go on with the other's state.
    """

    every_ms: int | None
    latency_ms: int
    inputs: tuple[PointRef, ...]
    points: frozenset[PointRef]
    texts: frozenset[PointRef]
    policies: tuple[Policy, ...]
    converted: frozenset[PointRef]
    identity: str

    @classmethod
    def of(cls, job: MultiPointMerging, names: ResolvedNames) -> Self:
        """Plan a job's policies."""
        inputs = tuple(sorted({edge.input for edge in job.edges()}))
        policies = tuple(
            _planned(policy, inputs, names)
            for policy in sorted(
                job.policies, key=lambda policy: (policy.trigger_point or policy.output, policy.output)
            )
        )
        every_ms = Duration.parse(job.trigger.every).milliseconds if job.trigger.every is not None else None
        parts = {
            "state": STATE_VERSION,
            "shards": FORMER,
            "latency": job.latency.milliseconds,
            "inputs": [str(point) for point in inputs],
            "policies": [policy.identity for policy in policies],
        } | ({} if every_ms is None else {"every": every_ms})
        return cls(
            every_ms,
            job.latency.milliseconds,
            inputs,
            frozenset(ref for ref in inputs if not names.is_attribute(ref)),
            frozenset(_texts(job, policies, names)),
            policies,
            frozenset(policy.output for policy in job.policies if policy.output in names.texts),
            hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest(),
        )

    @property
    def first(self) -> tuple[int, ...]:
        """For each input the first one of its model."""
        models = [point.model for point in self.inputs]
        return tuple(models.index(model) for model in models)


def _planned(policy: MergingPolicy, inputs: Sequence[PointRef], names: ResolvedNames) -> Policy:
    types = variable_types(policy.logic, names.value_type)
    attributes = sorted(ref for ref in types if names.is_attribute(ref))
    checked = value_type(policy.logic, types.get)
    return Policy(
        trigger=inputs.index(policy.trigger_point) if policy.trigger_point is not None else None,
        reads=tuple(sorted(inputs.index(ref) for ref in types if ref not in attributes)),
        attributes=tuple(AttributeRef(ref.model, ref.point) for ref in attributes),
        types=types,
        logic=policy.logic.tree,
        max_age_ms=policy.max_age.milliseconds if policy.max_age is not None else None,
        output=policy.output,
        gives=checked.type or ValueType.DOUBLE,
    )


def _texts(job: MultiPointMerging, policies: Sequence[Policy], names: ResolvedNames) -> set[PointRef]:
    """Return the points that an expression reads as texts or truth values, and triggers that are such."""
    types = {ref: kind for policy in policies for ref, kind in policy.types.items() if not kind.is_number}
    triggers = {policy.trigger_point for policy in job.policies if policy.trigger_point is not None}
    return {ref for ref in types if not names.is_attribute(ref)} | {ref for ref in triggers if names.value_type(ref)}
