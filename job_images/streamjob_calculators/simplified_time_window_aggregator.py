"""Simplified time window aggregator: the sum of a window so far, with each record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from streamjob_api.calculators import Flow
from streamjob_api.data_types import ValueType
from streamjob_api.duration_limits import DAY_MS, WindowLength
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault
from streamjob_api.timezones import TimeZone
from streamjob_calculators.kit import PointCalculator, Run, pl
from streamjob_calculators.kit.series import SERIES, after_earlier, of_now

_SUM, _WINDOW = "value", "window"


class SimplifiedTimeWindowAggregator(PointCalculator):
    """Gives with each record the sum of its window so far, at the time of the window's start.

    The last one of a window is its sum. A record of an earlier window than the newest of its asset and point is counted
    as `late` and gives nothing.
    """

    ALIASES: ClassVar[tuple[str, ...]] = ("delta-down-sampler",)

    window_size: WindowLength = Field(
        description="Length of the windows, anchored at 1970-01-01T00:00:00Z: whole seconds, 1s to 1d.",
        examples=["1d"],
    )
    timezone: TimeZone | None = Field(
        default=None,
        description="Time zone of windows of a day, which then begin at its midnight. Left out: UTC.",
        examples=["Europe/Berlin"],
    )

    def faults(self) -> Iterator[RuleFault]:
        """Only days have a time zone."""
        if self.timezone is not None and self.window_size.milliseconds != DAY_MS:
            yield RuleFault("only with windowSize 1d; leave it out or change windowSize", ("timezone",))

    def numbers(self) -> frozenset[PointRef]:
        """Only numbers add up."""
        return frozenset({self.input})

    def gives(self, coming: Flow) -> Flow:
        """Return the sums."""
        return coming.made(self.output or self.input, ValueType.DOUBLE)

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return a sum for each record that is not late."""
        rows = after_earlier(records.with_columns(self._start().alias(_WINDOW)), run, [_WINDOW, _SUM])
        newest = pl.col(_WINDOW).cum_max().over(SERIES)
        on_time = rows.filter(pl.col(_WINDOW) == newest)
        run.count("late", rows.height - on_time.height)
        sums = on_time.with_columns(pl.col(_SUM).cum_sum().over(*SERIES, _WINDOW))
        last = sums.unique(SERIES, keep="last", maintain_order=True)
        run.keep(last.select("asset", pl.col("point").cast(pl.String), _WINDOW, _SUM))
        given = of_now(sums).with_columns(time=pl.col(_WINDOW), is_int=pl.lit(False))
        return self.named(given.drop(_WINDOW))

    def _start(self) -> pl.Expr:
        """Return the start of each record's window, epoch ms."""
        if self.timezone is None:
            size = self.window_size.milliseconds
            return pl.col("time") // size * size
        local = pl.col("time").cast(pl.Datetime("ms", "UTC")).dt.convert_time_zone(str(self.timezone))
        return local.dt.truncate("1d").dt.epoch("ms")
