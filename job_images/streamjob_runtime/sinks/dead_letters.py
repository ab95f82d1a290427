"""Unreadable messages, kept with where they came from and what is wrong with them."""

from collections.abc import Iterator, Sequence

import polars as pl

from streamjob_runtime.kafka_results import Headers, Outgoing
from streamjob_runtime.sinks.kafka import KafkaSink

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
        """Send rows of ``letters.DEAD_LETTERS``; one that is too large is sent again, cut short and marked so."""
        if not letters:
            return
        too_large = self._sink.write(self._topic, lambda: self._messages(letters))
        if too_large:
            self._sink.write(self._topic, lambda: map(_shortened, too_large))

    def _messages(self, letters: Sequence[pl.DataFrame]) -> Iterator[Outgoing]:
        for frame in letters:
            columns = frame.with_columns(
                sent_now=pl.lit(0, dtype=pl.Int64),
                cut=pl.when(pl.col("value").bin.size().fill_null(0) < pl.col("size")).then("size").cast(pl.String),
                partition=pl.col("partition").cast(pl.String),
                offset=pl.col("offset").cast(pl.String),
            )
            headers: Headers = [
                ("job", self._job_name.encode()),
                ("reason", columns["reason"]),
                ("source-topic", columns["topic"]),
                ("source-partition", columns["partition"]),
                ("source-offset", columns["offset"]),
                ("detail", columns["detail"]),
                (CUT_HEADER, columns["cut"]),
                ("stage", columns["stage"]),
            ]
            yield Outgoing(columns["key"], columns["value"], columns["sent_now"], headers)


def _shortened(letter: Outgoing) -> Outgoing:
    size = letter.values.bin.size().cast(pl.String)
    headers = [(name, size if name == CUT_HEADER else value) for name, value in letter.headers]
    return Outgoing(_beginning(letter.keys), _beginning(letter.values), letter.times_ms, headers)


def _beginning(content: pl.Series) -> pl.Series:
    return pl.Series([whole and whole[:KEPT_BYTES] for whole in content], dtype=pl.Binary)
