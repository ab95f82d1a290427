"""Complete reading of JSON, one Python object a value: what a fault is, what is a number, which columns come of it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# Far beyond every time that is accepted, and still an i64.
TIME_LIMIT = 2**62
# Python refuses to read integers of over 4,300 digits; they are beyond a float anyway.
_INT_DIGITS = 4_000
# As many digits as ``mapped_times.WHOLE`` has.
_QUALITY_LIMIT = 10**15
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_NUMBER = re.compile(rf"{_INTEGER.pattern}(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)

Number = int | float


class Malformed(Exception):  # noqa: N818 (named for the message, which goes to the dead letters)
    """A message, or one item of its payload, that cannot be read.

    Attributes:
        reason: InvalidUtf8, InvalidJson, TooDeep, EmptyMessage, NotAnObject, MissingField or WrongType.
        detail: where and why; never a value of the message.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Place:
    """What the values of one item have in common."""

    message: int
    asset: str
    model: str
    model_path: str
    time: int


@dataclass
class Found:
    """Columns under construction: the values of selected points, and how many others there were.

    Attributes:
        texts: pairs of model and point whose values may be texts or truth values.
        point: None stands for an item that has no point at all.
        value: None stands for what is no number.
        text: JSON of a text or truth value of a point that may have it.
        quality: 0 where the message says none.
        unused: count of values of points that are not selected.
    """

    texts: frozenset[tuple[str, str]] = frozenset()
    message: list[int] = field(default_factory=list)
    asset: list[str] = field(default_factory=list)
    model: list[str] = field(default_factory=list)
    model_path: list[str] = field(default_factory=list)
    point: list[str | None] = field(default_factory=list)
    time: list[int] = field(default_factory=list)
    value: list[float | None] = field(default_factory=list)
    is_int: list[bool] = field(default_factory=list)
    text: list[str | None] = field(default_factory=list)
    quality: list[int] = field(default_factory=list)
    unused: int = 0

    def add_point(
        self, place: Place, point: str, value: Any, number_in: Callable[[Any], Number | None], quality: Any = None
    ) -> None:
        """Add the values of one point: a plain one, ``{"value": ...}`` or an array.

        Args:
            place: where they were found.
            point: the point's id.
            value: what the message has there.
            number_in: the number that a plain value is, None for what is none.
            quality: of values that have none of their own.
        """
        takes_texts = (place.model, point) in self.texts
        for element, own in _elements(value, quality):
            number = number_in(element)
            text = _text(element) if takes_texts and number is None else None
            self.add(place, point, number, text, quality_of(own))

    def add(
        self, place: Place, point: str | None, number: Number | None, text: str | None = None, quality: int = 0
    ) -> None:
        """Add one value."""
        self.message.append(place.message)
        self.asset.append(place.asset)
        self.model.append(place.model)
        self.model_path.append(place.model_path)
        self.point.append(point)
        self.time.append(place.time)
        self.value.append(None if number is None else _as_float(number))
        self.is_int.append(isinstance(number, int))
        self.text.append(text)
        self.quality.append(quality)


def parse(raw: bytes | None) -> Any:
    """Parse a message.

    Raises:
        Malformed: it is empty, no text, no JSON, or nested too deeply.
    """
    if not raw or raw.isspace():
        raise Malformed("EmptyMessage", "no bytes")
    try:
        # utf-8-sig: a byte order mark is allowed to be ignored (RFC 8259, section 8.1).
        return json.loads(raw.decode("utf-8-sig"), parse_int=_parse_int)
    except UnicodeDecodeError as error:
        raise Malformed("InvalidUtf8", f"{error.reason} at byte {error.start}") from error
    except RecursionError as error:
        raise Malformed("TooDeep", "nested too deeply") from error
    except json.JSONDecodeError as error:
        raise Malformed("InvalidJson", f"{error.msg} at character {error.pos}") from error


def number_as(value: Any) -> Number | None:
    """The number that a value is; None where it is none."""
    return value if is_number(value) else None


def number_of(value: Any) -> Number | None:
    """The number that a value is, or that it holds as a string; None where it is neither."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return _parse_int(value) if _INTEGER.fullmatch(value) else float(value)
    return number_as(value)


def quality_of(value: Any) -> int:
    """The quality that a value is; 0 of what is no whole number, or has more than 15 digits."""
    is_quality = isinstance(value, int) and not isinstance(value, bool) and abs(value) < _QUALITY_LIMIT
    return value if is_quality else 0


def is_number(value: Any) -> bool:
    """Whether a value is a JSON number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def kind(value: Any) -> str:
    """What JSON calls a value."""
    names = {dict: "object", list: "list", str: "string", bool: "boolean", int: "number", float: "number"}
    return names.get(type(value), "null") + ("" if value or not isinstance(value, (str, list, dict)) else " (empty)")


def encodable(text: str, name: str) -> str:
    """The text, if it can be written as UTF-8.

    Raises:
        Malformed: it holds half of a surrogate pair.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Malformed("InvalidUtf8", f"{name}: half of a surrogate pair") from error
    return text


def _elements(value: Any, quality: Any) -> list[tuple[Any, Any]]:
    """Return plain values, each with its quality."""
    if isinstance(value, list):
        elements = [_parts(element, quality) for element in value]
    else:
        inner, own = _parts(value, quality)
        elements = [(element, own) for element in inner] if isinstance(inner, list) else [(inner, own)]
    return elements or [(None, None)]


def _parts(value: Any, quality: Any) -> tuple[Any, Any]:
    return (value.get("value"), value.get("quality", quality)) if isinstance(value, dict) else (value, quality)


def _text(value: Any) -> str | None:
    """JSON of a text or truth value; None for all else, and for a text that cannot be written as UTF-8."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return None
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return None
    return json.dumps(value, ensure_ascii=False)


def _parse_int(digits: str) -> Number:
    return int(digits) if len(digits) <= _INT_DIGITS else float(digits)


def _as_float(number: Number) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf")
