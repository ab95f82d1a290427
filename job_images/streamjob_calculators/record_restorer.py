"""Record restorer: gives the latest record of a point again, when a record of another point comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from streamjob_api.calculators import Flow
from streamjob_api.duration_limits import between
from streamjob_api.durations import Duration
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault
from streamjob_calculators.kit import Calculator, Run, pl
from streamjob_calculators.kit.latest import with_latest
from streamjob_calculators.kit.series import of_now


class RecordRestorer(Calculator):
    """Captures the latest record of a point for each asset, and gives it again with each record of another point.

    What is restored has the trigger's time and the output's name. It is capturer and restorer in one: both points come
    to this stage. A trigger for which nothing was captured gives nothing and is counted as `missing`; a record that is
    older than the latest one of its asset and point is counted as `late`.
    """

    ALIASES: ClassVar[tuple[str, ...]] = ("record-capturer", "state-restorer", "state-capturer")

    point: PointRef = Field(description="Point whose latest record is captured.", examples=["Meter::A"])
    trigger: PointRef = Field(description="Point each of whose records restores.", examples=["Meter::B"])
    max_age: Annotated[Duration, between("1s", "366d")] | None = Field(
        default=None, description="How old it may be, by the trigger's time. Left out: any age.", examples=["1h"]
    )
    output: PointRef = Field(description="Point of what is restored.", examples=["Meter::A_atB"])

    def faults(self) -> Iterator[RuleFault]:
        """The points differ."""
        if self.point == self.trigger:
            yield RuleFault(f"'{self.trigger}' is the point that is captured; name another one", ("trigger",))

    def takes(self) -> frozenset[PointRef]:
        """Return both points."""
        return frozenset({self.point, self.trigger})

    def gives(self, coming: Flow) -> Flow:
        """Return what is restored: of the captured point's type, at the trigger's times."""
        return coming.drawn({self.point}).made(self.output)

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return what is restored."""
        rows = of_now(with_latest(records, run, [self.point], self.max_age))
        triggers = rows.filter(pl.col("point") == str(self.trigger))
        captured = pl.col("latest0").struct
        restored = triggers.filter(pl.col("latest0").is_not_null()).with_columns(
            point=pl.lit(str(self.output)).cast(records.schema["point"]),
            value=captured.field("value"),
            is_int=captured.field("is_int"),
            text=captured.field("text"),
        )
        run.count("missing", triggers.height - restored.height)
        return restored.select(records.columns)
