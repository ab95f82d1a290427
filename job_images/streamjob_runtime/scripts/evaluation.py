"""A script at work, in its own process: by columns (mode batch) or by assets (mode record)."""

import json
import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import polars as pl

from streamjob_runtime.scripts.causes import FILE, Refused, cause_of
from streamjob_runtime.scripts.given import MAX_STATE, Given, as_json

_INT64 = 1 << 63
# What a record that a script gives by columns may have.
_GIVEN = {"asset", "point", "time", "value", "text", "quality"}


class Script:
    """A script that was run once and may be asked.

    Attributes:
        fault: why it cannot be; None: it can.
    """

    def __init__(self, told: Mapping[str, Any]) -> None:
        """Run what is outside of its functions."""
        self._outputs: list[str] = told["outputs"]
        self._max_memory: int = told["maxMemory"]
        self._is_batch = told["mode"] == "batch"
        self._evaluate: Callable[..., Any] | None = None
        self.fault: str | None = None
        names: dict[str, Any] = {"__name__": "script"}
        try:
            exec(compile(told["script"], FILE, "exec"), names)  # noqa: S102 (what this process is for)
            self._evaluate = names["evaluate"]
        except BaseException as error:  # noqa: BLE001 (whatever a script raises, its process goes on)
            self.fault = cause_of(error, self._max_memory)

    def answer(self, number: int, head: Mapping[str, Any], parts: Mapping[str, memoryview]) -> tuple[str | None, bytes]:
        """Return why a call failed as a whole, or its answer."""
        if self._evaluate is None:
            return self.fault, b""
        try:
            records = pl.read_ipc_stream(BytesIO(parts["records"]))
            work = self._by_columns if self._is_batch else self._by_assets
            return None, work(records, head, parts).message(number)
        except BaseException as error:  # noqa: BLE001
            return cause_of(error, self._max_memory), b""

    def _by_columns(self, records: pl.DataFrame, head: Mapping[str, Any], _: Mapping[str, memoryview]) -> Given:
        assert self._evaluate is not None  # noqa: S101
        made = self._evaluate(records)
        if not isinstance(made, pl.DataFrame):
            raise Refused("gave no DataFrame")
        return _taken(made, head["assets"], self._outputs)

    def _by_assets(self, records: pl.DataFrame, head: Mapping[str, Any], parts: Mapping[str, memoryview]) -> Given:
        assert self._evaluate is not None  # noqa: S101
        given = Given()
        error = _Error(given)
        states = bytes(parts["states"]).decode().split("\n")
        rows = _rows(records)
        begin = 0
        for asset, length in enumerate(head["lengths"]):
            own = rows[begin : begin + length]
            error.begin(own, begin)
            begin += length
            before = states[asset]
            output = _Output(self._outputs)
            try:
                state = json.loads(before) if before else {}
                self._evaluate(own, state, output, error)
                after = _state(state)
            except MemoryError:
                raise
            except BaseException as raised:  # noqa: BLE001
                error.undo()
                given.failed.append(asset)
                given.failed_cause.append(given.cause(cause_of(raised, self._max_memory)))
                continue
            output.end(given, asset)
            if after != before:
                given.state_of.append(asset)
                given.state.append(after)
        return given


def _state(state: object) -> str:
    """Return a state as JSON; an empty one is none."""
    if not state:
        return ""
    told = as_json(state, "a state")
    if len(told) > MAX_STATE:
        raise Refused(f"keeps a state of more than {MAX_STATE} characters as JSON")
    return told


def _rows(records: pl.DataFrame) -> list[dict[str, Any]]:
    """Return records as a script gets them, each as a mapping."""
    texts = records["text"]
    values = records["value"].to_list()
    if records["is_int"].any():
        values = [int(value) if is_int else value for value, is_int in zip(values, records["is_int"], strict=True)]
    if texts.null_count() < records.height:
        values = [
            value if text is None else json.loads(text) for value, text in zip(values, texts.to_list(), strict=True)
        ]
    points, assets = (records[name].cast(pl.String).to_list() for name in ("point", "asset"))
    times, qualities = records["time"].to_list(), records["quality"].to_list()
    rows = [
        {"asset": asset, "point": point, "time": time, "value": value, "quality": quality}
        for asset, point, time, value, quality in zip(assets, points, times, values, qualities, strict=True)
    ]
    others = [name for name in records.columns if name not in {*_GIVEN, "is_int"}]
    if others:
        for row, attr in zip(rows, records.select(others).to_dicts(), strict=True):
            row["attr"] = attr
    return rows


class _Output:
    """What ``output`` is to a script: the records that it gives of one asset."""

    def __init__(self, outputs: Sequence[str]) -> None:
        self._outputs = outputs
        self._written: list[tuple[int, float, int, int, int, str, str]] = []

    def write(
        self,
        time: int,
        value: float | str | bool | None,
        point: str | None = None,
        attr: Mapping[str, Any] | None = None,
        quality: int = 0,
    ) -> None:
        """Give a record."""
        told = "" if not attr else as_json(dict(attr), "an attr")
        number, is_int, text = _value(value)
        place = _place(self._outputs, point)
        self._written.append((_whole(time, "a time"), number, is_int, place, _whole(quality, "a quality"), text, told))

    def end(self, given: Given, asset: int) -> None:
        """Add what was written."""
        if not self._written:
            return
        times, values, are_int, points, qualities, texts, attrs = zip(*self._written, strict=True)
        given.asset.extend([asset] * len(times))
        given.time.extend(times)
        given.value.extend(values)
        given.is_int.extend(are_int)
        given.point.extend(points)
        given.quality.extend(qualities)
        given.text.extend(texts)
        given.attr.extend(attrs)


