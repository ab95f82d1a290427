"""Messages of librdkafka as columns."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from confluent_kafka import KafkaError
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamjob_runtime import kafka_messages, native
from streamjob_runtime.kafka_messages import Event, Polled, poll, taken
from streamjob_runtime.librdkafka import AssignedConsumer, Message
from streamjob_runtime.native import library

Destroy = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
CONTENT = st.none() | st.just(b"") | st.binary(max_size=30)
EOF = KafkaError._PARTITION_EOF


@pytest.fixture(scope="module", autouse=True)
def _library_is_built() -> None:
    assert library() is not None, "make setup builds it"


@dataclass(frozen=True)
class Sent:
    offset: int
    value: bytes | None = None
    key: bytes | None = None
    error: int = 0


class Batch:
    """Messages as librdkafka has them, and which of them were destroyed."""

    def __init__(self, sent: Sequence[Sent]) -> None:
        self._contents = [(_buffer(each.value), _buffer(each.key)) for each in sent]
        self._messages = [
            Message(
                error=each.error, offset=each.offset, value=_address(value), value_bytes=len(each.value or b""),
                key=_address(key), key_bytes=len(each.key or b""),
            )
            for each, (value, key) in zip(sent, self._contents, strict=True)
        ]  # fmt: skip
        self.addresses = [ctypes.addressof(message) for message in self._messages]
        self.pointers = np.array(self.addresses, np.uintp)
        self.destroyed: list[int] = []
        self.destroy = Destroy(self._destroy)

    def _destroy(self, address: int) -> None:
        """Spoil the content, too: a column must not rest on it."""
        number = self.addresses.index(address)
        self.destroyed.append(address)
        for content in self._contents[number]:
            if content is not None:
                ctypes.memset(content, 0xEE, ctypes.sizeof(content))

    def taken(self, end: int) -> Polled:
        return taken(self.pointers, end, self.destroy)


def _buffer(content: bytes | None) -> "ctypes.Array[ctypes.c_char] | None":
    return None if content is None else ctypes.create_string_buffer(content, len(content) + 1)


def _address(buffer: "ctypes.Array[ctypes.c_char] | None") -> int | None:
    return None if buffer is None else ctypes.addressof(buffer)


@st.composite
def polls(draw: st.DrawFn) -> list[Sent]:
    sent, offset = list[Sent](), draw(st.integers(0, 2**40))
    for _ in range(draw(st.integers(0, 20))):
        error = draw(st.sampled_from([0, 0, 0, 0, EOF, KafkaError._TRANSPORT]))
        sent.append(Sent(offset, draw(CONTENT), draw(CONTENT), error))
        offset += draw(st.integers(1, 3)) if not error else 0
    return sent


@given(polls(), st.integers(-3, 40))
def test_columns_hold_what_was_polled_before_the_end_and_all_is_destroyed_once(sent: list[Sent], ahead: int) -> None:
    end = (sent[0].offset if sent else 0) + ahead
    batch = Batch(sent)
    polled = batch.taken(end)
    kept = [each for each in sent if not each.error and each.offset < end]
    messages = polled.messages
    assert messages.values.to_list() == [each.value for each in kept]
    assert messages.keys.to_list() == [each.key for each in kept]
    assert messages.offsets.tolist() == [each.offset for each in kept]
    assert (len(messages), messages.value_bytes) == (len(kept), sum(len(each.value or b"") for each in kept))
    assert polled.events == [Event(each.error, each.offset) for each in sent if each.error]
    assert polled.next == max((each.offset + 1 for each in sent if not each.error), default=0)
    assert batch.destroyed == batch.addresses
    assert not batch.pointers.any()


class FakeConsumer(AssignedConsumer):
    """Polls one batch."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def consume(self, *_: float) -> NDArray[np.uintp]:
        return self.batch.pointers


def test_what_cannot_be_taken_is_destroyed_nevertheless(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = Batch([Sent(7, b"value", b"key"), Sent(8, b"value")])
    monkeypatch.setattr(kafka_messages, "call", lambda _: batch.destroy)
    monkeypatch.setattr(kafka_messages, "_Arena", no_memory)
    with pytest.raises(MemoryError):
        poll(FakeConsumer(batch), 10, 1.0, 100)
    assert batch.destroyed == batch.addresses


def no_memory(*_: int) -> None:
    raise MemoryError


def test_without_the_library_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "library", lambda: None)
    kafka_messages._native.cache_clear()
    try:
        with pytest.raises(RuntimeError, match=r"libstreamjob\.so is missing"):
            poll(FakeConsumer(Batch([])), 10, 1.0, 100)
    finally:
        kafka_messages._native.cache_clear()
