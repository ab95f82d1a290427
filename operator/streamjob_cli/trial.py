"""A job on trial: the driver's own functions over batches of lines, with the state in memory."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from streamjob_api.source import MessageMapping
from streamjob_api.stream_job import StreamJobSpec
from streamjob_runtime.messages import Decoded
from streamjob_runtime.reduction import Reduction
from streamjob_runtime.templates import Template


class MemoryStore(dict[int, pl.DataFrame]):
    """The state of all shards at once: assets of different shards know nothing of each other."""

    def put(self, bucket: int, block: pl.DataFrame) -> None:
        """Keep the block of a bucket."""
        self[bucket] = block

    def remove(self, bucket: int) -> None:
        """Drop a bucket."""
        self.pop(bucket, None)


@dataclass
class Trial:
    """One job; lines go in as messages of one partition, in arrival order.

    Attributes:
        mapping: how lines are read; None: they have the service's form.
        now_ms: the clock that refuses times in the future; None refuses none.
        counted: records by what became of them, as a driver counts them.
    """

    spec: StreamJobSpec
    template: Template
    mapping: MessageMapping | None
    now_ms: int | None
    counted: Counter[str] = field(default_factory=Counter)
    _store: MemoryStore = field(default_factory=MemoryStore)
    _newest_ms: int = 0

    def feed(self, values: Sequence[bytes]) -> tuple[pl.DataFrame, Decoded]:
        """Run one micro-batch; returns the results that are due, by time, and what the lines held."""
        reduction = Reduction(self.spec, self.template, self.now_ms, self.mapping)
        decoded = reduction.add(values)
        reduced = reduction.finish()
        counts = dict(reduced.counts)
        self._newest_ms = max(self._newest_ms, counts.pop("maxTime", 0))
        self.counted.update(counts)
        # Without a clock, time goes as far as the records have come.
        now_ms = self._newest_ms if self.now_ms is None else self.now_ms
        folded = self.template.fold(self._store, list(reduced.blocks.values()), now_ms)
        self.counted.update(folded.counts)
        return folded.results.sort("time", maintain_order=True), decoded

    def close(self) -> pl.DataFrame:
        """End the input; returns what was still open, by time."""
        folded = self.template.close(self._store)
        self.counted.update(folded.counts)
        return folded.results.sort("time", "asset", "model", "point")
