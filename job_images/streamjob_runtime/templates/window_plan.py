"""What a job's window policies come to: shared groups of values, and the outputs read off them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streamjob_api.points import PointRef
from streamjob_api.templates.time_window_aggregation import Aggregation, TimeWindowAggregation, WindowPolicy
from streamjob_runtime.shards import SHARDS

# Raise it when the blocks of the state change; checkpoints of another version are then incompatible.
STATE_VERSION = 1


@dataclass(frozen=True, order=True)
class Threshold:
    """Values of one input that take part."""

    model: str
    point: str
    low: float
    high: float
    low_included: bool
    high_included: bool

    @classmethod
    def of(cls, policy: WindowPolicy) -> Self:
        """Return the threshold of a policy; how it was written does not matter."""
        limits, source = policy.threshold, policy.input
        return cls(source.model, source.point, limits.low, limits.high, limits.low_included, limits.high_included)

    @property
    def input(self) -> PointRef:
        """The point whose values are aggregated."""
        return PointRef(self.model, self.point)

    def holds(self) -> pl.Expr:
        """Whether ``value`` is within the threshold."""
        value = pl.col("value")
        above = value >= self.low if self.low_included else value > self.low
        below = value <= self.high if self.high_included else value < self.high
        return above & below


@dataclass(frozen=True, order=True)
class Group:
    """Values that are aggregated together, for one policy or many: one input, threshold and window size."""

    threshold: Threshold
    size_ms: int

    @classmethod
    def of(cls, policy: WindowPolicy) -> Self:
        """Return the group that a policy reads."""
        return cls(Threshold.of(policy), policy.window_size.milliseconds)


@dataclass(frozen=True)
class WindowPlan:
    """The policies of a job, in an order that does not depend on how they were written.

    Attributes:
        inputs: sorted; the state names an input by its place here.
        groups: sorted; the state names a group by its place here.
        sizes_ms: window size of each group.
        outputs: ``group i32, aggregation str, model str, point str``, one row a policy, sorted by group
            and name.
        has_sums: whether any policy needs sums.
        identity: equal for two plans exactly when one can go on with the other's state.
    """

    latency_ms: int
    inputs: tuple[PointRef, ...]
    groups: tuple[Group, ...]
    sizes_ms: NDArray[np.int64]
    outputs: pl.DataFrame
    has_sums: bool
    identity: str

    @classmethod
    def of(cls, job: TimeWindowAggregation) -> Self:
        """Plan a job's policies."""
        inputs = tuple(sorted({policy.input for policy in job.policies}))
        groups = tuple(sorted({Group.of(policy) for policy in job.policies}))
        return cls(
            latency_ms=job.latency.milliseconds,
            inputs=inputs,
            groups=groups,
            sizes_ms=np.array([group.size_ms for group in groups], np.int64),
            outputs=_outputs(job.policies, groups),
            has_sums=any(policy.aggregation in {Aggregation.SUM, Aggregation.AVG} for policy in job.policies),
            identity=_identity(job, groups),
        )

    @property
    def by_threshold(self) -> dict[Threshold, dict[int, Group]]:
        """The groups, with their places, of each threshold."""
        return {
            threshold: {number: group for number, group in enumerate(self.groups) if group.threshold == threshold}
            for threshold in sorted({group.threshold for group in self.groups})
        }


def _outputs(policies: Sequence[WindowPolicy], groups: Sequence[Group]) -> pl.DataFrame:
    rows = [
        (groups.index(Group.of(policy)), str(policy.aggregation.canonical), policy.output.model, policy.output.point)
        for policy in policies
    ]
    columns = {"group": pl.Int32, "aggregation": pl.String, "model": pl.String, "point": pl.String}
    return pl.DataFrame(rows, schema=columns, orient="row").sort("group", "model", "point")


def _identity(job: TimeWindowAggregation, groups: Sequence[Group]) -> str:
    outputs = sorted((str(p.output), str(p.aggregation.canonical), groups.index(Group.of(p))) for p in job.policies)
    parts = {
        "state": STATE_VERSION,
        "shards": SHARDS,
        "windows": str(job.window_type),
        "latency": job.latency.milliseconds,
        "groups": [asdict(group) for group in groups],
        "outputs": outputs,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