class _Error:
    """What ``error`` is to a script: the records that it rejects."""

    def __init__(self, given: Given) -> None:
        self._given = given

    def begin(self, rows: Sequence[dict[str, Any]], begin: int) -> None:
        """Go on to the records of the next asset."""
        self._rows, self._begin = rows, begin
        self._before = len(self._given.rejected)
        self._left: dict[int, int] | None = None

    def write(self, record: dict[str, Any], cause: object = "the script rejects it") -> None:
        """Reject a record, with a cause; of several causes, the first one is told."""
        if self._left is None:
            self._left = {id(row): self._begin + place for place, row in enumerate(self._rows)}
            self._all = {*self._left}
        if id(record) not in self._all:
            raise Refused("rejects a record that is none of those that it got")
        row = self._left.pop(id(record), None)
        if row is not None:
            self._given.rejected.append(row)
            self._given.rejected_cause.append(self._given.cause(cause))

    def undo(self) -> None:
        """Take back what was rejected of this asset."""
        del self._given.rejected[self._before :]
        del self._given.rejected_cause[self._before :]


def _value(value: object) -> tuple[float, int, str]:
    """Return a value as a number (NaN: none), whether it is whole, and JSON of what is no number."""
    if value is None:
        return math.nan, 0, ""
    if isinstance(value, bool | str):
        return math.nan, 0, json.dumps(value)
    if isinstance(value, np.generic):
        return _value(value.item())
    if not isinstance(value, int | float):
        raise Refused(f"gave a value that is a {type(value).__name__[:40]}, no number, text or truth value")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    return number, int(isinstance(value, int)), ""


def _whole(number: object, what: str) -> int:
    if isinstance(number, np.integer):
        number = int(number)
    if not isinstance(number, int) or isinstance(number, bool) or not -_INT64 <= number < _INT64:
        raise Refused(f"gave {what} that is no whole number")
    return number


def _place(outputs: Sequence[str], point: object) -> int:
    if point is None:
        if len(outputs) > 1:
            raise Refused("gave a record without its point, of which there are several")
        return 0
    if point not in outputs:
        raise Refused("gave a record of a point that is not among the outputs")
    return outputs.index(str(point))


def _taken(made: pl.DataFrame, assets: Sequence[str], outputs: Sequence[str]) -> Given:
    """Return a frame that a script made as columns.

    Raises:
        Refused: it has another form.
    """
    _check_columns(made, outputs)
    rows = made.height
    given = Given()
    given.asset = _places(made["asset"], assets, "an asset that is not among those that it got", "I")
    if "point" in made.columns:
        given.point = _places(made["point"], outputs, "a point that is not among the outputs", "H")
    else:
        given.point = array("H", bytes(2 * rows))
    given.time = _longs(made["time"])
    given.quality = _longs(made["quality"].fill_null(0)) if "quality" in made.columns else array("q", bytes(8 * rows))
    number = made["value"] if "value" in made.columns else pl.repeat(None, rows, dtype=pl.Float64, eager=True)
    given.value = array("d", number.cast(pl.Float64).fill_null(math.nan).to_numpy().tobytes())
    given.is_int = array("B", bytes([number.dtype.is_integer()]) * rows)
    given.text = list(_texts(made["text"])) if "text" in made.columns else [""] * rows
    given.attr = [""] * rows
    return given


def _check_columns(made: pl.DataFrame, outputs: Sequence[str]) -> None:
    if strange := sorted({*made.columns} - _GIVEN):
        raise Refused(f"gave a column '{strange[0]}'; those of a result are {', '.join(sorted(_GIVEN))}")
    needed = {"asset", "time"} | ({"point"} if len(outputs) > 1 else set())
    if missing := sorted(needed - {*made.columns}):
        raise Refused(f"gave no column '{missing[0]}'")
    if not {"value", "text"} & {*made.columns}:
        raise Refused("gave neither a column 'value' nor 'text'")
    wrong = next((name for name in ("time", "quality") if name in made.columns and not _is_whole(made[name])), None)
    if wrong is not None or made["time"].null_count():
        raise Refused(f"gave a {wrong or 'time'} that is no whole number")
    if "value" in made.columns and not (made["value"].dtype.is_numeric() or made["value"].dtype == pl.Null):
        raise Refused("gave a column 'value' that is not of numbers")


def _is_whole(column: pl.Series) -> bool:
    return column.dtype.is_integer() or column.dtype == pl.Null


def _places(column: pl.Series, names: Sequence[str], what: str, code: str) -> Any:
    try:
        numbers = column.cast(pl.String).replace_strict(
            pl.Series(names, dtype=pl.String), pl.int_range(len(names), eager=True), return_dtype=pl.UInt32
        )
    except pl.exceptions.PolarsError as error:
        raise Refused(f"gave a record of {what}") from error
    if numbers.null_count():
        raise Refused(f"gave a record of {what}")
    return array(code, numbers.to_numpy().astype(code).tobytes())


def _longs(column: pl.Series) -> Any:
    return array("q", column.cast(pl.Int64).to_numpy().tobytes())


def _texts(column: pl.Series) -> Iterator[str]:
    if column.dtype not in {pl.String, pl.Boolean, pl.Null} and column.dtype not in {pl.Categorical, pl.Enum}:
        raise Refused("gave a column 'text' that is neither of texts nor of truth values")
    for text in column.cast(pl.String) if column.dtype != pl.Boolean else column:
        yield "" if text is None else json.dumps(text)
