"""Unreadable messages, kept with where they came from and what is wrong with them."""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from streamjob_runtime.sinks.kafka import Headers, KafkaSink, Outgoing

# A dead letter that the brokers find too large is kept up to here.
KEPT_BYTES = 65_536


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
        too_large = self._sink.write(self._topic, lambda: self._whole(letters))
        if too_large:
            shortest = min(len(message.value() or b"") for message in too_large)
            self._sink.write(self._topic, lambda: self._cut(letters, shortest))

    def _whole(self, letters: Sequence[pl.DataFrame]) -> Iterator[Outgoing]:
        for row in _rows(letters):
            yield Outgoing(row["key"], row["value"], self._headers(row))

    def _cut(self, letters: Sequence[pl.DataFrame], shortest: int) -> Iterator[Outgoing]:
        """The letters of ``shortest`` bytes and more, cut."""
        for row in _rows(letters):
            value = row["value"] or b""
            if len(value) >= shortest:
                cut = {**row, "value": value[:KEPT_BYTES]}
                yield Outgoing((row["key"] or b"")[:KEPT_BYTES], cut["value"], self._headers(cut))

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
            texts["cut-from-bytes"] = row["size"]
        return [(name, str(text).encode()) for name, text in texts.items()]


def _rows(letters: Sequence[pl.DataFrame]) -> Iterator[dict[str, Any]]:
    for frame in letters:
        yield from frame.iter_rows(named=True)
