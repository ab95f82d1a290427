"""Unreadable messages, kept with where they came from and what is wrong with them."""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from streamjob_runtime.sinks.kafka import Headers, KafkaSink, Outgoing

# A dead letter that the brokers find too large is kept up to here.
KEPT_BYTES = 65_536
CUT_HEADER = "cut-from-bytes"


class DeadLetters:
    """The dead-letter topic of one OU, written by one job."""

    def __init__(self, sink: KafkaSink, topic: str, job_name: str) -> None:
        self._sink = sink
        self._topic = topic
        self._job_name = job_name

    def write(self, letters: Sequence[pl.DataFrame]) -> None:
        """Send rows of ``unreadable.DEAD_LETTERS``; one that is too large is sent again, cut short and marked so."""
        if not letters:
            return
        too_large = self._sink.write(self._topic, lambda: self._messages(letters))
        if too_large:
            self._sink.write(self._topic, lambda: map(_shortened, too_large))

    def _messages(self, letters: Sequence[pl.DataFrame]) -> Iterator[Outgoing]:
        for frame in letters:
            for row in frame.iter_rows(named=True):
                yield Outgoing(row["key"], row["value"], self._headers(row))

    def _headers(self, row: dict[str, Any]) -> Headers:
        texts = {
            "job": self._job_name,
            "reason": row["reason"],
            "source-topic": row["topic"],
            "source-partition": row["partition"],
            "source-offset": row["offset"],
            "detail": row["detail"],
        }
        if len(row["value"] or b"") < row["size"]:
            texts[CUT_HEADER] = row["size"]
        return [(name, str(text).encode()) for name, text in texts.items()]


def _shortened(letter: Outgoing) -> Outgoing:
    key, value = letter.content
    cut = (CUT_HEADER, str(len(value)).encode())
    headers = [header for header in letter.headers if header[0] != CUT_HEADER]
    return Outgoing(key[:KEPT_BYTES], value[:KEPT_BYTES], [*headers, cut])
