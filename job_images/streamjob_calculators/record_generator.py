"""Record generator: makes a record for each one of a trigger, or at each tick of the clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from streamjob_api.base import ApiModel, Bool, Number
from streamjob_api.calculators import Flow
from streamjob_api.data_types import ValueType
from streamjob_api.duration_limits import between
from streamjob_api.durations import Duration
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault
from streamjob_calculators.kit import Calculator, Run, pl
from streamjob_calculators.kit.ticks import ticked

ATTACHED = "recordGenerator"
_MANTISSA = 53  # bits of a double


# Beyond it, doubles do not hold all whole numbers.
Exact = Annotated[Number, Field(ge=-(2**_MANTISSA), le=2**_MANTISSA)]


class Range(ApiModel):
    """Random numbers, each as likely as another."""

    low: Exact = Field(description="The least.", examples=[0])
    high: Exact = Field(description="Up to where they go.", examples=[10])

    def faults(self) -> Iterator[RuleFault]:
        """There are numbers between both."""
        if self.low >= self.high:
            yield RuleFault(f"must be below high, {self.high:g} (got {self.low:g})", ("low",))


class Steps(ApiModel):
    """Numbers that grow by the same step."""

    start: Exact = Field(default=0, description="The first one.", examples=[0])
    step: Exact = Field(default=1, description="By how much the next one is larger.", examples=[1])


class MadeValue(ApiModel):
    """Where the values of made records come from; one of these."""

    trigger: Bool = Field(default=False, description="Whether it is that of the triggering record.", examples=[True])
    random: Range | None = Field(
        default=None, description="A random number, made of asset and time, so that a replay repeats it."
    )
    increment: Steps | None = Field(default=None, description="The next number of the asset.")
    sequence: list[Exact] = Field(
        default=[],
        max_length=1000,
        description="The next one of these numbers, of each asset, and from the beginning behind the last one.",
        examples=[[1, 2, 3]],
    )
    time: Bool = Field(default=False, description="Whether it is the record's time, epoch ms.", examples=[True])
    text: Annotated[str, StringConstraints(min_length=1, max_length=1024)] | None = Field(
        default=None, description="This text.", examples=["check"]
    )

    def faults(self) -> Iterator[RuleFault]:
        """There is one source."""
        given = sorted(self.given)
        if len(given) != 1:
            names = ", ".join(type(self).model_fields)
            told = f"{' and '.join(given)} are given" if given else "nothing is given"
            yield RuleFault(f"{told}; write one of {names}")

    @property
    def given(self) -> set[str]:
        """Names of the sources that are given."""
        return {name for name in type(self).model_fields if getattr(self, name)}

    @property
    def is_counted(self) -> bool:
        """Whether it depends on how many records an asset had before."""
        return self.increment is not None or bool(self.sequence)

    @property
    def is_whole(self) -> bool:
        """Whether all values are whole numbers."""
        steps = [self.increment.start, self.increment.step] if self.increment is not None else self.sequence
        return self.time or (bool(steps) and all(float(number).is_integer() for number in steps))

    @property
    def type(self) -> ValueType | None:
        """The type of the values; None: that of the triggers."""
        if self.trigger:
            return None
        if self.text is not None:
            return ValueType.TEXT
        return ValueType.INT if self.is_whole else ValueType.DOUBLE

    def numbers(self) -> pl.Expr:
        """Return the values, of triggers with ``number``, how many records their asset had before."""
        if self.random is not None:
            drawn: pl.Expr = pl.struct("asset", "time", ATTACHED).hash(0) // 2 ** (64 - _MANTISSA)
            width = (self.random.high - self.random.low) / 2.0**_MANTISSA
            return drawn.cast(pl.Float64).mul(width).add(self.random.low)
        if self.increment is not None:
            return pl.col("number").cast(pl.Float64).mul(self.increment.step).add(self.increment.start)
        if self.sequence:
            return pl.lit(pl.Series(self.sequence, dtype=pl.Float64)).gather(pl.col("number") % len(self.sequence))
        return pl.col("time").cast(pl.Float64) if self.time else pl.lit(None, pl.Float64)


class RecordGenerator(Calculator):
    """Makes a record for each record of `points`; with `every`, instead, one of each asset at each tick of the clock.

    Ticks are as the [virtual-record-generator](#virtual-record-generator) has them: assets are known by records of
    `points`, and ticks that went by unseen are counted as `missedTicks`. `attr.recordGenerator` has `trigger`, the
    point of the triggering record (null: the clock). The service's queries of Redis and of a time-series store are not
    there: a [latest-record-merger](#latest-record-merger) has the latest values.
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

    def takes(self) -> frozenset[PointRef]:
        """Return the triggers."""
        return frozenset(self.points)

    def gives(self, coming: Flow) -> Flow:
        """Return the output; what was attached to triggers goes on."""
        given = coming.made(self.output, self.value.type).with_attached(ATTACHED)
        return given if self.every is None else Flow(given.points, frozenset({ATTACHED}))

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the records that are made."""
        triggers, known = self._triggers(records, run)
        made, kept = self._numbered(triggers, known, run)
        if kept is not None and kept.height:
            run.keep(kept)
        if not self.value.trigger:
            made = made.with_columns(
                value=self.value.numbers(),
                is_int=pl.lit(self.value.is_whole),
                text=pl.lit(None if self.value.text is None else _json(self.value.text), pl.String),
            )
        return made.with_columns(point=pl.lit(str(self.output)).cast(records.schema["point"])).drop("number")

    def _triggers(self, records: pl.DataFrame, run: Run) -> tuple[pl.DataFrame, pl.DataFrame | None]:
        """Return what triggers, with ``recordGenerator``, and what is known of assets, where the clock does."""
        name = pl.Struct({"trigger": pl.String()})
        if self.every is None:
            told = pl.struct(trigger=pl.col("point").cast(pl.String)).alias(ATTACHED)
            return records.with_columns(told), None
        due, known = ticked(records, run, self.every.milliseconds)
        told = pl.lit({"trigger": None}, name).alias(ATTACHED)
        return due.with_columns(told, arrival=pl.lit(None, pl.UInt32)), known

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


def _json(text: str) -> str:
    import json  # noqa: PLC0415 (beside what needs columns)

    return json.dumps(text)
