"""Which records the energy templates take, and when; as plain loops over the whole input."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oracles.windows import Record


@dataclass(frozen=True)
class Beside:
    """What a job is told beside its block.

    Attributes:
        timezone: whose days count where the job names no time zone.
        calculated: inputs that are results of other jobs.
        attributes: by asset and name, as JSON has them.
        idle_timeout_ms: silence after which days are closed.
        looks: micro-batches, as (clock, how many records had arrived by then); one without new records is a tick.
    """

    timezone: str = "UTC"
    calculated: frozenset[str] = frozenset()
    attributes: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    idle_timeout_ms: int | None = None
    looks: Sequence[tuple[int, int]] = ()


NOTHING_BESIDE = Beside()


@dataclass
class Order:
    """The records of one asset and input, as they are taken.

    Attributes:
        taken: (time, value), in the order in which they were.
        closings: how many had been taken whenever the clock found the series silent for too long.
        late: how many came too late.
        repeated: how many others came too late to replace the one of the same time.
    """

    is_meter: bool
    latency_ms: int
    taken: list[tuple[int, float]] = field(default_factory=list)
    closings: list[int] = field(default_factory=list)
    late: int = 0
    repeated: int = 0
    waiting: dict[int, float] = field(default_factory=dict)
    watermark: int = 0
    reference: tuple[int, float] | None = None

    def run(self, records: Sequence[Record], asset: str, point: str, beside: Beside) -> None:
        """Let everything arrive, look by look."""
        begin, arrived = 0, None
        for clock, end in beside.looks or [(0, len(records))]:
            own = [row for row in records[begin:end] if row[:2] == (asset, point)]
            begin = end
            kept = [self.arrive(time, float(value), replaces=point in beside.calculated) for *_, time, value in own]
            if any(kept) or (own and arrived is not None):
                arrived = clock
            elif arrived is not None and clock - arrived >= (beside.idle_timeout_ms or math.inf):
                arrived = self.end_silence(clock, clock - arrived - (beside.idle_timeout_ms or 0))

    def end_silence(self, clock: int, too_long_ms: int) -> int | None:
        """Close the series, unless nobody looked when it was time: then silence begins anew."""
        if too_long_ms > 60_000:
            return clock
        self.take(sorted(self.waiting))
        self.closings.append(len(self.taken))
        return None

    def arrive(self, time: int, value: float, *, replaces: bool) -> bool:
        """Let one record wait, or drop it; take those whose turn it is. Return whether it was kept."""
        if replaces and self.reference is not None and time == self.reference[0]:
            self.repeated += 1
            return False
        is_too_late = self.reference is not None and time <= self.reference[0]
        if is_too_late or (time in self.waiting and not replaces):
            self.late += 1
            return False
        self.waiting[time] = value
        self.watermark = max(self.watermark, time)
        self.take(sorted(moment for moment in self.waiting if moment + self.latency_ms <= self.watermark))
        return True

    def take(self, moments: list[int]) -> None:
        """Take what waits at these times."""
        for moment in moments:
            value = self.waiting.pop(moment)
            self.taken.append((moment, value))
            if not self.is_meter or self.reference is None or self.reference[1] != value:
                self.reference = (moment, value)
