"""Dead letters between source and sink."""

from typing import Any, cast

import numpy as np
import polars as pl

from streamjob_runtime.kafka_messages import Messages
from streamjob_runtime.kafka_results import Outgoing
from streamjob_runtime.offsets import OffsetRange
from streamjob_runtime.sinks.dead_letters import DeadLetters
from streamjob_runtime.sinks.kafka import KafkaSink
from streamjob_runtime.unreadable import BEGINNING_BYTES, WHOLE_BYTES, Unreadable


class SizeLimitedTopic:
    """A sink that refuses large messages, as a broker does: the answer of a real one is in the Spark suite."""

    def __init__(self, limit: int) -> None:
        self.limit, self.sent = limit, list[Outgoing]()

    def write(self, _: str, messages: Any) -> list[Outgoing]:
        offered = [part.slice(row, 1) for part in list[Outgoing](messages()) for row in range(len(part))]
        too_large = [message for message in offered if len(message.values[0] or b"") > self.limit]
        self.sent += [message for message in offered if message not in too_large]
        return too_large


def headers_of(message: Outgoing) -> dict[str, Any]:
    return {name: value[0] if isinstance(value, pl.Series) else value.decode() for name, value in message.headers}


def letters(*values: bytes | None) -> pl.DataFrame:
    malformed = pl.DataFrame(
        {"message": range(len(values)), "reason": ["InvalidJson"] * len(values), "detail": ["at 0"] * len(values)}
    )
    return rows_of(messages_of(*values), malformed)


def rows_of(messages: Messages, malformed: pl.DataFrame) -> pl.DataFrame:
    return Unreadable(OffsetRange("t", 3, 0, 100)).rows(messages, malformed)


def messages_of(*values: bytes | None) -> Messages:
    column = pl.Series(values, dtype=pl.Binary)
    keys = pl.Series([b"k%d" % number if number % 2 else None for number in range(len(values))], dtype=pl.Binary)
    return Messages(column, keys, np.arange(len(values)) * 10, sum(len(value or b"") for value in values))


def test_what_was_read_is_kept_byte_by_byte() -> None:
    rows = letters(b"\xff\x00", None, b"")
    assert rows["value"].to_list() == [b"\xff\x00", None, b""]
    assert rows["offset"].to_list() == [0, 10, 20]
    assert rows["key"].to_list() == [None, b"k1", None]
    assert rows["size"].to_list() == [2, 0, 0]


def test_only_what_cannot_be_read_becomes_a_letter() -> None:
    malformed = pl.DataFrame({"message": [1, 3], "reason": ["NotAnObject"] * 2, "detail": ["list"] * 2})
    rows = rows_of(messages_of(b"{}", b"[1]", b"{}", b"[]"), malformed)
    assert rows.select("offset", "key", "value").rows() == [(10, b"k1", b"[1]"), (30, b"k3", b"[]")]


def test_beyond_a_partitions_share_of_memory_only_beginnings_are_kept() -> None:
    large = b"x" * (WHOLE_BYTES // 4)
    rows = letters(*[large] * 10)
    lengths = rows["value"].bin.size().to_list()
    assert lengths[:3] == [len(large)] * 3
    assert lengths[4:] == [BEGINNING_BYTES] * 6
    assert rows["size"].to_list() == [len(large)] * 10


def test_a_letter_that_the_broker_finds_too_large_is_sent_cut_and_marked() -> None:
    topic = SizeLimitedTopic(limit=100_000)
    DeadLetters(cast("KafkaSink", topic), "dead", "ou/job").write([letters(b"small", b"y" * 200_000)])
    small, cut = topic.sent
    assert headers_of(small)["cut-from-bytes"] is None
    assert headers_of(cut) == {
        "job": "ou/job", "reason": "InvalidJson", "source-topic": "t", "source-partition": "3", "source-offset": "10",
        "detail": "at 0", "cut-from-bytes": "200000", "stage": None,
    }  # fmt: skip
    assert cut.values.to_list() == [b"y" * 65_536]
