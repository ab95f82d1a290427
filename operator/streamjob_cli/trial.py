"""A job on trial: the driver's own functions over batches of lines, with the state in memory."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from streamjob_api.points import PointRef
from streamjob_api.source import MessageMapping
from streamjob_api.stream_job import StreamJobSpec
from streamjob_cli.calculated_inputs import MixedDecoding
from streamjob_cli.event_clock import EventClock
from streamjob_runtime.decoding import Decoding
from streamjob_runtime.messages import Decoded
from streamjob_runtime.reduction import Tally
from streamjob_runtime.rows import Kind
from streamjob_runtime.shards import Shards
from streamjob_runtime.templates import Folded, Template
from streamjob_runtime.templates.device_state_results import site_results
from streamjob_runtime.templates.site_totals import SiteTotals

# Results are given out in parts of so many rows, or of so many folds.
_ROWS_AT_ONCE = 20_000
_FOLDS_AT_ONCE = 200
_ONE = Shards.of(1)


class MemoryStore(dict[int, pl.DataFrame]):
    """The state of all shards at once: assets of different shards know nothing of each other."""

    def put(self, bucket: int, block: pl.DataFrame) -> None:
        """Keep the block of a bucket."""
        self[bucket] = block

    def remove(self, bucket: int) -> None:
        """Drop a bucket."""
        self.pop(bucket, None)

    def owned(self, assets: Sequence[str]) -> list[str]:
        """Return all of them: there is one shard."""
        return [*assets]


class Trial:
    """One job; lines go in as messages of one partition, in arrival order.

    Attributes:
        counted: records by what became of them, as a driver counts them.
    """

    def __init__(
        self,
        spec: StreamJobSpec,
        template: Template,
        mapping: MessageMapping | None,
        now_ms: int | None,
        calculated: frozenset[PointRef] = frozenset(),
    ) -> None:
        """Begin with nothing.

        Args:
            spec: the job.
            template: the job's template.
            mapping: how lines are read; None: they have the service's form.
            now_ms: the clock that refuses times in the future, and up to which shards tick; None refuses none.
            calculated: inputs that are results of other jobs.
        """
        self.counted: Counter[str] = Counter()
        self._template = template
        decoding = Decoding.of(spec, template, now_ms, calculated=calculated, mapping=mapping)
        self._decoding = MixedDecoding.of(decoding, calculated | frozenset(spec.block.topics_read()))
        self._now_ms = now_ms
        self._store = MemoryStore()
        self._clock = EventClock(self._fold)
        # One store serves all shards.
        self._sites = SiteTotals(1)
        self._site_output = spec.device_state.site_output if spec.device_state is not None else None

    def feed(self, values: Sequence[bytes]) -> tuple[Iterator[pl.DataFrame], Decoded]:
        """Take the next lines; returns the results that are due, as they happen, and what the lines held.

        Nothing is calculated before the results are taken, which may raise ``TooManyTicks``.
        """
        decoded, tally = self._decoding.read(values), Tally()
        tally.add(decoded, values)
        self.counted.update(tally.counted)
        return self._results(self._folded(decoded.points)), decoded

    def _folded(self, points: pl.DataFrame) -> Iterator[Folded]:
        if self._template.uses_clock:
            yield from self._clock.take(points)
        else:
            yield self._fold(points, 0 if self._now_ms is None else self._now_ms)

    def _fold(self, points: pl.DataFrame | None, now_ms: int) -> Folded:
        blocks: list[pl.DataFrame] = []
        if points is not None:
            combiner = self._template.combiner(_ONE)
            combiner.add(points)
            combined = combiner.finish()
            self.counted.update(combined.counts)
            blocks = [block for _, block in sorted(combined.blocks.items())]
        return self._template.fold(self._store, blocks, now_ms)

    def _results(self, folds: Iterable[Folded]) -> Iterator[pl.DataFrame]:
        """Count what folds dropped; yield their results one after the other, those of each by time."""
        results: list[pl.DataFrame] = []
        for folded in folds:
            self.counted.update(folded.counts)
            given = [folded.results.sort("time", maintain_order=True), self._site_results(folded)]
            results += [rows for rows in given if rows.height]
            if sum(rows.height for rows in results) >= _ROWS_AT_ONCE or len(results) >= _FOLDS_AT_ONCE:
                yield pl.concat(results)
                results = []
        if results:
            yield pl.concat(results)

    def _site_results(self, folded: Folded) -> pl.DataFrame:
        counts = folded.beside.get(Kind.SITES)
        return site_results(self._sites.take([] if counts is None else [(0, counts)]), self._site_output)

    def close(self) -> Iterator[pl.DataFrame]:
        """End the input: make the ticks that are due until now, and yield what was still open, by time.

        Raises:
            TooManyTicks: now lies too far ahead.
        """
        yield from self._results(self._clock.tick_until(self._clock.now_ms if self._now_ms is None else self._now_ms))
        folded = self._template.close(self._store)
        self.counted.update(folded.counts)
        if folded.results.height:
            yield folded.results.sort("time", "asset", "model", "point")
