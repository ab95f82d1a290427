"""The groups of an expression in a column of texts."""

import ctypes
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from streamjob_runtime.native import library
from streamjob_runtime.one_pass import Machine, machine_of

_VIEW_BYTES = 16


def extract_groups(texts: pl.Series, pattern: str) -> pl.DataFrame:
    """Return the named groups of an expression, each of which takes part in every match.

    Args:
        texts: strings without null.
        pattern: matches a whole text: ``^...$``.

    Returns:
        A column a group, null where the text does not match.
    """
    machine = machine_of(pattern)
    if machine is None or _match() is None:
        return texts.str.extract_groups(pattern).struct.unnest()
    return _run(machine, texts)


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


def _run(machine: Machine, texts: pl.Series) -> pl.DataFrame:
    import pyarrow as pa  # noqa: PLC0415 (a preview from a plain package has neither pyarrow nor the library)

    views = texts.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    _, places, *buffers = (buffer.address if buffer else 0 for buffer in views.buffers())
    count, room = len(texts), int(texts.str.len_bytes().sum())
    matched = np.empty(count, np.uint8)
    ends = [np.empty(count + 1, np.int64) for _ in machine.groups]
    # Room for all texts, of which only what is written is ever backed by memory.
    found = [np.empty(room, np.uint8) for _ in machine.groups]
    _match()(
        ctypes.byref(_native(machine)),
        count,
        places + _VIEW_BYTES * views.offset,
        _addresses(buffers),
        matched.ctypes.data,
        _addresses([column.ctypes.data for column in ends]),
        _addresses([column.ctypes.data for column in found]),
    )
    is_matched = None if matched.all() else pa.array(matched.view(bool)).buffers()[1]
    columns = {
        name: pa.LargeStringArray.from_buffers(
            count, pa.py_buffer(ends[group].data), pa.py_buffer(found[group].data), is_matched
        )
        for group, name in enumerate(machine.groups)
    }
    return pl.DataFrame({name: pl.from_arrow(column) for name, column in columns.items()})


def _addresses(addresses: list[int]) -> Any:
    return (ctypes.c_void_p * max(1, len(addresses)))(*addresses)


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
    function.argtypes = (ctypes.POINTER(_Machine), ctypes.c_int64, pointer, pointers, pointer, pointers, pointers)
    function.restype = None
    return function
