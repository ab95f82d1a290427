"""Sliding time window aggregator: aggregates of windows that overlap."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from streamjob_api.duration_limits import WindowLength
from streamjob_api.rule_faults import RuleFault
from streamjob_calculators.kit import Run, pl
from streamjob_calculators.kit.windows import FINAL, Arrived, WindowCalculator


class SlidingTimeWindowAggregator(WindowCalculator):
    """Gives an aggregate of a point's values in windows that overlap.

    Results have the time of their window's start, and are final: they are given when the first record behind the window
    comes. A record that comes after the end of any of its windows is counted as `late`; it counts in the others.
    Records without a value are counted as `missing`. `attr.windowAggregator` has `calType`, `calMode` (`final`),
    `lastOutput` (null) and, of averages, `calDetail` with `sum`, `cnt`, `lastSum` and `lastCnt`.
    """

    window_size: WindowLength = Field(description="Length of the windows: whole seconds, 1s to 1d.", examples=["1h"])
    slide: WindowLength = Field(
        description="Distance between the starts of windows, anchored at 1970-01-01T00:00:00Z; it divides windowSize.",
        examples=["1m"],
    )

    def faults(self) -> Iterator[RuleFault]:
        """The windows are made of whole slides."""
        if self.window_size.milliseconds % self.slide.milliseconds:
            message = f"'{self.slide}' does not divide windowSize '{self.window_size}'; write a divisor of it"
            yield RuleFault(message, ("slide",))

    @property
    def slide_ms(self) -> int:
        """The distance between starts of windows."""
        return self.slide.milliseconds

    @property
    def overlap(self) -> int:
        """How many windows a record is in."""
        return self.window_size.milliseconds // self.slide.milliseconds

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the windows that are over."""
        arrived = self.arrived(records, run)
        rows = self._panes(arrived)
        over = arrived.beside(rows, "mark").with_columns(until=self.closed(pl.col("mark"))).drop("mark")
        still_open = over.filter(pl.col("pane") + self.overlap > pl.col("until")).drop("since", "until")
        self.keep(self.merged([still_open], "slot", "pane"), arrived.series, run)
        return self._windows(over, arrived, records)

    def end(self, given: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the windows that are open, as final."""
        arrived = self.arrived(given, run)
        last = pl.col("pane") + self.overlap
        return self._windows(self._panes(arrived).with_columns(until=last), arrived, given)

    def _panes(self, arrived: Arrived) -> pl.DataFrame:
        """Return panes, those brought by the first window that they count in: they may miss windows that are due."""
        brought = self.merged([arrived.rows], "slot", "pane", "since")
        closed = pl.max_horizontal("pane", self.closed(pl.col("before"))) + 1
        kept = arrived.beside(arrived.panes, "before").with_columns(since=closed).drop("asset", "before")
        return pl.concat([kept, brought], how="diagonal").sort("slot", "pane", "since", maintain_order=True)

    def _windows(self, panes: pl.DataFrame, arrived: Arrived, like: pl.DataFrame) -> pl.DataFrame:
        """Return the windows that end until ``until``, in slides, made of the panes that count in them."""
        final = pl.min_horizontal("until", pl.col("pane") + self.overlap)
        due = panes.with_columns(final=final).filter(pl.col("final") >= pl.col("since"))
        each = due.with_columns(end=pl.int_ranges("since", pl.col("final") + 1)).explode("end")
        windows = self.merged([each], "slot", "end").sort("slot", "end")
        start = (pl.col("end") - self.overlap) * self.slide_ms
        told = windows.with_columns(start=start, calMode=pl.lit(FINAL))
        return self.results(self.valued(told), arrived, like)
