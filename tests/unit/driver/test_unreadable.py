"""Dead letters between source and sink."""

from typing import Any, cast

import polars as pl

from streamjob_runtime.consumers import OffsetRange
from streamjob_runtime.sinks.dead_letters import DeadLetters
from streamjob_runtime.sinks.kafka import KafkaSink, Outgoing
from streamjob_runtime.unreadable import BEGINNING_BYTES, WHOLE_BYTES, Unreadable


class FakeMessage:
    """A message as a consumer gives it: librdkafka's own cannot be made by hand."""

    def __init__(self, offset: int, value: bytes | None) -> None:
        self._offset, self._value = offset, value

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes | None:
        return b"k"

    def value(self) -> bytes | None:
        return self._value


class SizeLimitedTopic:
    """A sink that refuses large messages, as a broker does: the answer of a real one is in the Spark suite."""

    def __init__(self, limit: int) -> None:
        self.limit, self.sent = limit, list[Outgoing]()

    def write(self, _: str, messages: Any) -> list[Outgoing]:
        offered = list(messages())
        self.sent += [message for message in offered if len(message.value or b"") <= self.limit]
        return [message for message in offered if len(message.value or b"") > self.limit]


def letters(*values: bytes | None) -> pl.DataFrame:
    messages = cast("Any", [FakeMessage(offset, value) for offset, value in enumerate(values)])
    malformed = pl.DataFrame(
        {"message": range(len(values)), "reason": ["InvalidJson"] * len(values), "detail": ["at 0"] * len(values)}
    )
    return Unreadable(OffsetRange("t", 3, 0, 100)).rows(messages, malformed)


def test_what_was_read_is_kept_byte_by_byte() -> None:
    rows = letters(b"\xff\x00", None, b"")
    assert rows["value"].to_list() == [b"\xff\x00", None, b""]
    assert rows["offset"].to_list() == [0, 1, 2]
    assert rows["size"].to_list() == [2, 0, 0]


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
    assert dict(small.headers).get("cut-from-bytes") is None
    assert dict(cut.headers)["cut-from-bytes"] == b"200000"
    assert cut.value == b"y" * 65_536
    assert dict(cut.headers)["source-offset"] == b"1"
