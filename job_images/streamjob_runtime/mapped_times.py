"""Event times as other people's devices write them: numbers of any usual unit, or RFC 3339 texts.

Each way of writing is read twice: one value completely, and a column of values that were all written as a sample was.
What is finer than a millisecond is cut off.
"""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from streamjob_api.source import TimeUnit
from streamjob_runtime.json_reading import TIME_LIMIT, Malformed, kind, number_of

# Stands for a time that was written well and yet is none: no such day, or no time zone. It is refused as InvalidTime.
INVALID = 0

_PER_MS = {TimeUnit.MS: 1, TimeUnit.US: 1_000, TimeUnit.NS: 1_000_000}
_FACTOR = {TimeUnit.S: 1_000.0, TimeUnit.MS: 1.0, TimeUnit.US: 1e-3, TimeUnit.NS: 1e-6}
# A present time in seconds with microseconds is a double to within 0.0003 ms: less than this, more than nothing.
_NOISE_MS = 0.0005
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Lenient where ISO 8601 is: offsets without colon or minutes.
_TEXT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]+))?"
    r"(?P<zone>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?",
    re.ASCII,
)


def read_time(value: Any, unit: TimeUnit, name: str) -> int:
    """Epoch milliseconds of one value; INVALID where it is no time.

    Raises:
        Malformed: it is not written as the unit says.
    """
    milliseconds = _of_text(value) if unit is TimeUnit.ISO8601 else _of_number(value, unit)
    if milliseconds is None:
        wanted = "an RFC 3339 time" if unit is TimeUnit.ISO8601 else f"a number of {unit}"
        raise Malformed("WrongType", f"{name}: expected {wanted}, got {kind(value)}")
    return max(-TIME_LIMIT, min(TIME_LIMIT, milliseconds))


def _of_number(value: Any, unit: TimeUnit) -> int | None:
    number = number_of(value)
    if isinstance(number, int):
        return number * 1_000 if unit is TimeUnit.S else number // _PER_MS[unit]
    if number is None or not math.isfinite(number * 1_000):
        return None
    return math.floor(number * _FACTOR[unit] + _NOISE_MS)


def _of_text(value: Any) -> int | None:
    found = _TEXT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    offset = _offset_minutes(found["zone"])
    try:
        # A leap second (RFC 3339, section 5.7) is the first moment of the next minute.
        begin = datetime(year, month, day, hour, minute, 59 if second == 60 else second, tzinfo=UTC)
    except ValueError:
        return INVALID
    if offset is None:
        return INVALID
    seconds = (begin - _EPOCH) // timedelta(seconds=1) + (second == 60) - 60 * offset
    return seconds * 1_000 + int(((found[7] or "") + "000")[:3])


def _offset_minutes(zone: str | None) -> int | None:
    if zone is None:
        return None
    if zone in "Zz":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    if hours > 23 or minutes > 59:
        return None
    return (-1 if zone[0] == "-" else 1) * (60 * hours + minutes)


@dataclass(frozen=True)
class TimeColumn:
    """How times are read that were all written as a sample was.

    Attributes:
        pattern: expression of what is written, without groups; what it matches, ``milliseconds`` reads.
        milliseconds: from the text in column ``time`` to epoch milliseconds (i64); null where only the complete
            reading can tell.
    """

    pattern: str
    milliseconds: pl.Expr


WHOLE = TimeColumn(r"-?(?:0|[1-9][0-9]{0,14})", pl.col("time").cast(pl.Int64))


def time_column(sample: Any, unit: TimeUnit) -> TimeColumn | None:
    """The column form of a value's way of writing; None where there is none.

    ``sample`` is the value without quotes: what is written in them is read alike.
    """
    if unit is TimeUnit.ISO8601:
        return _text_column(sample)
    number = number_of(sample)
    if isinstance(number, float):
        text = pl.col("time").cast(pl.Float64)
        return TimeColumn(
            r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,9}",
            (text * _FACTOR[unit] + _NOISE_MS).floor().cast(pl.Int64, strict=False),
        )
    if number is None:
        return None
    # Of 19 digits, those up to 8.9e18 fit into an i64; present times in nanoseconds have 19.
    whole = pl.col("time").cast(pl.Int64)
    if unit is TimeUnit.S:
        return TimeColumn(WHOLE.pattern, whole * 1_000)
    milliseconds = whole.floordiv(_PER_MS[unit]).clip(-TIME_LIMIT, TIME_LIMIT)
    return TimeColumn(r"-?(?:0|[1-9][0-9]{0,17}|[1-8][0-9]{18})", milliseconds)


_COLUMN_TEXT = re.compile(r"[0-9-]{10}T[0-9:]{8}(?:\.(?P<fraction>[0-9]+))?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII)
_CLOCK = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_MINUTES = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"


def _text_column(sample: Any) -> TimeColumn | None:
    written = _COLUMN_TEXT.fullmatch(sample) if isinstance(sample, str) else None
    if written is None:
        return None
    text, digits = pl.col("time"), len(written["fraction"] or "")
    milliseconds = text.str.head(19).str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="ms", strict=False).cast(pl.Int64)
    if digits:
        kept = min(digits, 3)
        milliseconds += text.str.slice(20, kept).cast(pl.Int64) * 10 ** (3 - kept)
    fraction = rf"\.[0-9]{{{digits}}}" if digits else ""
    if written["zone"] == "Z":
        return TimeColumn(f"{_CLOCK}{fraction}Z", milliseconds)
    minutes = text.str.tail(5).str.head(2).cast(pl.Int64) * 60 + text.str.tail(2).cast(pl.Int64)
    is_west = text.str.tail(6).str.starts_with("-")
    shifted = milliseconds - pl.when(is_west).then(-minutes).otherwise(minutes) * 60_000
    return TimeColumn(rf"{_CLOCK}{fraction}[+-]{_MINUTES}", shifted)
