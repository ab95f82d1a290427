"""Record generator: makes a record for each one of a trigger, or at each tick of the clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from streamjob_api.calculators import Flow
from streamjob_api.duration_limits import between
from streamjob_api.durations import Duration
from streamjob_api.names import NameCheck
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault
from streamjob_calculators.kit import Calculator, Run, pl
from streamjob_calculators.kit.chosen_assets import ChosenAssets
from streamjob_calculators.kit.made_values import MadeValue
from streamjob_calculators.kit.ticks import ticked

ATTACHED = "recordGenerator"


class RecordGenerator(Calculator):
    """Makes a record for each record of `points`; with `every`, instead, one of each asset at each tick of the clock.

    Ticks are as the [virtual-record-generator](#virtual-record-generator) has them: assets are known by records of
    `points`, or listed by `assets`, and ticks that went by unseen are counted as `missedTicks`. Of assets that `assets`
    does not choose, records trigger nothing, and are counted as `discarded`. `attr.recordGenerator` has `trigger`, the
    point of the triggering record (null: the clock), and, where the latest value of a point is asked for, `latestTime`;
    of an asset without one no record is made, which is counted as `missing`. The service's queries of a time-series
    store are not there.
    """

    ALIASES: ClassVar[tuple[str, ...]] = ("asset-generator",)

    points: list[PointRef] = Field(
        min_length=1,
        max_length=50,
        description="Points whose records trigger, or make assets known.",
        examples=[["Meter::A"]],
    )
    every: Annotated[Duration, between("1s", "1h")] | None = Field(
        default=None, description="How often the clock triggers, 1s to 1h. Left out: records do.", examples=["30s"]
    )
    assets: ChosenAssets | None = Field(
        default=None,
        description="Assets that records are made for; where the clock triggers, those of ids and below need not have "
        "sent anything. Left out: all that are known.",
        examples=[{"ids": ["meter-1", "meter-2"]}],
    )
    output: PointRef = Field(description="Point of the records that it makes.", examples=["Meter::Made"])
    value: MadeValue = Field(description="Where their values come from.", examples=[{"random": {"low": 0, "high": 10}}])

    def faults(self) -> Iterator[RuleFault]:
        """The clock has no value."""
        if self.every is not None and self.value.trigger:
            yield RuleFault("the clock has no value; leave every out, or write another source", ("value", "trigger"))

    @property
    def uses_clock(self) -> bool:
        """Whether the clock triggers."""
        return self.every is not None

    def keeps_state(self) -> bool:
        """Ticks and counts go on."""
        return self.every is not None or self.value.is_counted

    def needs_redis(self) -> bool:
        """Latest values are there, and what assets are."""
        return self.value.latest is not None or (self.assets is not None and self.assets.needs_redis)

    def check_names(self, names: NameCheck, path: str) -> None:
        """The point that is read is there."""
        if self.value.latest is not None:
            names.point(self.value.latest, f"{path}.value.latest")

    def takes(self) -> frozenset[PointRef]:
        """Return the triggers."""
        return frozenset(self.points)

    def gives(self, coming: Flow) -> Flow:
        """Return the output; what was attached to triggers goes on."""
        given = coming.made(self.output, self.value.type).with_attached(ATTACHED)
        if self.value.latest is not None:
            given = given.untyped()
        return given if self.every is None else Flow(given.points, frozenset({ATTACHED}))

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the records that are made."""
        triggers, known = self._triggers(records, run)
        triggers, kept = self._numbered(triggers, known, run)
        if kept is not None and kept.height:
            run.keep(kept)
        made = self.value.put(triggers, run)
        told = [pl.col("point").cast(pl.String).alias("trigger")]
        if self.value.latest is not None:
            told.append(pl.col("latest_time").alias("latestTime"))
        made = made.with_columns(pl.struct(told).alias(ATTACHED)).drop("number", "latest_time", strict=False)
        return made.with_columns(point=pl.lit(str(self.output)).cast(records.schema["point"]))

    def _triggers(self, records: pl.DataFrame, run: Run) -> tuple[pl.DataFrame, pl.DataFrame | None]:
        """Return what triggers, and what is known of assets, where the clock does."""
        if self.every is not None:
            due, known = ticked(records, run, self.every.milliseconds, self.output, self.assets)
            nothing = pl.lit(None, records.schema["point"])
            return due.with_columns(point=nothing, arrival=pl.lit(None, pl.UInt32)), known
        if self.assets is None:
            return records, None
        chosen = self.assets.of(records["asset"].unique(maintain_order=True).to_list(), run)
        triggers = records.filter(pl.col("asset").is_in(chosen))
        run.count("discarded", records.height - triggers.height)
        return triggers, None

    def _numbered(
        self, triggers: pl.DataFrame, known: pl.DataFrame | None, run: Run
    ) -> tuple[pl.DataFrame, pl.DataFrame | None]:
        """Return triggers with ``number``, how many an asset had before each, and what is to be kept."""
        if not self.value.is_counted:
            return triggers.with_columns(number=pl.lit(0, pl.Int64)), known
        before = run.recall()
        counts = pl.DataFrame(schema={"asset": pl.String(), "count": pl.Int64()})
        if before is not None:
            counts = before.select("asset", "count")
        rows = triggers.join(counts, on="asset", how="left", maintain_order="left")
        number = pl.col("count").fill_null(0) + pl.int_range(pl.len()).over("asset")
        rows = rows.with_columns(number=number).drop("count")
        newest = rows.group_by("asset", maintain_order=True).agg(count=pl.col("number").max() + 1)
        counts = pl.concat([counts, newest]).unique("asset", keep="last", maintain_order=True)
        if known is None:
            return rows, counts
        return rows, known.join(counts, on="asset", how="left", maintain_order="left").with_columns(
            pl.col("count").fill_null(0)
        )
