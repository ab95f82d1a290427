"""What became of every record since the driver started, counted once its micro-batch is committed."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from streamjob_api.progress import Totals
from streamjob_runtime.rows import Counts
from streamjob_runtime.throughput import Throughput

_PLAIN = (
    *("messages", "records", "late", "outside", "unused", "filtered", "intermediate", "out", "missing", "repeated"),
    *("failed", "discarded"),
)
_SEVERAL_WORDS = {
    "several_partitions": "severalPartitions",
    "filtered_quality": "filteredQuality",
    "division_by_zero": "divisionByZero",
    "not_finite": "notFinite",
    "wrong_type": "wrongType",
    "attribute_missing": "attributeMissing",
    "attribute_invalid": "attributeInvalid",
}
_MOST_REASONS = 16


@dataclass
class Accounts:
    """Sums over committed micro-batches; one thread writes, others read."""

    throughput: Throughput
    clock: Callable[[], float] = time.time
    counted: Counter[str] = field(default_factory=Counter)
    max_time_ms: int | None = None
    committed_batch: int = -1
    _pending: tuple[int, Counts] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pend(self, batch_id: int, counts: Counts) -> None:
        """A micro-batch is written; that it is the next one's turn says that the one before is committed."""
        with self._lock:
            self._take_pending(batch_id - 1)
            self._pending = (batch_id, counts)

    def commit(self, batch_id: int) -> None:
        """Spark has committed micro-batches up to this one."""
        with self._lock:
            self._take_pending(batch_id)

    def _take_pending(self, committed: int) -> None:
        if self._pending is None or self._pending[0] > committed:
            return
        (self.committed_batch, counts), self._pending = self._pending, None
        counts = dict(counts)
        newest = counts.pop("maxTime", None)
        if newest is not None:
            self.max_time_ms = max(newest, self.max_time_ms if self.max_time_ms is not None else newest)
        self.counted.update(counts)
        self.throughput.add(self.clock(), counts.get("messages", 0), counts.get("out", 0))

    def totals(self, errors: int) -> Totals:
        """The sums by what became of records."""
        with self._lock:
            plain = {name: self.counted[name] for name in _PLAIN}
            others = {name: self.counted[counted] for name, counted in _SEVERAL_WORDS.items()}
        malformed, refused = self.by_reason("malformed"), self.by_reason("refused")
        return Totals(
            **plain,
            **others,
            malformed=sum(malformed.values()),
            refused=sum(refused.values()),
            errors=errors,
        )

    def by_reason(self, kind: str) -> dict[str, int]:
        """Counts of one kind: malformed messages, refused records, what stages count; without the rarest beyond 16."""
        with self._lock:
            found = {
                name.removeprefix(f"{kind}."): n for name, n in self.counted.items() if name.startswith(f"{kind}.")
            }
        return dict(Counter(found).most_common(_MOST_REASONS))
