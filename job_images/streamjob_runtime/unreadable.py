"""Messages that cannot be read, on their way from the source to the dead-letter topic."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from confluent_kafka import Message

from streamjob_runtime.consumers import OffsetRange

DEAD_LETTERS = pl.Schema(
    {
        "topic": pl.String,
        "partition": pl.Int32,
        "offset": pl.Int64,
        "reason": pl.String,
        "detail": pl.String,
        "key": pl.Binary,
        "value": pl.Binary,
        "size": pl.Int64,  # bytes of the message's value, of which ``value`` may be the beginning
    }
)
# What one partition's part of a micro-batch hands on in full. A flood of large messages that nobody can read must not
# take the driver's memory: of what comes beyond, the beginning is kept.
WHOLE_BYTES = 16 * 2**20
BEGINNING_BYTES = 256


@dataclass
class Unreadable:
    """The dead letters of one partition's part of a micro-batch."""

    source: OffsetRange
    whole_bytes_left: int = WHOLE_BYTES

    def rows(self, messages: Sequence[Message], malformed: pl.DataFrame) -> pl.DataFrame:
        """The unreadable messages of a chunk as DEAD_LETTERS."""
        culprits = [messages[index] for index in malformed["message"]]
        columns = {
            "topic": [self.source.topic] * len(culprits),
            "partition": [self.source.partition] * len(culprits),
            "offset": [message.offset() for message in culprits],
            "reason": malformed["reason"],
            "detail": malformed["detail"],
            "key": [self._kept(message.key()) for message in culprits],
            "value": [self._kept(message.value()) for message in culprits],
            "size": [len(message.value() or b"") for message in culprits],
        }
        return pl.DataFrame(columns, schema=DEAD_LETTERS)

    def _kept(self, content: str | bytes | None) -> bytes | None:
        if content is None or isinstance(content, str):
            return None if content is None else content.encode()
        self.whole_bytes_left -= len(content)
        return content if self.whole_bytes_left >= 0 else content[:BEGINNING_BYTES]
