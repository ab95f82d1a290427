"""Batch merger: makes one record of those of a micro-batch that have the same key."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from streamjob_api.calculators import Flow
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault
from streamjob_calculators.kit import Calculator, Run, pl

ATTACHED = "crossBatch"


class MergeKey(StrEnum):
    """What records must have in common."""

    ASSET = "assetId"
    ASSET_AND_TIME = "assetIdAndTime"


_KEYS = {MergeKey.ASSET: ["asset"], MergeKey.ASSET_AND_TIME: ["asset", "time"]}


class BatchMerger(Calculator):
    """Makes one record of all records of some points in a micro-batch that have the same key.

    It has the time and value of the last of them; `attr.crossBatch` is a list of the `point`, `time` and `value` of
    each. What comes together in a micro-batch is a matter of load: for points that are to meet whatever comes between,
    use `latest-record-merger`.
    """

    ALIASES: ClassVar[tuple[str, ...]] = ("fixed-batch-pivotor",)

    inputs: list[PointRef] = Field(
        min_length=1, max_length=50, description="Points whose records are merged.", examples=[["Meter::A", "Meter::B"]]
    )
    key: MergeKey = Field(
        default=MergeKey.ASSET_AND_TIME, description="What the records have in common.", examples=["assetIdAndTime"]
    )
    output: PointRef = Field(description="Point of the merged record.", examples=["Meter::AB"])

    def faults(self) -> Iterator[RuleFault]:
        """The points differ."""
        for number, point in enumerate(self.inputs):
            if point in self.inputs[:number]:
                yield RuleFault(f"'{point}' is listed twice; leave one out", ("inputs", number))

    def keeps_state(self) -> bool:
        """Each micro-batch is looked at by itself."""
        return False

    def takes(self) -> frozenset[PointRef]:
        """Return the points."""
        return frozenset(self.inputs)

    def gives(self, coming: Flow) -> Flow:
        """Return the merged point."""
        return coming.made(self.output).with_attached(ATTACHED)

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:  # noqa: ARG002
        """Return the merged records, in the order in which their keys came."""
        told = pl.struct(pl.col("point").cast(pl.String), "time", "value").alias(ATTACHED)
        keys = _KEYS[self.key]
        last = (pl.col(name).last() for name in records.columns if name not in {*keys, ATTACHED})
        merged = records.group_by(keys, maintain_order=True).agg(*last, told)
        point = pl.lit(str(self.output)).cast(records.schema["point"])
        return merged.with_columns(point=point).select(
            *(name for name in records.columns if name != ATTACHED), ATTACHED
        )
