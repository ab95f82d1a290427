"""Windows of one point: which records come too late for them, and what results say."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field

from streamjob_api.calculators import Flow
from streamjob_api.data_types import ValueType
from streamjob_api.points import PointRef
from streamjob_calculators.kit.calculator import PointCalculator, Run
from streamjob_calculators.kit.columns import np, pl
from streamjob_calculators.kit.partials import SUMS, merged, of_records

if TYPE_CHECKING:
    from collections.abc import Sequence

ATTACHED = "windowAggregator"
EARLY, ON_TIME, FINAL = "early", "onTime", "final"
# What a row of the state that stands for a series itself has; all others are of windows.
_SERIES = ("asset", "model_path", "mark")


class Aggregator(StrEnum):
    """What is calculated over the values of a window."""

    MAX = "max"
    MIN = "min"
    AVG = "avg"
    SUM = "sum"
    CNT = "cnt"
    COUNT = "count"
    FIRST = "first"
    LAST = "last"
    DELTA = "delta"

    @property
    def canonical(self) -> Aggregator:
        """``count`` is an alias of ``cnt``."""
        return Aggregator.CNT if self is Aggregator.COUNT else self

    @property
    def partials(self) -> tuple[str, ...]:
        """What of a window's values has to be known."""
        return _PARTIALS[self.canonical]

    @property
    def keeps_type(self) -> bool:
        """Whether the result is one of the values."""
        return self in {Aggregator.MAX, Aggregator.MIN, Aggregator.FIRST, Aggregator.LAST}

    def result(self) -> pl.Expr:
        """Return the result of partials; null where it is not finite."""
        total = pl.sum_horizontal(*SUMS)
        values = {
            Aggregator.SUM: lambda: total,
            Aggregator.AVG: lambda: total / pl.col("count"),
            Aggregator.CNT: lambda: pl.col("count").cast(pl.Float64),
            Aggregator.DELTA: lambda: pl.col("last") - pl.col("first"),
        }
        value = values.get(self.canonical, lambda: pl.col(self.partials[0]))()
        return pl.when(value.is_finite()).then(value)


_PARTIALS = {
    Aggregator.MAX: ("high",),
    Aggregator.MIN: ("low",),
    Aggregator.AVG: ("count", *SUMS),
    Aggregator.SUM: SUMS,
    Aggregator.CNT: ("count",),
    Aggregator.FIRST: ("first", "first_time"),
    Aggregator.LAST: ("last", "last_time"),
    Aggregator.DELTA: ("first", "first_time", "last", "last_time"),
}


class OutputType(StrEnum):
    """How results are written."""

    DOUBLE = "Double"
    MODEL = "Model"


class Arrived(NamedTuple):
    """What a micro-batch brought, beside what was there.

    Attributes:
        series: a row for each asset, whose number is its ``slot``: ``asset``, ``model_path``, the watermarks ``before``
            the micro-batch and of now, ``mark``.
        rows: a row for each record that counts in a window or more, in the order of their arrival: ``slot``, ``pane``,
            the stretch of one slide that it is in; ``since``, the first end of a window that it counts in, in slides;
            ``earlier``, the highest time before it; ``arrival``; and its partials.
        panes: rows of the state, with ``slot``.
        closing: ``slot``, ``time`` and ``arrival`` of the records that come to an end of windows, or beyond.
    """

    series: pl.DataFrame
    rows: pl.DataFrame
    panes: pl.DataFrame
    closing: pl.DataFrame

    def beside(self, rows: pl.DataFrame, *columns: str) -> pl.DataFrame:
        """Return rows with columns of their series."""
        slots = rows["slot"]
        return rows.with_columns(self.series[name].gather(slots).alias(name) for name in columns)


