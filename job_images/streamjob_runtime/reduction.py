"""Messages of one partition reduced to combined blocks and counts; pure."""

from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from streamjob_runtime.decoding import Decoding
from streamjob_runtime.messages import Decoded, Values
from streamjob_runtime.rows import Counts
from streamjob_runtime.templates import Combiner


@dataclass(frozen=True)
class Reduced:
    """What one partition's part of a micro-batch became.

    Attributes:
        blocks: by shard; for ``Template.fold``.
        counts: ``messages``, ``bytes``, ``records``, ``unused``, ``filtered``, ``intermediate``,
            ``malformed.<reason>``, ``refused.<reason>``, ``maxTime`` (the highest accepted event time), and what the
            template dropped by reason.
    """

    blocks: dict[int, pl.DataFrame]
    counts: Counts


class Reduction:
    """Takes one partition's part of a micro-batch, chunk by chunk."""

    def __init__(self, decoding: Decoding, combiner: Combiner) -> None:
        self._decoding = decoding
        self._combiner = combiner
        self._tally = Tally()

    def add(self, values: Values) -> Decoded:
        """Decode and combine the next messages, in arrival order; returns what they held."""
        decoded = self._decoding.read(values)
        self._combiner.add(decoded.points)
        self._tally.add(decoded, values)
        return decoded

    def finish(self) -> Reduced:
        """Return what all of it was reduced to; the reduction is used up."""
        combined = self._combiner.finish()
        return Reduced(dict(sorted(combined.blocks.items())), self._tally.counts() | combined.counts)


@dataclass
class Tally:
    """Messages and records by what became of them."""

    counted: Counter[str] = field(default_factory=Counter)
    max_time_ms: int | None = None

    def add(self, decoded: Decoded, values: Values) -> None:
        """Count one chunk."""
        self.counted.update(
            messages=len(values),
            bytes=int(pl.Series(values, dtype=pl.Binary).bin.size().sum()),
            records=decoded.records,
            unused=decoded.unused,
            filtered=decoded.filtered,
            intermediate=decoded.intermediate,
        )
        self.counted.update({f"refused.{reason}": count for reason, count in decoded.refused.items()})
        for reason, count in decoded.malformed["reason"].value_counts().iter_rows():
            self.counted[f"malformed.{reason}"] += count
        if decoded.points.height:
            newest = int(decoded.points["time"].max())  # type: ignore[arg-type]
            self.max_time_ms = max(newest, self.max_time_ms if self.max_time_ms is not None else newest)

    def counts(self) -> Counts:
        """All counts; ``maxTime`` is none that adds up."""
        return {**self.counted} if self.max_time_ms is None else {**self.counted, "maxTime": self.max_time_ms}
