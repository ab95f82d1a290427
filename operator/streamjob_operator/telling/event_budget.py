"""How many Events an object may have: whatever flaps, its namespace is not flooded."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

# A course of ordinary events has far fewer; after them, one in five minutes, as Kubernetes' own clients keep it.
BURST = 25
REFILL_SECONDS = 300.0
# Objects that are remembered; those that have their whole budget back are forgotten first.
_REMEMBERED = 10_000


@dataclass
class EventBudget:
    """Events that objects have left, by UID."""

    clock: Callable[[], float] = time.monotonic
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)  # events, and when that was counted

    def take(self, uid: str) -> bool:
        """Whether one more Event of an object may be written."""
        now = self.clock()
        left = self._now(uid, now)
        if left < 1:
            return False
        self._left.pop(uid, None)
        self._left[uid] = (left - 1, now)
        if len(self._left) > _REMEMBERED:
            del self._left[next(iter(self._left))]
        return True

    def _now(self, uid: str, now: float) -> float:
        left, counted_at = self._left.get(uid, (float(BURST), now))
        return min(float(BURST), left + (now - counted_at) / REFILL_SECONDS)