class WindowCalculator(PointCalculator):
    """A calculator of windows ``[start, start + size)``, one at each multiple of the slide since the epoch.

    What it keeps are panes, the partials of the records in one slide, and each series' watermark, its highest time.
    """

    aggregator: Aggregator = Field(
        description="max, min, avg, sum, cnt (count is an alias), first or last of the window's values, by their time; "
        "delta is last - first.",
        examples=["max"],
    )
    output_type: OutputType | None = Field(
        default=None,
        description="Double: results are doubles. Model: they have the input's type, whole numbers where all values of "
        "the window are; an average is a double. Left out: max, min, first and last have the input's type, counts are "
        "whole numbers, the others doubles.",
        examples=["Double"],
    )

    @property
    def slide_ms(self) -> int:
        """The distance between starts of windows."""
        raise NotImplementedError

    @property
    def overlap(self) -> int:
        """How many windows a record is in."""
        return 1

    @property
    def latency_ms(self) -> int:
        """How long windows stay open behind their end."""
        return 0

    @property
    def detail(self) -> tuple[str, ...]:
        """What results tell beside their value."""
        return ("sum", "cnt") if self.aggregator is Aggregator.AVG else ()

    def numbers(self) -> frozenset[PointRef]:
        """Only numbers are aggregated."""
        return frozenset({self.input})

    def gives(self, coming: Flow) -> Flow:
        """Return the aggregates."""
        return coming.made(self.output or self.input, self._type()).with_attached(ATTACHED)

    def _type(self) -> ValueType | None:
        if self.output_type is OutputType.DOUBLE or self.aggregator is Aggregator.AVG:
            return ValueType.DOUBLE
        if self.aggregator.canonical is Aggregator.CNT:
            return ValueType.INT
        return None if self.aggregator.keeps_type or self.output_type is OutputType.MODEL else ValueType.DOUBLE

    def closed(self, mark: pl.Expr) -> pl.Expr:
        """Return the last end of a window that is final at a watermark, in slides."""
        return (mark - self.latency_ms).floordiv(self.slide_ms)

    def arrived(self, records: pl.DataFrame, run: Run) -> Arrived:
        """Return the records that are not too late for all of their windows, and what the stage kept."""
        from streamjob_runtime.templates.arrays import NEVER  # noqa: PLC0415 (the operator reads parameters alone)
        from streamjob_runtime.templates.running_maximum import earlier_maximum  # noqa: PLC0415

        numbers = records.filter(pl.col("value").is_not_null())
        run.count("missing", records.height - numbers.height)
        series, panes = _kept(run)
        known = pl.concat([series["asset"], numbers["asset"]]).unique(maintain_order=True).to_frame("asset")
        slot = _slots(numbers, known)
        before = np.full(known.height, NEVER)
        before[: series.height] = series["mark"].to_numpy()
        times = numbers["time"].to_numpy()
        mark = before.copy()
        np.maximum.at(mark, slot, times)
        series = known.with_columns(_paths(series, numbers, known), before=before, mark=mark)
        earlier = earlier_maximum(slot, times, before) if len(times) else times
        numbers = numbers.with_columns(slot=slot, earlier=earlier)
        rows, closing = self._counting(numbers, run), self._closing(numbers)
        return Arrived(series, rows, panes.with_columns(slot=_slots(panes, known)), closing)

    def _closing(self, numbers: pl.DataFrame) -> pl.DataFrame:
        """Return the records that come to an end of windows, or beyond, before any other of their series."""

        def ends(time: str, behind_ms: int) -> pl.Expr:
            return (pl.col(time) - behind_ms).floordiv(self.slide_ms)

        is_closing = [ends("time", behind) > ends("earlier", behind) for behind in {0, self.latency_ms}]
        return numbers.filter(pl.any_horizontal(is_closing)).select("slot", "time", "arrival")

    def _counting(self, numbers: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the rows of records that are in a window that is open when they come."""
        rows = numbers.with_columns(pane=pl.col("time").floordiv(self.slide_ms))
        rows = rows.with_columns(since=pl.max_horizontal("pane", self.closed(pl.col("earlier"))) + 1)
        missed = pl.col("since") - pl.col("pane") - 1
        run.count("late", rows.filter(missed > 0).height)
        counting = rows.filter(missed < self.overlap)
        partials = of_records(self.aggregator.partials)
        return counting.select("slot", "pane", "since", "earlier", "arrival", "is_int", **partials)

    def merged(self, frames: Sequence[pl.DataFrame], *keys: str, **also: pl.Expr) -> pl.DataFrame:
        """Put rows of the same keys together; of equal times, earlier frames and rows came earlier."""
        return merged(pl.concat(frames, how="diagonal"), keys, self.aggregator.partials, **also)

    def keep(self, panes: pl.DataFrame, series: pl.DataFrame, run: Run) -> None:
        """Keep panes that are not over, and the watermarks."""
        own = panes.with_columns(asset=series["asset"].gather(panes["slot"])).drop("slot")
        state = pl.concat([series.select(_SERIES), own], how="diagonal")
        run.keep(state.with_columns(point=pl.lit(str(self.input))))

    def valued(self, windows: pl.DataFrame) -> pl.DataFrame:
        """Return windows with ``value`` and what else results tell."""
        detail = {"sum": pl.sum_horizontal(*SUMS), "cnt": pl.col("count").cast(pl.Float64)} if self.detail else {}
        return windows.with_columns(value=self.aggregator.result(), **detail)

    def _placed(self, windows: pl.DataFrame, arrived: Arrived) -> pl.DataFrame:
        """Return windows with ``arrival``, that of the record by which each is given, so that cuts do not count.

        What the clock gives has none.
        """
        latency = pl.when(pl.col("calMode") == FINAL).then(self.latency_ms).otherwise(0)
        ends = windows.with_row_index("row").select(
            "row", "slot", end=pl.col("start") + self.overlap * self.slide_ms + latency
        )
        closed = ends.sort("end").join_asof(
            arrived.closing.sort("time"),
            left_on="end",
            right_on="time",
            by="slot",
            strategy="forward",
            check_sortedness=False,
        )
        found = closed.sort("row")["arrival"].cast(pl.UInt32)
        if "arrival" in windows.columns:
            found = windows.select(pl.coalesce(pl.col("arrival").cast(pl.UInt32), found)).to_series()
        if "newest" in windows.columns:
            is_changed = (pl.col("calMode") == ON_TIME) & pl.col("newest").is_not_null()
            found = windows.select(
                pl.when(is_changed).then(pl.max_horizontal("newest", found)).otherwise(found)
            ).to_series()
        return windows.with_columns(arrival=found)

    def results(self, windows: pl.DataFrame, arrived: Arrived, like: pl.DataFrame) -> pl.DataFrame:
        """Return windows as records.

        Args:
            windows: ``slot``, ``start`` (epoch ms), ``calMode``, as ``valued`` gives them; ``lastOutput`` and so on
                where a window was given before; ``arrival`` where it is known, and ``newest``, that of the last record
                that changed it.
            arrived: what came with this micro-batch.
            like: records that the stage gets.
        """
        windows, series = self._placed(windows, arrived), arrived.series
        told: dict[str, Any] = {"calType": pl.lit(str(self.aggregator.canonical)), "calMode": pl.col("calMode")}
        told["lastOutput"] = _before(windows, "value")
        if self.detail:
            before = [_before(windows, name).alias(f"last{name.capitalize()}") for name in self.detail]
            told["calDetail"] = pl.struct([*map(pl.col, self.detail), *before])
        given = self._type()
        is_whole = pl.col("is_int") if given is None else pl.lit(given is ValueType.INT)
        return windows.select(
            series["asset"].gather(windows["slot"]),
            pl.lit(str(self.output or self.input)).cast(like.schema["point"]).alias("point"),
            series["model_path"].gather(windows["slot"]),
            pl.col("start").alias("time"),
            "value",
            is_int=is_whole,
            text=pl.lit(None, pl.String),
            arrival=pl.col("arrival"),
            **{ATTACHED: pl.struct(**told)},
        )


def last_name(name: str) -> str:
    """Return the column of what a window's last result told."""
    return f"last_{name}"


def _before(windows: pl.DataFrame, name: str) -> pl.Expr:
    column = last_name(name)
    return pl.col(column) if column in windows.columns else pl.lit(None, pl.Float64)


def _slots(rows: pl.DataFrame, known: pl.DataFrame) -> Any:
    """Return where each row's asset is among those known."""
    numbered = known.with_columns(slot=pl.int_range(pl.len(), dtype=pl.Int32))
    return rows.select("asset").join(numbered, on="asset", how="left", maintain_order="left")["slot"].to_numpy()


def _paths(series: pl.DataFrame, numbers: pl.DataFrame, known: pl.DataFrame) -> pl.Series:
    """Return the model path of each asset known, the one that came last."""
    paths = pl.concat([frame.select("asset", "model_path") for frame in (series, numbers)])
    last = paths.unique("asset", keep="last")
    return known.join(last, on="asset", how="left", maintain_order="left")["model_path"]


def _kept(run: Run) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the series and the panes of the state."""
    state = run.recall()
    if state is None:
        text, time = pl.String(), pl.Int64()
        return pl.DataFrame(schema=dict(zip(_SERIES, (text, text, time), strict=True))), pl.DataFrame(
            schema={"asset": text, "pane": time}
        )
    if "pane" not in state.columns:
        return state.select(_SERIES), state.clear().select("asset", pane=pl.lit(None, pl.Int64))
    is_pane = pl.col("pane").is_not_null()
    return state.filter(~is_pane).select(_SERIES), state.filter(is_pane).drop("model_path", "mark", "point")
