"""Columns as messages to send, handed to librdkafka by the library of C."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from streamjob_runtime.librdkafka import call
from streamjob_runtime.librdkafka_producer import Producer
from streamjob_runtime.native import required_library

# rd_kafka_vtype_t
_TOPIC, _VALUE, _KEY, _OPAQUE, _FLAGS, _TIMESTAMP, _HEADER = 1, 4, 5, 6, 7, 8, 9
_COPY = 2  # RD_KAFKA_MSG_F_COPY

# A column has a message's own value; null: it goes without.
Headers = Sequence[tuple[str, bytes | pl.Series]]


@dataclass(frozen=True, eq=False)
class Outgoing:
    """Messages to send, in this order.

    Attributes:
        keys: ``str`` or ``binary``; null: the message has none.
        values: ``str`` or ``binary``; null is a tombstone.
        times_ms: ``i64`` without nulls (epoch ms); 0 is the time of sending.
        headers: with a value for all of them; then those with a column, ``str`` or ``binary``.
    """

    keys: pl.Series
    values: pl.Series
    times_ms: pl.Series
    headers: Headers = ()

    def __len__(self) -> int:
        return len(self.values)

    def slice(self, begin: int, most: int) -> "Outgoing":
        """So many rows of it from this one on, less at its end."""
        keys, values, times_ms = (column.slice(begin, most) for column in (self.keys, self.values, self.times_ms))
        headers = [
            (name, value.slice(begin, most) if isinstance(value, pl.Series) else value) for name, value in self.headers
        ]
        return Outgoing(keys, values, times_ms, headers)

    def sent_now(self, rows: Sequence[int]) -> "Outgoing":
        """The same, with the time of sending for these rows."""
        return replace(self, times_ms=self.times_ms.clone().scatter(rows, 0)) if rows else self


class Stopped(NamedTuple):
    """The row that librdkafka has not taken, and why: the code of a ``KafkaError``; 0 after the last row."""

    row: int
    code: int


class Rows:
    """Messages for one topic as C reads them."""

    def __init__(self, topic: str, messages: Outgoing) -> None:
        """Copy keys and values where they are not in Arrow's large form.

        Raises:
            RuntimeError: the library of C is missing.
        """
        self._native = _native()
        shared = [(name.encode(), value) for name, value in messages.headers if isinstance(value, bytes)]
        own = {name.encode(): value for name, value in messages.headers if isinstance(value, pl.Series)}
        self._arrays = [_large(column) for column in (messages.values, messages.keys, *own.values())]
        self._columns = (_Column * len(self._arrays))(*map(_column, self._arrays))
        self._times = np.ascontiguousarray(messages.times_ms.to_numpy(), np.int64)
        self._texts = topic.encode(), shared
        self._arguments, self._shared = _arguments(*self._texts, len(own))
        self._names = (ctypes.c_char_p * len(own))(*own)

    def send(self, producer: Producer, begin: int, first: int) -> Stopped:
        """Hand over the rows from one on, until all are taken or one is not; row 0 has the number ``first``."""
        code = ctypes.c_int32()
        row = self._native.streamjob_produce_rows(
            producer.handle, _functions(), self._arguments, self._shared, self._names, len(self._names), self._columns,
            self._times.ctypes.data, begin, len(self._times), first, ctypes.byref(code),
        )  # fmt: skip
        return Stopped(row, code.value)


class _Column(ctypes.Structure):
    """``struct column`` of job_images/native/kafka_results.c."""

    _fields_ = (
        ("bytes", ctypes.c_void_p),
        ("valid", ctypes.c_void_p),
        ("ends", ctypes.c_void_p),
        ("skipped", ctypes.c_int64),
    )


def _large(column: pl.Series) -> Any:
    return column.cast(pl.Binary).rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())


def _column(array: Any) -> _Column:
    """It points into the array."""
    valid, ends, content = (buffer.address if buffer else None for buffer in array.buffers())
    return _Column(content, valid, ends, array.offset)


class _Content(ctypes.Structure):
    _fields_ = (("pointer", ctypes.c_void_p), ("bytes", ctypes.c_size_t))


class _Header(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("value", ctypes.c_char_p), ("bytes", ctypes.c_ssize_t))


class _Is(ctypes.Union):
    _fields_ = (
        ("text", ctypes.c_char_p),
        ("flags", ctypes.c_int),
        ("number", ctypes.c_int64),
        ("content", _Content),
        ("header", _Header),
        ("room", ctypes.c_char * 64),
    )


class _Argument(ctypes.Structure):
    """``rd_kafka_vu_t``, ``struct argument`` of job_images/native/kafka_results.c."""

    _fields_ = (("kind", ctypes.c_int), ("is_", _Is))


def _arguments(topic: bytes, headers: list[tuple[bytes, bytes]], own: int) -> "tuple[ctypes.Array[_Argument], int]":
    """Those of every message, with room for what differs, and how many; then room for so many headers of its own."""
    differing = [_Argument(kind) for kind in (_VALUE, _KEY, _TIMESTAMP, _OPAQUE)]
    same = [_Argument(_TOPIC, _Is(text=topic)), _Argument(_FLAGS, _Is(flags=_COPY))]
    named = [_Argument(_HEADER, _Is(header=_Header(name, value, len(value)))) for name, value in headers]
    shared = [*differing, *same, *named]
    arguments = [*shared, *(_Argument(_HEADER) for _ in range(own))]
    return (_Argument * len(arguments))(*arguments), len(shared)


class _Functions(ctypes.Structure):
    """``struct librdkafka`` of job_images/native/kafka_results.c."""

    _fields_ = (("produce", ctypes.c_void_p), ("code", ctypes.c_void_p), ("destroy", ctypes.c_void_p))


@cache
def _functions() -> Any:
    addresses = (ctypes.cast(call(name), ctypes.c_void_p) for name in ("produceva", "error_code", "error_destroy"))  # type: ignore[arg-type]
    return ctypes.byref(_Functions(*(address.value for address in addresses)))


@cache
def _native() -> ctypes.CDLL:
    loaded = required_library()
    pointer, count, names = ctypes.c_void_p, ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p)
    loaded.streamjob_produce_rows.argtypes = (
        pointer, ctypes.POINTER(_Functions), ctypes.POINTER(_Argument), count, names, count, ctypes.POINTER(_Column),
        pointer, count, count, count, ctypes.POINTER(ctypes.c_int32),
    )  # fmt: skip
    loaded.streamjob_produce_rows.restype = count
    return loaded
