"""Messages of one partition reduced to combined blocks and counts; pure, so that a driver and a preview share it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from streamjob_api.source import MessageMapping
from streamjob_api.stream_job import MessageChannel, StreamJobSpec
from streamjob_runtime.messages import Decoded, decode
from streamjob_runtime.rows import Counts
from streamjob_runtime.templates import Combiner, Template


@dataclass(frozen=True)
class Reduced:
    """What one partition's part of a micro-batch became.

    Attributes:
        blocks: by shard; for ``Template.fold``.
        counts: ``messages``, ``bytes``, ``records``, ``unused``, ``filtered``, ``malformed.<reason>``,
            ``refused.<reason>``, ``maxTime`` (the highest accepted event time), and what the template dropped by
            reason.
    """

    blocks: dict[int, pl.DataFrame]
    counts: Counts


class Reduction:
    """Takes one partition's part of a micro-batch, chunk by chunk."""

    def __init__(
        self, spec: StreamJobSpec, template: Template, now_ms: int | None, mapping: MessageMapping | None = None
    ) -> None:
        """Begin with nothing.

        Args:
            spec: the job.
            template: the job's template.
            now_ms: the clock that refuses times in the future; None refuses none.
            mapping: how messages are read; None: they have the service's form.
        """
        self._inputs = template.inputs
        self._texts = template.texts
        self._mapping = mapping
        self._assets = spec.assets
        self._now_ms = 0 if now_ms is None else now_ms
        self._future_tolerance_ms = None if now_ms is None else _future_tolerance_ms(spec)
        self._combiner: Combiner = template.combiner()
        self._tally = _Tally()

    def add(self, values: Sequence[bytes | None]) -> Decoded:
        """Decode and combine the next messages, in arrival order; returns what they held."""
        decoded = decode(
            values,
            self._inputs,
            self._now_ms,
            self._future_tolerance_ms,
            mapping=self._mapping,
            assets=self._assets,
            texts=self._texts,
        )
        self._combiner.add(decoded.points)
        self._tally.add(decoded, values)
        return decoded

    def finish(self) -> Reduced:
        """Return what all of it was reduced to; the reduction is used up."""
        combined = self._combiner.finish()
        return Reduced(dict(sorted(combined.blocks.items())), self._tally.counts(combined.counts))


def _future_tolerance_ms(spec: StreamJobSpec) -> int | None:
    """The offline channel carries historical data and has no check against the clock."""
    is_offline = spec.message_channel is MessageChannel.OFFLINE
    return None if is_offline else spec.future_tolerance.milliseconds


@dataclass
class _Tally:
    """Messages and records by what became of them."""

    counted: Counter[str] = field(default_factory=Counter)
    max_time_ms: int | None = None

    def add(self, decoded: Decoded, values: Sequence[bytes | None]) -> None:
        """Count one chunk."""
        self.counted.update(
            messages=len(values),
            bytes=sum(len(value) for value in values if value is not None),
            records=decoded.records,
            unused=decoded.unused,
            filtered=decoded.filtered,
        )
        self.counted.update({f"refused.{reason}": count for reason, count in decoded.refused.items()})
        for reason, count in decoded.malformed["reason"].value_counts().iter_rows():
            self.counted[f"malformed.{reason}"] += count
        if decoded.points.height:
            newest = int(decoded.points["time"].max())  # type: ignore[arg-type]
            self.max_time_ms = max(newest, self.max_time_ms if self.max_time_ms is not None else newest)

    def counts(self, combined: dict[str, int]) -> Counts:
        """All counts of the partition's part of the micro-batch."""
        newest = {} if self.max_time_ms is None else {"maxTime": self.max_time_ms}
        return {**self.counted, **newest, **combined}
