"""Cumulant decomposer: what a reading has grown by since the last record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from streamjob_api.base import Number
from streamjob_api.calculators import Flow
from streamjob_api.data_types import ValueType
from streamjob_api.intervals import UNBOUNDED, Interval
from streamjob_api.names import NameCheck
from streamjob_api.points import AttributeRef, PointRef
from streamjob_api.rule_faults import RuleFault
from streamjob_calculators.kit import PointCalculator, Run, pl
from streamjob_calculators.kit.bound import bound_numbers

LAST = "lastRecordAppender"
ATTACHED = "cumulantDecomposer"
_MS_PER_HOUR = 3_600_000


class CumulantDecomposer(PointCalculator):
    """Gives what a reading has grown by since the last record, times a scale, where the slope is right.

    The slope is the unscaled growth for each hour. A record without a last one gives nothing, nor does one whose slope
    is out of range (counted as `outside`) or that is not later than its last one (counted as `late`).
    `attr.cumulantDecomposer` has `slope`, `minSlope`, `maxSlope` (null: no bound) and `scale`. Of an attribute that is
    missing or no number, the scale is 1 and the slope unlimited.
    """

    ALIASES: ClassVar[tuple[str, ...]] = ("delta-calculator",)

    slope_threshold: Interval = Field(
        default=UNBOUNDED, description="Slopes that are right, for each hour.", examples=["[0, 50]"]
    )
    slope_limit_attribute: AttributeRef | None = Field(
        default=None,
        description="Attribute of the highest slope that is right, the lowest is 0; in place of slopeThreshold.",
        examples=["Meter::MaxSlope"],
    )
    scale: Annotated[Number, Field(gt=0)] | None = Field(
        default=None, description="What the growth is multiplied by. Left out: 1.", examples=[40]
    )
    scale_attribute: AttributeRef | None = Field(
        default=None, description="Attribute of the scale, in place of scale.", examples=["Meter::Ratio"]
    )

    def faults(self) -> Iterator[RuleFault]:
        """Scale and slope are each told in one way."""
        if self.scale is not None and self.scale_attribute is not None:
            yield RuleFault("scale is given too; leave one of them out", ("scaleAttribute",))
        if self.slope_threshold is not UNBOUNDED and self.slope_limit_attribute is not None:
            yield RuleFault("slopeThreshold is given too; leave one of them out", ("slopeLimitAttribute",))

    def misfits(self, coming: Flow) -> Iterator[RuleFault]:
        """Records have their last ones beside them."""
        if LAST not in coming.attached:
            yield RuleFault("needs what last-record-appender adds to records; name such a stage in 'from'", ("from",))

    def numbers(self) -> frozenset[PointRef]:
        """Readings are numbers."""
        return frozenset({self.input})

    def gives(self, coming: Flow) -> Flow:
        """Return the growth."""
        return coming.made(self.output or self.input, ValueType.DOUBLE).with_attached(ATTACHED)

    def check_names(self, names: NameCheck, path: str) -> None:
        """Bound attributes are numbers."""
        for field, ref in (
            ("scaleAttribute", self.scale_attribute),
            ("slopeLimitAttribute", self.slope_limit_attribute),
        ):
            if ref is not None:
                names.numeric_attribute(ref, f"{path}.{field}")

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the growths."""
        last = pl.col(LAST).struct.field("lastRecord")
        since, before = (last.struct.field(name) for name in ("time", "value"))
        is_known = before.is_not_null() & pl.col("value").is_not_null()
        rows = records.filter(is_known).with_columns(growth=pl.col("value") - before, elapsed=pl.col("time") - since)
        # Polars would multiply by the reciprocal, which gives 1.0000000000000002 for an hour.
        rows = rows.with_columns(hours=pl.Series(rows["elapsed"].to_numpy() / _MS_PER_HOUR, dtype=pl.Float64))
        in_order = rows.filter(pl.col("hours") > 0)
        run.count("late", rows.height - in_order.height)
        rows = in_order.with_columns(slope=pl.col("growth") / pl.col("hours"), **self._bound(in_order, run))
        is_right = pl.col("slope").is_between("low", "high")
        if self.slope_limit_attribute is None:
            threshold = self.slope_threshold
            if not threshold.low_included:
                is_right &= pl.col("slope") != threshold.low
            if not threshold.high_included:
                is_right &= pl.col("slope") != threshold.high
        right = rows.filter(is_right)
        run.count("outside", rows.height - right.height)
        finite = {name: pl.when(pl.col(name).is_finite()).then(name) for name in ("low", "high")}
        told = pl.struct(slope="slope", minSlope=finite["low"], maxSlope=finite["high"], scale="scale")
        given = right.with_columns(told.alias(ATTACHED), value=pl.col("growth") * pl.col("scale"), is_int=pl.lit(False))
        return self.named(given.drop("growth", "elapsed", "hours", "slope", "low", "high", "scale"))

    def _bound(self, rows: pl.DataFrame, run: Run) -> dict[str, pl.Expr | pl.Series]:
        """Return ``low``, ``high`` and ``scale`` of each row."""
        bounds: dict[str, pl.Expr | pl.Series] = {
            "low": pl.lit(self.slope_threshold.low),
            "high": pl.lit(self.slope_threshold.high),
            "scale": pl.lit(float(self.scale or 1)),
        }
        if self.scale_attribute is not None:
            bounds["scale"] = bound_numbers(rows, run, self.scale_attribute, 1.0)
        if self.slope_limit_attribute is not None:
            high = bound_numbers(rows, run, self.slope_limit_attribute, float("inf"))
            bounds |= {
                "low": pl.select(pl.when(high == float("inf")).then(-float("inf")).otherwise(0.0)).to_series(),
                "high": high,
            }
        return bounds
