"""What records are, beside their numbers: kinds of values, and texts by number.

A value of any kind is a number of f64 beside its kind: a truth value is 0 or 1, a text its number in ``Texts``. So a
job whose points are all numbers pays nothing for those that are not. Texts are numbered anew in each fold; blocks hold
them as JSON, in a column of their own.
"""

import json
from collections.abc import Sequence
from enum import IntEnum
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streamjob_runtime.expressions import TEXT
from streamjob_runtime.templates.arrays import Floats


class ValueKind(IntEnum):
    """What kind of value a record has."""

    DOUBLE = 0
    INT = 1
    TRUTH = 2
    TEXT = 3


Kinds = NDArray[np.uint8]
_TRUTH = {"false": 0.0, "true": 1.0}


class Texts:
    """The texts of one fold."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def values(self, columns: pl.DataFrame) -> tuple[Floats, Kinds]:
        """Return the values and kinds of records.

        Args:
            columns: ``value f64, is_int bool`` and, where there may be texts, ``text str``: JSON of a text or truth
                value, null of a number.
        """
        value, is_int = columns["value"].to_numpy(), columns["is_int"].to_numpy()
        if "text" not in columns.columns or columns["text"].null_count() == columns.height:
            return value, is_int.astype(np.uint8)
        text = columns["text"]
        rows = text.is_not_null().to_numpy()
        distinct = text.drop_nulls().unique(maintain_order=True)
        numbers, kinds = zip(*(self._number(written) for written in distinct.to_list()), strict=True)
        codes = text.drop_nulls().replace_strict(distinct, pl.Series(range(len(distinct))), return_dtype=pl.Int64)
        value, kind = value.copy(), is_int.astype(np.uint8)
        value[rows] = np.array(numbers, np.float64)[codes.to_numpy()]
        kind[rows] = np.array(kinds, np.uint8)[codes.to_numpy()]
        return value, kind

    def columns(self, value: Floats, kind: Kinds) -> dict[str, object]:
        """Return values and kinds as ``values`` reads them, with ``text`` where there are any."""
        plain: dict[str, object] = {"value": value, "is_int": kind == ValueKind.INT}
        if not (is_other := kind > ValueKind.INT).any():
            return plain
        known = [*self._numbers, "false", "true"]
        place = np.where(kind == ValueKind.TEXT, value, value + len(self._numbers))[is_other].astype(np.intp)
        text = np.full(len(value), None, object)
        text[is_other] = np.array(known, object)[place]
        return plain | {"text": text.tolist(), "value": np.where(is_other, np.nan, value)}

    def texts(self, value: Floats, kind: Kinds) -> NDArray[np.generic]:
        """Return the texts that some values are, empty ones for those that are none."""
        return self._decoded[np.where(kind == ValueKind.TEXT, value, -1.0).astype(np.intp)]

    def _number(self, written: str) -> tuple[float, ValueKind]:
        if written in _TRUTH:
            return _TRUTH[written], ValueKind.TRUTH
        return float(self._numbers.setdefault(written, len(self._numbers))), ValueKind.TEXT

    @cached_property
    def _decoded(self) -> NDArray[np.generic]:
        """The texts by number, and an empty one behind them."""
        return np.array([*map(json.loads, self._numbers), ""], TEXT)


def written(texts: Sequence[str]) -> pl.Series:
    """Return texts as JSON."""
    frame = pl.DataFrame({"x": pl.Series(texts, dtype=pl.String)})
    # {"x":"..."} without the braces and the name.
    return frame.select(pl.struct("x").struct.json_encode().str.slice(5).str.strip_suffix("}")).to_series()
