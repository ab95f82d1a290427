"""The groups of an expression in a column of texts; numbers among them are read on the way."""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streamjob_runtime.mapped_times import WHOLE
from streamjob_runtime.native import library
from streamjob_runtime.one_pass import Machine, machine_of
from streamjob_runtime.unlisted_points import NUMBER

_VIEW_BYTES = 16
_MAX_ROOM = 2**31 - 1  # a view's offset has 31 bits


class Kind(IntEnum):
    """What a group becomes; numbered as in job_images/native/one_pass.c."""

    TEXT = 0
    WHOLE = 1
    NUMBER = 2


def extract_groups(texts: pl.Series, pattern: str) -> pl.DataFrame:
    """Return the named groups of an expression, each of which takes part in every match.

    Args:
        texts: strings without null.
        pattern: matches a whole text: ``^...$``.

    Returns:
        ``matched bool``, and a column a group, in which a text that does not match has anything. A group that is
        ``mapped_times.WHOLE`` is an i64; one that is ``unlisted_points.NUMBER`` an f64, infinite beyond its range, with
        a column ``is_int`` (see there) beside it; any other is a str.
    """
    machine = machine_of(pattern)
    room = int(texts.str.len_bytes().sum())
    if machine is None or _match() is None or room > _MAX_ROOM:
        return _by_polars(texts, pattern)
    return _run(machine, pattern, texts, room)


def is_int(group: str) -> str:
    """Name the column that says whether a group's number is written without fraction and exponent."""
    return f"{group}_is_int"


def numbers(group: str) -> tuple[pl.Expr, pl.Expr]:
    """Return the columns of a group of numbers as JSON writes them; null has no value."""
    written = pl.col(group)
    # One of too many digits for the cast is beyond a float.
    value = pl.when(written.is_not_null()).then(written.cast(pl.Float64, strict=False).fill_null(float("inf")))
    is_whole = written.is_not_null() & ~written.str.contains("[.eE]")
    return value.alias(group), is_whole.alias(is_int(group))


def _kind(pattern: str, group: str) -> Kind:
    inner = {Kind.WHOLE: WHOLE.pattern, Kind.NUMBER: NUMBER}
    return next((kind for kind, one in inner.items() if f"(?P<{group}>{one})" in pattern), Kind.TEXT)


def _by_polars(texts: pl.Series, pattern: str) -> pl.DataFrame:
    groups = texts.str.extract_groups(pattern).struct.unnest()
    columns = (column for group in groups.columns for column in _columns(group, _kind(pattern, group)))
    return groups.select(pl.first().is_not_null().alias("matched"), *columns)


def _columns(group: str, kind: Kind) -> Iterator[pl.Expr]:
    if kind is Kind.NUMBER:
        yield from numbers(group)
    else:
        yield pl.col(group).cast(pl.Int64) if kind is Kind.WHOLE else pl.col(group)


class _Machine(ctypes.Structure):
    """``struct machine`` of job_images/native/one_pass.c."""

    _fields_ = (
        ("steps", ctypes.c_void_p),
        ("states", ctypes.c_void_p),
        ("actions", ctypes.c_void_p),
        ("runs", ctypes.c_char_p),
        ("first", ctypes.c_uint32),
        ("groups", ctypes.c_uint32),
    )


class _Column(ctypes.Structure):
    """``struct column``, there."""

    _fields_ = (("kind", ctypes.c_int), ("values", ctypes.c_void_p), ("beside", ctypes.c_void_p))


def _run(machine: Machine, pattern: str, texts: pl.Series, room: int) -> pl.DataFrame:
    views = texts.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    _, places, *buffers = (buffer.address if buffer else 0 for buffer in views.buffers())
    matched = np.empty(len(texts), np.bool_)
    groups = {group: _Group.of(_kind(pattern, group), len(texts), room) for group in machine.groups}
    _match()(
        ctypes.byref(_native(machine)),
        len(texts),
        places + _VIEW_BYTES * views.offset,
        (ctypes.c_void_p * max(1, len(buffers)))(*buffers),
        matched.ctypes.data,
        (_Column * max(1, len(groups)))(*(group.column for group in groups.values())),
    )
    columns = (column for name, group in groups.items() for column in group.series(name))
    return pl.DataFrame([pl.Series("matched", matched), *columns])


@dataclass(frozen=True)
class _Group:
    """What a group becomes: views, i64 or f64; and beside them the bytes of texts, or whether numbers are whole."""

    kind: Kind
    values: NDArray[Any]
    beside: NDArray[Any]

    @classmethod
    def of(cls, kind: Kind, count: int, room: int) -> Self:
        """Make room, of which only what is written is ever backed by memory."""
        if kind is Kind.TEXT:
            return cls(kind, np.empty((count, _VIEW_BYTES), np.uint8), np.empty(room, np.uint8))
        if kind is Kind.WHOLE:
            return cls(kind, np.empty(count, np.int64), np.empty(0))
        return cls(kind, np.empty(count), np.empty(count, np.bool_))

    @property
    def column(self) -> _Column:
        return _Column(self.kind, self.values.ctypes.data, self.beside.ctypes.data)

    def series(self, name: str) -> Iterator[pl.Series]:
        if self.kind is not Kind.TEXT:
            yield pl.Series(name, self.values)
        else:
            import pyarrow as pa  # noqa: PLC0415 (a preview from a plain package has neither pyarrow nor the library)

            buffers = [None, pa.py_buffer(self.values.data), pa.py_buffer(self.beside.data)]
            texts = pa.Array.from_buffers(pa.string_view(), len(self.values), buffers)
            yield pl.Series(name, texts)
        if self.kind is Kind.NUMBER:
            yield pl.Series(is_int(name), self.beside)


def _native(machine: Machine) -> _Machine:
    return _Machine(
        machine.steps.ctypes.data,
        machine.states.ctypes.data,
        machine.actions.ctypes.data,
        machine.runs,
        machine.first,
        len(machine.groups),
    )


@cache
def _match() -> Any:
    """``streamjob_match`` of the library; None without it."""
    loaded = library()
    if loaded is None:
        return None
    function = loaded.streamjob_match
    pointer, pointers = ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)
    columns = ctypes.POINTER(_Column)
    function.argtypes = (ctypes.POINTER(_Machine), ctypes.c_int64, pointer, pointers, pointer, columns)
    function.restype = None
    return function
