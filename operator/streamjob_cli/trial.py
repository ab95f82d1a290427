"""A job on trial: the driver's own functions over batches of lines, with the state in memory."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from streamjob_api.stream_job import StreamJobSpec
from streamjob_runtime.messages import Decoded
from streamjob_runtime.reduction import Reduction
from streamjob_runtime.templates import Template
from streamjob_runtime.templates.protocols import RESULTS


class MemoryStore(dict[int, pl.DataFrame]):
    """The state of one shard."""

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
        now_ms: the clock that refuses times in the future; None refuses none.
        counted: records by what became of them, as a driver counts them.
    """

    spec: StreamJobSpec
    template: Template
    now_ms: int | None
    counted: Counter[str] = field(default_factory=Counter)
    _stores: dict[int, MemoryStore] = field(default_factory=dict)
    _newest_ms: int = 0

    def feed(self, values: Sequence[bytes]) -> tuple[pl.DataFrame, Decoded]:
        """Run one micro-batch; returns the results that are due, by time, and what the lines held."""
        reduction = Reduction(self.spec, self.template, self.now_ms)
        decoded = reduction.add(values)
        reduced = reduction.finish()
        counts = dict(reduced.counts)
        self._newest_ms = max(self._newest_ms, counts.pop("maxTime", 0))
        self.counted.update(counts)
        results = [self._fold(shard, block) for shard, block in reduced.blocks.items()]
        return _by_time(results, ["time"]), decoded

    def _fold(self, shard: int, block: pl.DataFrame) -> pl.DataFrame:
        # Without a clock, time goes as far as the records have come.
        now_ms = self._newest_ms if self.now_ms is None else self.now_ms
        folded = self.template.fold(self._stores.setdefault(shard, MemoryStore()), [block], now_ms)
        self.counted.update(folded.counts)
        return folded.results

    def close(self) -> pl.DataFrame:
        """End the input; returns what was still open, by time."""
        closed = [self.template.close(store) for store in self._stores.values()]
        for folded in closed:
            self.counted.update(folded.counts)
        return _by_time([folded.results for folded in closed], ["time", "asset", "model", "point"])


def _by_time(results: Sequence[pl.DataFrame], order: list[str]) -> pl.DataFrame:
    """Put results of all shards in one order; those of the same place keep theirs."""
    frames = [frame for frame in results if frame.height]
    return pl.concat(frames).sort(order, maintain_order=True) if frames else RESULTS.to_frame()
