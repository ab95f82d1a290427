"""Sliding time window aggregator: extremes, averages, sums and counts of windows that overlap."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from streamjob_api.duration_limits import WindowLength
from streamjob_calculators.kit.windows import WindowCalculator


class SlidingTimeWindowAggregator(WindowCalculator):
    """Gives the maximum, minimum, average, sum or count of a point's values in windows that overlap.

    Results have the time of their window's start, and are final: they are given when the first record behind the window
    comes. Records that come later are counted as `late`. `attr.windowAggregator` has `calType` and `calMode`.
    """

    window_size: WindowLength = Field(description="Length of the windows: whole seconds, 1s to 1d.", examples=["1h"])
    slide: WindowLength = Field(
        description="Distance between the starts of windows, anchored at 1970-01-01T00:00:00Z; it divides windowSize.",
        examples=["1m"],
    )

    def windows(self) -> dict[str, Any]:
        """Return windows that slide."""
        return {"windowType": "Sliding", "windowSize": self.window_size, "slide": self.slide, "latency": "0s"}
