"""Messages that cannot be read, on their way from the source to the dead-letter topic."""

from dataclasses import dataclass

import polars as pl

from streamjob_runtime.kafka_messages import Messages
from streamjob_runtime.letters import DEAD_LETTERS
from streamjob_runtime.offsets import OffsetRange

# What one partition's part of a micro-batch hands on in full. A flood of large messages that nobody can read must not
# take the driver's memory: of what comes beyond, the beginning is kept.
WHOLE_BYTES = 16 * 2**20
BEGINNING_BYTES = 256


@dataclass
class Unreadable:
    """The dead letters of one partition's part of a micro-batch."""

    source: OffsetRange
    whole_bytes_left: int = WHOLE_BYTES

    def rows(self, messages: Messages, malformed: pl.DataFrame) -> pl.DataFrame:
        """The unreadable messages of a chunk as DEAD_LETTERS."""
        culprits = malformed["message"]
        values, count = messages.values.gather(culprits), len(culprits)
        columns = {
            "topic": [self.source.topic] * count,
            "partition": [self.source.partition] * count,
            "offset": messages.offsets[culprits.to_numpy()],
            "reason": malformed["reason"],
            "detail": malformed["detail"],
            "key": [self._kept(key) for key in messages.keys.gather(culprits)],
            "value": [self._kept(value) for value in values],
            "size": values.bin.size().fill_null(0),
            "stage": None,
        }
        return pl.DataFrame(columns, schema=DEAD_LETTERS)

    def _kept(self, content: bytes | None) -> bytes | None:
        if content is None:
            return None
        self.whole_bytes_left -= len(content)
        return content if self.whole_bytes_left >= 0 else content[:BEGINNING_BYTES]
