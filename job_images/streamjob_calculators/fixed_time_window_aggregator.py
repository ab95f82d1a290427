"""Fixed time window aggregator: extremes, averages, sums and counts of windows that follow one another."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from streamjob_api.duration_limits import WindowLength, between
from streamjob_api.durations import Duration
from streamjob_calculators.kit.windows import WindowCalculator


class FixedTimeWindowAggregator(WindowCalculator):
    """Gives the maximum, minimum, average, sum or count of a point's values in each window, at the window's start.

    It calculates as the template [time-window-aggregation](templates/time-window-aggregation.md) does. Without a
    latency a window is given when the first record of a later one comes; with one, then as `onTime`, and again as
    `final` when the latency is over. Records that come later are counted as `late`. `attr.windowAggregator` has
    `calType` and `calMode`.
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

    def windows(self) -> dict[str, Any]:
        """Return windows that tumble."""
        return {"windowType": "Tumbling", "windowSize": self.window_size, "latency": self.latency}
