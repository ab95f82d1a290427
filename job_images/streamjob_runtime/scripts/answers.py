"""From the answer of a script's process to columns; whatever breaks a rule makes it a fault of the script."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from streamjob_runtime.event_times import LATEST_MS, SECONDS_BELOW_MS
from streamjob_runtime.scripts.causes import one_line
from streamjob_runtime.scripts.given import COLUMNS, MAX_CAUSES, MAX_STATE
from streamjob_runtime.scripts.process import Answer

_RECORD = ("asset", "time", "value", "is_int", "point", "quality")
# JSON of a text or a truth value; it goes into results as it is.
_TEXT = r'^(?:true|false|"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*")$'
_QUALITIES = (-(2**31), 2**31 - 1)


class BadAnswer(ValueError):  # noqa: N818 (what it is)
    """It has not the form of an answer; the message is the cause."""


@dataclass(frozen=True)
class Outcome:
    """What a script made of the records of one call.

    Attributes:
        given: ``asset, point (places), time, value, is_int, quality, text, attr``.
        rejected: ``row, cause``.
        failed: ``asset (place), cause``.
        states: ``asset (place), state``, of those that are others now; null: there is none any more.
    """

    given: pl.DataFrame
    rejected: pl.DataFrame
    failed: pl.DataFrame
    states: pl.DataFrame


def outcome(answer: Answer, rows: int, assets: int, outputs: int) -> Outcome:
    """Return what an answer without a fault says.

    Args:
        answer: it.
        rows: how many records the script got.
        assets: of how many assets they were.
        outputs: how many points it may give.

    Raises:
        BadAnswer: it breaks a rule.
    """
    try:
        columns = {name: _numbers(answer.parts[name], kind) for name, kind in COLUMNS.items()}
        causes = _causes(answer.head["causes"])
        count, states = columns["asset"].len(), columns["state_of"]
        texts, attrs = (_lines(answer.parts[name], count) for name in ("text", "attr"))
        state = _lines(answer.parts["state"], states.len())
        given = pl.DataFrame({name: columns[name] for name in _RECORD}).with_columns(text=texts, attr=attrs)
        return Outcome(
            _checked(given, assets, outputs),
            _told(columns["rejected"], columns["rejected_cause"], causes, "row", rows),
            _told(columns["failed"], columns["failed_cause"], causes, "asset", assets),
            _states(states, state, assets),
        )
    except (LookupError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        if isinstance(error, BadAnswer):
            raise
        raise BadAnswer("the script wrote into the pipe of its process") from error


def _numbers(part: memoryview, kind: str) -> pl.Series:
    return pl.Series(np.frombuffer(part, np.dtype(kind.lower())))


def _lines(part: memoryview, count: int) -> pl.Series:
    """Return lines of text, null where one is empty."""
    blob = bytes(part)
    if count == 0 and blob == b"":
        return pl.Series([], dtype=pl.String)
    if blob.count(b"\n") != count - 1:
        raise ValueError("not a line for each")
    if blob.count(b"\n") == len(blob):
        return pl.repeat(None, count, dtype=pl.String, eager=True)
    lines = pl.Series([blob.decode()]).str.split("\n").explode()
    return pl.select(pl.when(lines != "").then(lines)).to_series()


def _causes(told: Sequence[Any]) -> list[str]:
    if len(told) > MAX_CAUSES:
        raise ValueError("too many causes")
    return [one_line(cause) for cause in told]


def _told(places: pl.Series, numbers: pl.Series, causes: Sequence[str], name: str, most: int) -> pl.DataFrame:
    if places.len() != numbers.len() or not _is_below(places, most) or not _is_below(numbers, len(causes)):
        raise ValueError("no such place")
    texts = pl.Series(causes, dtype=pl.String).gather(numbers)
    return pl.DataFrame({name: places, "cause": texts}).unique(name, keep="first", maintain_order=True)


def _states(places: pl.Series, state: pl.Series, assets: int) -> pl.DataFrame:
    if not _is_below(places, assets) or not (state.str.len_bytes().fill_null(0) <= MAX_STATE).all():
        raise ValueError("no such state")
    return pl.DataFrame({"asset": places, "state": state}).unique("asset", keep="last", maintain_order=True)


def _checked(given: pl.DataFrame, assets: int, outputs: int) -> pl.DataFrame:
    if not _is_below(given["asset"], assets) or not _is_below(given["point"], outputs):
        raise ValueError("no such place")
    if not given["time"].is_between(SECONDS_BELOW_MS, LATEST_MS).all():
        raise BadAnswer("the script gave a time that is not in milliseconds since 1970")
    if not given["quality"].is_between(*_QUALITIES).all():
        raise BadAnswer("the script gave a quality that messages cannot hold")
    if not given["text"].str.contains(_TEXT).fill_null(True).all():
        raise ValueError("no text")
    value = given["value"]
    return given.with_columns(
        value=pl.select(pl.when(value.is_finite()).then(value)).to_series(),
        is_int=given["is_int"] > 0,
    )


def _is_below(places: pl.Series, most: int) -> bool:
    return places.is_empty() or bool((places < most).all())


def causes_of(frame: pl.DataFrame, name: str) -> Mapping[str, pl.Series]:
    """Return places by cause, in the order in which causes first came."""
    return {str(cause): part[name] for (cause,), part in frame.group_by("cause", maintain_order=True)}
