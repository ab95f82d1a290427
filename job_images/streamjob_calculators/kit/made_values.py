"""Values of records that a stage makes by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from streamjob_api.base import ApiModel, Bool, Number
from streamjob_api.data_types import ValueType
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault, not_one_given
from streamjob_calculators.kit.calculator import Run
from streamjob_calculators.kit.columns import np, pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamjob_runtime.templates.surroundings import LatestValue

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
    latest: PointRef | None = Field(
        default=None,
        description="A point of the asset, whose latest value is read from Redis, for each micro-batch anew.",
        examples=["Meter::A"],
    )
    random: Range | None = Field(
        default=None, description="A random number, made of asset, point and time, so that a replay repeats it."
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
        yield from not_one_given(self)

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
        """The type of the values; None: that of the triggers, or of the point that is read."""
        if self.trigger or self.latest is not None:
            return None
        if self.text is not None:
            return ValueType.TEXT
        return ValueType.INT if self.is_whole else ValueType.DOUBLE

    def put(self, triggers: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return records with their values; those for which there is none are counted as ``missing``, and left out.

        Args:
            triggers: ``asset``, ``point``, null of the clock, ``time``, ``number``, how many records the asset had
                before, and whatever else.
            run: the stage's.
        """
        if self.trigger:
            return triggers
        if self.latest is not None:
            return _latest(triggers, self.latest, run)
        text = pl.lit(None if self.text is None else json.dumps(self.text), pl.String)
        return triggers.with_columns(self._numbers(triggers), is_int=pl.lit(self.is_whole), text=text)

    def _numbers(self, triggers: pl.DataFrame) -> pl.Expr | pl.Series:
        if self.random is not None:
            return pl.Series("value", self.random.low + _drawn(triggers) * (self.random.high - self.random.low))
        number = pl.col("number")
        value = pl.lit(None, pl.Float64)
        if self.increment is not None:
            value = number.cast(pl.Float64) * self.increment.step + self.increment.start
        elif self.sequence:
            value = pl.lit(pl.Series(self.sequence, dtype=pl.Float64)).gather(number % len(self.sequence))
        elif self.time:
            value = pl.col("time").cast(pl.Float64)
        return value.alias("value")


def _latest(triggers: pl.DataFrame, point: PointRef, run: Run) -> pl.DataFrame:
    """Return records with the latest value of a point; their struct of what is attached gets ``latestTime``."""
    assets = triggers["asset"].unique(maintain_order=True).to_list()
    found = run.surroundings.latest_values.read(assets, point) if assets else []
    rows = [(asset, *_columns(each)) for asset, each in zip(assets, found, strict=True) if each is not None]
    values = pl.DataFrame(
        rows,
        schema={
            "asset": pl.String(),
            "value": pl.Float64(),
            "is_int": pl.Boolean(),
            "text": pl.String(),
            "latest_time": pl.Int64(),
        },
        orient="row",
    )
    own = triggers.drop("value", "is_int", "text", strict=False)
    made = own.join(values, on="asset", how="inner", maintain_order="left")
    run.count("missing", triggers.height - made.height)
    return made


def _columns(latest: LatestValue) -> tuple[float | None, bool, str | None, int]:
    """Return ``value, is_int, text`` and the time of a latest value."""
    value = latest.value
    if isinstance(value, str | bool):
        return None, False, json.dumps(value), latest.time
    return float(value), isinstance(value, int), None, latest.time


def _drawn(triggers: pl.DataFrame) -> NDArray[np.float64]:
    """Return numbers from 0 up to 1, made of asset, point and time, which no other version draws differently.

    The mixing is SplitMix64's (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
    """
    names = [_hashed(triggers[name].cast(pl.String).fill_null("")) for name in ("asset", "point")]
    mixed = names[0] ^ (names[1] << np.uint64(1))
    mixed += triggers["time"].to_numpy().astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    drawn: NDArray[np.float64] = ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(64 - _MANTISSA)) * 2.0**-_MANTISSA
    return drawn


def _hashed(names: pl.Series) -> NDArray[np.uint64]:
    distinct = names.unique()
    hashes = [int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) for name in distinct]
    told = names.replace_strict(distinct, pl.Series(hashes, dtype=pl.UInt64), return_dtype=pl.UInt64)
    return told.to_numpy()
