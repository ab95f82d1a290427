"""Fixed time window aggregator: aggregates of windows that follow one another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from streamjob_api.base import ApiModel, Bool
from streamjob_api.diffs import STATE_BREAKING
from streamjob_api.duration_limits import WindowLength, between
from streamjob_api.durations import Duration
from streamjob_api.rule_faults import RuleFault
from streamjob_calculators.kit import Run, pl
from streamjob_calculators.kit.partials import running
from streamjob_calculators.kit.windows import EARLY, FINAL, ON_TIME, Arrived, WindowCalculator, last_name

_WINDOW = ("slot", "pane")


class EarlyTrigger(ApiModel):
    """What gives results of windows that are not over; one of the two."""

    every: Annotated[Duration, between("1s", "1h")] | None = Field(
        default=None,
        description="At each multiple of it, by the clock, windows that have changed give a result.",
        examples=["30s"],
        json_schema_extra=STATE_BREAKING,
    )
    on_input: Bool = Field(
        default=False,
        description="Whether each record gives a result of its window.",
        examples=[True],
        json_schema_extra=STATE_BREAKING,
    )

    def faults(self) -> Iterator[RuleFault]:
        """It is one of the two."""
        if self.every is not None and self.on_input:
            yield RuleFault("onInput: true is given too; leave one of them out", ("every",))
        if self.every is None and not self.on_input:
            yield RuleFault("nothing triggers; write every, onInput: true, or leave earlyTrigger out", ())


class FixedTimeWindowAggregator(WindowCalculator):
    """Gives an aggregate of a point's values in each window, at the window's start.

    Without a latency a window is given when the first record of a later one comes, as the template
    [time-window-aggregation](templates/time-window-aggregation.md) does; with one, then as `onTime`, again whenever
    late records change it, and as `final` when the latency is over. Records that come later are counted as `late`,
    those without a value as `missing`. With `earlyTrigger` there are `early` results before. All results of a window
    have its time, and the last one counts: a stage that adds results up should not read several of a window.

    `attr.windowAggregator` has `calType`, `calMode` (`early`, `onTime` or `final`), `lastOutput`, the value that was
    given last of this window (null: none), and of averages `calDetail` with `sum`, `cnt`, and `lastSum` and `lastCnt`
    of the result before.
    """

    ALIASES: ClassVar[tuple[str, ...]] = ("window-aggregator",)

    window_size: WindowLength = Field(
        description="Length of the windows, anchored at 1970-01-01T00:00:00Z: whole seconds, 1s to 1d.",
        examples=["10m"],
    )
    latency: Annotated[Duration, between("0s", "1d")] = Field(
        default=Duration.parse("0s"),
        description="How late a record may come and still count, 0s to 1d.",
        examples=["1m"],
    )
    early_trigger: EarlyTrigger | None = Field(
        default=None,
        description="What gives results of windows that are not over. Left out: nothing.",
        examples=[{"every": "30s"}],
    )

    @property
    def uses_clock(self) -> bool:
        """Whether it gives early results by the clock."""
        return self._every_ms is not None

    @property
    def slide_ms(self) -> int:
        """The windows follow one another."""
        return self.window_size.milliseconds

    @property
    def latency_ms(self) -> int:
        """How long windows stay open behind their end."""
        return self.latency.milliseconds

    @property
    def _every_ms(self) -> int | None:
        every = self.early_trigger.every if self.early_trigger is not None else None
        return every.milliseconds if every is not None else None

    @property
    def _told(self) -> dict[str, str]:
        """Names of what results tell, by those under which it is remembered."""
        if not self.latency_ms and self.early_trigger is None:
            return {}
        return {last_name(name): name for name in ("value", *self.detail)}

    def _remembered(self) -> dict[str, pl.Expr]:
        """Return what is remembered of a window beside its partials, as new windows have it."""
        remembered = {name: pl.lit(None, pl.Float64) for name in self._told}
        if self.latency_ms:
            remembered["is_settled"] = pl.lit(False)
        if self._every_ms is not None:
            remembered["due"] = pl.lit(None, pl.Int64)
        return remembered

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the windows that are due."""
        arrived = self.arrived(records, run)
        early = self._by_input(arrived)
        windows = self._noted(self._windows(arrived, early), run.now_ms)
        due = windows.filter(pl.col("calMode").is_not_null())
        self._keep(windows, arrived.series, run)
        given = pl.concat([early, due.with_columns(order=None)], how="diagonal_relaxed")
        return self.results(given.sort("slot", "start", "order", nulls_last=True), arrived, records)

    def end(self, given: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the windows that are open, as final."""
        arrived = self.arrived(given, run)
        windows = self._windows(arrived, self._by_input(arrived)).with_columns(calMode=pl.lit(FINAL))
        return self.results(windows.sort(_WINDOW), arrived, given)

    def _by_input(self, arrived: Arrived) -> pl.DataFrame:
        """Return the results that each record of a window that is not over gives, by their ``order``."""
        end = (pl.col("pane") + 1) * self.slide_ms
        is_early = (pl.col("earlier") < end) if self._is_by_input else pl.lit(False)
        brought = arrived.rows.with_columns(is_early=is_early, order=pl.int_range(pl.len()))
        if not self._is_by_input:
            brought = brought.clear()
        known = arrived.panes.drop("asset").join(brought.select(_WINDOW).unique(), on=_WINDOW, how="semi")
        rows = pl.concat([known, brought], how="diagonal")
        rows = self.valued(running(rows, _WINDOW, self.aggregator.partials))
        if "last_value" in known.columns:
            # The row of a known window stands for its last result.
            is_known = pl.col("is_early").is_null()
            rows = rows.with_columns(
                pl.when(is_known).then(last).otherwise(name).alias(name) for last, name in self._told.items()
            )
        rows = rows.filter(pl.col("is_early").fill_null(True))
        rows = rows.with_columns(pl.col(name).shift().over(_WINDOW).alias(last) for last, name in self._told.items())
        start = pl.col("pane") * self.slide_ms
        return rows.filter("is_early").with_columns(start=start, calMode=pl.lit(EARLY))

    @property
    def _is_by_input(self) -> bool:
        return self.early_trigger is not None and self.early_trigger.on_input

    def _windows(self, arrived: Arrived, early: pl.DataFrame) -> pl.DataFrame:
        """Return the open windows with what arrived, and what each of them has given."""
        brought = arrived.rows.with_columns(is_new=pl.lit(True), **self._remembered())
        known = arrived.panes.drop("asset")
        also = {name: pl.col(name).first() for name in self._remembered()}
        also["newest"] = pl.col("arrival").max()
        windows = self.merged([known, brought], *_WINDOW, is_new=pl.col("is_new").any(), **also)
        if early.height:
            given = early.group_by(_WINDOW).agg(
                pl.col(name).last().name.prefix("given_") for name in self._told.values()
            )
            windows = windows.join(given, on=_WINDOW, how="left", maintain_order="left").with_columns(
                pl.coalesce(f"given_{name}", last).alias(last) for last, name in self._told.items()
            )
        windows = self.valued(arrived.beside(windows, "mark"))
        return windows.with_columns(start=pl.col("pane") * self.slide_ms)

    def _noted(self, windows: pl.DataFrame, now_ms: int) -> pl.DataFrame:
        """Return windows with the ``calMode`` of those that are due, and with what follows from it."""
        is_over = pl.col("start") + self.slide_ms <= pl.col("mark")
        if self._every_ms is not None:
            tick = (now_ms // self._every_ms + 1) * self._every_ms
            due = pl.coalesce("due", pl.when("is_new").then(tick))
            windows = windows.with_columns(due=pl.when(~is_over).then(due))
        windows = windows.with_columns(calMode=self._mode(is_over, now_ms))
        return windows.with_columns(is_settled=is_over) if self.latency_ms else windows

    def _mode(self, is_over: pl.Expr, now_ms: int) -> pl.Expr:
        """Return the ``calMode`` of windows that are due."""
        is_final = pl.col("pane") < self.closed(pl.col("mark"))
        modes = [pl.when(is_final).then(pl.lit(FINAL))]
        if self.latency_ms:
            modes.append(pl.when(is_over & (pl.col("is_new") | ~pl.col("is_settled"))).then(pl.lit(ON_TIME)))
        if self._every_ms is not None:
            modes.append(pl.when(pl.col("due") <= now_ms).then(pl.lit(EARLY)))
        return pl.coalesce(*modes)

    def _keep(self, windows: pl.DataFrame, series: pl.DataFrame, run: Run) -> None:
        """Keep the windows that are not final, and have early ones given in time."""
        still_open = windows.filter(pl.col("calMode").ne_missing(FINAL))
        is_given = pl.col("calMode").is_not_null()
        noted = {last: pl.when(is_given).then(name).otherwise(last) for last, name in self._told.items()}
        if self._every_ms is not None:
            noted["due"] = pl.when(~is_given).then("due")
        kept = still_open.with_columns(**noted)
        self.keep(kept.select(*_WINDOW, *self.aggregator.partials, "is_int", *self._remembered()), series, run)
        if self._every_ms is not None and kept["due"].count():
            run.wake(int(kept.select(pl.col("due").min()).item()))
