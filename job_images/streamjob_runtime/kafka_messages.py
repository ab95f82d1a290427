"""Messages of one partition as columns, taken from librdkafka by the library of C."""

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from streamjob_runtime.librdkafka import AssignedConsumer, Message, call
from streamjob_runtime.native import required_library


@dataclass(frozen=True)
class Messages:
    """Messages in the order of their offsets.

    Attributes:
        values: ``binary``; null is a tombstone.
        keys: ``binary``; null: the message has none.
        offsets: int64.
        value_bytes: of all values.
    """

    values: pl.Series
    keys: pl.Series
    offsets: NDArray[np.int64]
    value_bytes: int

    def __len__(self) -> int:
        return len(self.offsets)


@dataclass(frozen=True)
class Event:
    """What was polled and is no message.

    Attributes:
        code: of ``confluent_kafka.KafkaError``.
        offset: where it happened; negative: nowhere.
    """

    code: int
    offset: int


@dataclass(frozen=True)
class Polled:
    """What a poll has brought before an offset, and what else it has brought; the pointers are librdkafka's.

    Attributes:
        next: the offset after the last message, which may lie beyond those that were asked for; 0 without one.
        events: what is no message.
        messages: what lies before the offset.
    """

    next: int
    events: list[Event]
    messages: Messages


class _Sums(ctypes.Structure):
    """``struct sums`` of job_images/native/kafka_messages.c."""

    _fields_ = tuple((name, ctypes.c_int64) for name in ("events", "next", "messages", "value_bytes", "key_bytes"))


class _Column(ctypes.Structure):
    """``struct column`` of job_images/native/kafka_messages.c."""

    _fields_ = (
        ("bytes", ctypes.c_void_p),
        ("valid", ctypes.c_void_p),
        ("ends", ctypes.c_void_p),
        ("nulls", ctypes.c_int64),
    )


def poll(consumer: AssignedConsumer, most: int, seconds: float, end: int) -> Polled:
    """Wait for so many messages or seconds; messages from offset ``end`` on are left out.

    Raises:
        RuntimeError: the library of C is missing.
        KafkaException: librdkafka fails.
    """
    native, destroy = _native(), call("message_destroy")
    pointers = consumer.consume(most, seconds)
    try:
        return taken(pointers, end, destroy)
    finally:
        native.streamjob_destroy_messages(pointers.ctypes.data, len(pointers), destroy)


def taken(pointers: NDArray[np.uintp], end: int, destroy: Callable[[int], None]) -> Polled:
    """Take messages of librdkafka and destroy them by a function of C; 0 takes the place of each."""
    native, sums, given = _native(), _Sums(), (pointers.ctypes.data, len(pointers), end)
    native.streamjob_sum_messages(*given, ctypes.byref(sums))
    events = list(_events(pointers)) if sums.events else []
    values, keys = _Arena(sums.messages, sums.value_bytes), _Arena(sums.messages, sums.key_bytes)
    offsets = np.empty(sums.messages, np.int64)
    columns = ctypes.byref(values.column), ctypes.byref(keys.column), offsets.ctypes.data
    native.streamjob_take_messages(*given, *columns, destroy)
    return Polled(sums.next, events, Messages(values.series(), keys.series(), offsets, sums.value_bytes))


class _Arena:
    """Memory of a column, which lives as long as the series that is made of it."""

    def __init__(self, rows: int, room: int) -> None:
        self._bytes, self._valid = np.empty(room, np.uint8), np.zeros(-(-rows // 8), np.uint8)
        self._ends = np.empty(rows + 1, np.int64)
        self._ends[0] = 0
        self.column = _Column(self._bytes.ctypes.data, self._valid.ctypes.data, self._ends.ctypes.data)

    def series(self) -> pl.Series:
        valid = pa.py_buffer(self._valid.data) if self.column.nulls else None
        buffers = [valid, pa.py_buffer(self._ends.data), pa.py_buffer(self._bytes.data)]
        column = pa.Array.from_buffers(pa.large_binary(), len(self._ends) - 1, buffers, self.column.nulls)
        return pl.Series(pl.from_arrow(column))


def _events(pointers: NDArray[np.uintp]) -> Iterator[Event]:
    for pointer in pointers.tolist():
        message = Message.from_address(pointer)
        if message.error:
            yield Event(message.error, message.offset)


@cache
def _native() -> ctypes.CDLL:
    loaded = required_library()
    pointer, count, column = ctypes.c_void_p, ctypes.c_int64, ctypes.POINTER(_Column)
    loaded.streamjob_sum_messages.argtypes = (pointer, count, count, ctypes.POINTER(_Sums))
    loaded.streamjob_take_messages.argtypes = (pointer, count, count, column, column, pointer, pointer)
    loaded.streamjob_destroy_messages.argtypes = (pointer, count, pointer)
    return loaded
