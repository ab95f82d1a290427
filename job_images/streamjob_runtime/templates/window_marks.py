"""How far the time of each asset and input had come before a micro-batch, and has come with it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from streamjob_runtime.templates.arrays import NEVER, Flags, Times
from streamjob_runtime.templates.window_rows import Rows


@dataclass(frozen=True)
class Watermarks:
    """What decides which windows are over, and which are final.

    Attributes:
        before, now: watermarks, by slot.
        closed: by slot and group: windows that end up to here were closed for silence, whatever the watermark is.
        latency_ms: how long after its end a window becomes final.
    """

    before: Times
    now: Times
    closed: NDArray[np.int64]
    latency_ms: int

    def of(self, slots: Flags) -> "Watermarks":
        """Return the same, as if nothing had come of other slots."""
        return replace(self, before=np.where(slots, self.before, NEVER))

    def final_before(self, rows: Rows) -> Times:
        """Up to which end windows were final before the micro-batch, for each row."""
        return np.maximum(self.before[rows.slot] - self.latency_ms, self.closed[rows.slot, rows.group])

    def final(self, rows: Rows) -> Times:
        """Up to which end windows are final now, for each row."""
        return np.maximum(self.now[rows.slot] - self.latency_ms, self.closed[rows.slot, rows.group])

    def moved(self) -> tuple[Times, Times]:
        """Return the watermarks that have moved, but the first ones: from where, and where to."""
        has_moved = (self.before != NEVER) & (self.now > self.before)
        return self.before[has_moved], self.now[has_moved]
