"""What a job's merging policies come to: the points they read, and what makes two jobs the same."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from streamjob_api.expressions import printed
from streamjob_api.expressions.tree import Node
from streamjob_api.points import PointRef
from streamjob_api.templates.multi_point_merging import MergingPolicy, MultiPointMerging
from streamjob_runtime.shards import SHARDS

# Raise it when the blocks of the state change; checkpoints of another version are then incompatible.
STATE_VERSION = 1


@dataclass(frozen=True)
class Policy:
    """One policy of a job.

    Attributes:
        trigger: which input triggers it, by its place among the inputs.
        reads: the inputs of its expression, likewise.
        max_age_ms: how old a value may be; None: as old as it is.
    """

    trigger: int
    reads: tuple[int, ...]
    logic: Node
    max_age_ms: int | None
    output: PointRef

    @property
    def identity(self) -> list[Any]:
        """All that the results depend on, beside the names of the inputs."""
        return [str(self.output), self.trigger, printed(self.logic), self.max_age_ms]


@dataclass(frozen=True)
class MergingPlan:
    """The policies of a job, in an order that does not depend on how they were written.

    Attributes:
        inputs: sorted, so that those of one model follow one another; the state names an input by its place here.
        policies: by trigger, then by output.
        identity: equal for two plans exactly when one can go on with the other's state.
    """

    latency_ms: int
    inputs: tuple[PointRef, ...]
    policies: tuple[Policy, ...]
    identity: str

    @classmethod
    def of(cls, job: MultiPointMerging) -> Self:
        """Plan a job's policies, each of which has a trigger point."""
        triggers = {policy.trigger_point for policy in job.policies if policy.trigger_point is not None}
        inputs = tuple(sorted(triggers.union(*(policy.logic.variables for policy in job.policies))))
        policies = tuple(
            _planned(policy, policy.trigger_point, inputs)
            for policy in sorted(job.policies, key=lambda policy: (policy.trigger_point, policy.output))
            if policy.trigger_point is not None
        )
        parts = {
            "state": STATE_VERSION,
            "shards": SHARDS,
            "latency": job.latency.milliseconds,
            "inputs": [str(point) for point in inputs],
            "policies": [policy.identity for policy in policies],
        }
        identity = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return cls(job.latency.milliseconds, inputs, policies, identity)

    @property
    def first(self) -> tuple[int, ...]:
        """For each input the first one of its model."""
        models = [point.model for point in self.inputs]
        return tuple(models.index(model) for model in models)


def _planned(policy: MergingPolicy, trigger: PointRef, inputs: Sequence[PointRef]) -> Policy:
    return Policy(
        trigger=inputs.index(trigger),
        reads=tuple(sorted(inputs.index(point) for point in policy.logic.variables)),
        logic=policy.logic.tree,
        max_age_ms=policy.max_age.milliseconds if policy.max_age is not None else None,
        output=policy.output,
    )
