"""What a job's window policies come to: shared groups of values, and the outputs read off them."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streamjob_api.points import PointRef
from streamjob_api.templates.time_window_aggregation import (
    Aggregation,
    Duplicates,
    TimeWindowAggregation,
    WindowPolicy,
    WindowType,
)
from streamjob_runtime.shards import FORMER
from streamjob_runtime.templates.arrays import Flags, Times
from streamjob_runtime.templates.window_rows import Rows

# Up to this size, a window's records lie in one bucket; those of longer ones in eight.
_SMALL_MS = 600_000
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
    """Values that are aggregated together, for one policy or many: one input, threshold, window size and slide.

    A window begins at each multiple of the slide; tumbling windows slide by their size.
    """

    threshold: Threshold
    size_ms: int
    slide_ms: int

    @classmethod
    def of(cls, policy: WindowPolicy) -> Self:
        """Return the group that a policy reads."""
        slide = policy.slide or policy.window_size
        return cls(Threshold.of(policy), policy.window_size.milliseconds, slide.milliseconds)

    @property
    def overlap(self) -> int:
        """How many windows a record belongs to."""
        return self.size_ms // self.slide_ms

    @property
    def bucket_ms(self) -> int:
        """What one bucket of the state spans: one window that tumbles.

        Of overlapping ones the square root of their panes, so that neither writing a pane nor reading the panes of a
        window costs as much as there are panes in a window.
        """
        return self.slide_ms * (math.isqrt(self.overlap - 1) + 1)

    @property
    def records_bucket_ms(self) -> int:
        """What one bucket of the state spans where it holds records, in whole seconds."""
        return max(min(self.size_ms, _SMALL_MS), self.size_ms // 8_000 * 1_000)


@dataclass(frozen=True)
class WindowPlan:
    """The policies of a job, in an order that does not depend on how they were written.

    Attributes:
        inputs: sorted; the state names an input by its place here.
        groups: sorted; the state names a group by its place here.
        replaced: inputs of which a record replaces an earlier one of the same asset and time: state and blocks then
            hold records in place of windows or panes.
        is_sliding: whether windows overlap: state and blocks then hold panes, stretches of one slide, in their place.
        sizes_ms: window size of each group.
        slides_ms: slide of each group.
        buckets_ms: stretch of time of each group whose windows or panes lie in one bucket of the state.
        outputs: ``group i32, aggregation str, model str, point str``, one row a policy, sorted by group
            and name.
        has_sums: whether any policy needs sums.
        identity: equal for two plans exactly when one can go on with the other's state.
    """

    latency_ms: int
    inputs: tuple[PointRef, ...]
    groups: tuple[Group, ...]
    replaced: frozenset[PointRef]
    is_sliding: bool
    sizes_ms: NDArray[np.int64]
    slides_ms: NDArray[np.int64]
    buckets_ms: NDArray[np.int64]
    outputs: pl.DataFrame
    has_sums: bool
    identity: str

    @classmethod
    def of(cls, job: TimeWindowAggregation, calculated: frozenset[PointRef] = frozenset()) -> Self:
        """Plan a job's policies; of its inputs, some are ``calculated`` by other jobs."""
        inputs = tuple(sorted({policy.input for policy in job.policies}))
        groups = tuple(sorted({Group.of(policy) for policy in job.policies}))
        return cls(
            latency_ms=job.latency.milliseconds,
            inputs=inputs,
            groups=groups,
            replaced=frozenset(inputs) if job.duplicates is Duplicates.REPLACE_SAME_TIME else calculated & set(inputs),
            is_sliding=job.window_type is WindowType.SLIDING,
            sizes_ms=np.array([group.size_ms for group in groups], np.int64),
            slides_ms=np.array([group.slide_ms for group in groups], np.int64),
            buckets_ms=np.array([group.bucket_ms for group in groups], np.int64),
            outputs=_outputs(job.policies, groups),
            has_sums=any(policy.aggregation in {Aggregation.SUM, Aggregation.AVG} for policy in job.policies),
            identity=_identity(job, groups),
        )

    def ends(self, rows: Rows) -> Times:
        """The end of each window, or of the last window that a pane or record belongs to."""
        slide = self.slides_ms[rows.group]
        ends: Times = rows.start // slide * slide + self.sizes_ms[rows.group]
        return ends

    def buckets(self, rows: Rows) -> Times:
        """The bucket of the state in which each row lies."""
        width = self.buckets_ms[rows.group]
        buckets: Times = rows.start // width * width
        return buckets

    @cached_property
    def overlaps(self) -> NDArray[np.int32]:
        """To how many windows of each group a record belongs."""
        return np.array([group.overlap for group in self.groups], np.int32)

    @cached_property
    def replaces_input(self) -> Flags:
        """Whether records of each input replace each other."""
        return np.array([source in self.replaced for source in self.inputs])

    @cached_property
    def replaces(self) -> Flags:
        """Whether records of each group replace each other."""
        return np.array([group.threshold.input in self.replaced for group in self.groups])

    @cached_property
    def of_records(self) -> "WindowPlan":
        """The plan with the buckets that records lie in."""
        return replace(self, buckets_ms=np.array([group.records_bucket_ms for group in self.groups], np.int64))

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
        "shards": FORMER,
        "windows": str(job.window_type),
        "latency": job.latency.milliseconds,
        "groups": [_written(group, job.window_type) for group in groups],
        "outputs": outputs,
    }
    if job.duplicates is not Duplicates.KEEP_ALL:
        parts["duplicates"] = str(job.duplicates)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _written(group: Group, kind: WindowType) -> dict[str, Any]:
    parts = asdict(group)
    if kind is WindowType.TUMBLING:
        del parts["slide_ms"]  # It says nothing there, and checkpoints from before it was known stay valid.
    return parts
