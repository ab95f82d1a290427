"""Off limit tagger: says of each value whether it is outside a threshold."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from streamjob_api.calculators import Flow
from streamjob_api.intervals import Interval
from streamjob_api.points import PointRef
from streamjob_calculators.kit import PointCalculator, Run, pl


class OffLimitTagger(PointCalculator):
    """Says of each value whether it is outside a threshold; the value is kept.

    `attr.isOutlier` is true or false, `attr.outlierAttr` says which bounds were held against: `minValue`, `maxValue`
    (null: none), `enableMinJudger`, `enableMaxJudger`, `minIncluding`, `maxIncluding`.
    """

    ALIASES: ClassVar[tuple[str, ...]] = ("minmax-outlier",)

    threshold: Interval = Field(
        description="Values that are right; round brackets exclude the bound, square ones include it.",
        examples=["[0, 100]"],
    )

    def keeps_state(self) -> bool:
        """Each record is looked at by itself."""
        return False

    def numbers(self) -> frozenset[PointRef]:
        """Only numbers lie in an interval."""
        return frozenset({self.input})

    def gives(self, coming: Flow) -> Flow:
        """Return the tagged point."""
        return super().gives(coming).with_attached("isOutlier", "outlierAttr")

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:  # noqa: ARG002
        """Return the records with both tags."""
        low, high = self.threshold.low, self.threshold.high
        has_low, has_high = low != -float("inf"), high != float("inf")
        value = pl.col("value")
        above = value >= low if self.threshold.low_included else value > low
        below = value <= high if self.threshold.high_included else value < high
        tags = pl.struct(
            minValue=pl.lit(low if has_low else None, pl.Float64),
            maxValue=pl.lit(high if has_high else None, pl.Float64),
            enableMinJudger=has_low,
            enableMaxJudger=has_high,
            minIncluding=self.threshold.low_included,
            maxIncluding=self.threshold.high_included,
        )
        return self.named(records.with_columns(isOutlier=~(above & below), outlierAttr=tags))
