"""Virtual record generator: a record of each asset at each tick of the clock, to trigger what comes behind it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from streamjob_api.calculators import Flow
from streamjob_api.data_types import ValueType
from streamjob_api.duration_limits import between
from streamjob_api.durations import Duration
from streamjob_api.points import PointRef
from streamjob_calculators.kit import Calculator, Run, pl
from streamjob_calculators.kit.chosen_assets import ChosenAssets
from streamjob_calculators.kit.ticks import ticked


class VirtualRecordGenerator(Calculator):
    """Gives a record of each known asset at each tick of the clock, with the value 1, to trigger what comes behind it.

    An asset is known from its first record of one of `points` on, which go no further, or from the start on where
    `assets` lists it. Ticks are the multiples of `every` since 1970-01-01T00:00:00Z, and the time of what is given.
    After a pause or a failure the last tick that went by is made; those before it are counted as `missedTicks`. On the
    offline channel and in a preview the clock is that of the records, of which the highest time counts.
    """

    points: list[PointRef] = Field(
        min_length=1, max_length=50, description="Points by whose records assets become known.", examples=[["Meter::A"]]
    )
    every: Annotated[Duration, between("1s", "1h")] = Field(description="How often, 1s to 1h.", examples=["30s"])
    assets: ChosenAssets | None = Field(
        default=None,
        description="Assets that have ticks; those of ids and below need never have sent anything. Left out: all that "
        "are known.",
        examples=[{"below": {"tree": "grid", "assets": ["site-1"]}}],
    )
    output: PointRef = Field(description="Point of the records that it gives.", examples=["Meter::Tick"])

    @property
    def uses_clock(self) -> bool:
        """It gives something at each tick."""
        return True

    def needs_redis(self) -> bool:
        """It says what assets are."""
        return self.assets is not None and self.assets.needs_redis

    def takes(self) -> frozenset[PointRef]:
        """Return the points by which assets are known."""
        return frozenset(self.points)

    def gives(self, coming: Flow) -> Flow:
        """Return whole numbers of the output, without what was attached."""
        return Flow(coming.made(self.output, ValueType.INT).points)

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the records of a tick."""
        due, known = ticked(records, run, self.every.milliseconds, self.output, self.assets)
        if known.height:
            run.keep(known)
        return due.select(
            "asset",
            pl.lit(str(self.output)).cast(records.schema["point"]).alias("point"),
            "model_path",
            "time",
            value=pl.lit(1.0),
            is_int=pl.lit(value=True),
            text=pl.lit(None, pl.String),
            arrival=pl.lit(None, pl.UInt32),
        )
