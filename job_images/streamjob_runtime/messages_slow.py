"""The complete reading of one message, for all that the columnar path does not prove: one Python object per value.

Forms (the service's own): Origin, ``payload`` a list of items with ``assetId``, ``time`` and ``measurepoints``; and the
one-point record. A point's value is a number, ``{"value": number, "quality": ...}``, or an array of these: a device
sends an array with one time, so each element is a value of that time, in order. The quality does not filter.
A missing or null ``modelIdPath`` is ``/<modelId>``. Times are whole numbers (``1.7e12`` is one).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

# Far beyond every time that is accepted, and still an i64.
_TIME_LIMIT = 2**62
# Python refuses to read integers of over 4,300 digits; they are beyond a float anyway.
_INT_DIGITS = 4_000

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


@dataclass
class Found:
    """Columns under construction: the numbers of selected points, and what else there was.

    Attributes:
        not_a_number: the message of each value that is none.
        unused: count of values of points that are not selected.
    """

    message: list[int] = field(default_factory=list)
    asset: list[str] = field(default_factory=list)
    model: list[str] = field(default_factory=list)
    model_path: list[str] = field(default_factory=list)
    point: list[str] = field(default_factory=list)
    time: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    is_int: list[bool] = field(default_factory=list)
    not_a_number: list[int] = field(default_factory=list)
    unused: int = 0


@dataclass(frozen=True)
class _Origin:
    """What all items of a message share."""

    message: int
    model: str
    model_path: str


def read_message(message: int, raw: bytes | None, selected: frozenset[tuple[str, str]], found: Found) -> None:
    """Add to ``found`` what one message holds.

    Raises:
        Malformed: the message or an item of it cannot be read; the readable items have been added nevertheless.
    """
    root = _object(_parse(raw), "message")
    model = _text(root, "modelId")
    path = _text(root, "modelIdPath") if root.get("modelIdPath") is not None else f"/{model}"
    origin = _Origin(message, model, path)
    if "payload" not in root:
        _read_record(root, origin, selected, found)
        return
    faults = list(_item_faults(root["payload"], origin, selected, found))
    if faults:
        raise faults[0]


def _item_faults(
    payload: Any, origin: _Origin, selected: frozenset[tuple[str, str]], found: Found
) -> Iterator[Malformed]:
    if payload is None or payload == []:
        raise Malformed("EmptyMessage", "payload: empty")
    if not isinstance(payload, list):
        raise Malformed("WrongType", f"payload: expected a list, got {_kind(payload)}")
    for number, item in enumerate(payload):
        try:
            _read_item(_object(item, "item", reason="WrongType"), origin, selected, found)
        except Malformed as fault:
            yield Malformed(fault.reason, f"payload[{number}].{fault.detail}")


def _read_item(item: dict[str, Any], origin: _Origin, selected: frozenset[tuple[str, str]], found: Found) -> None:
    asset, time = _text(item, "assetId"), _time(item)
    points = _object(_required(item, "measurepoints"), "measurepoints", reason="WrongType")
    for point, value in points.items():
        if (origin.model, point) in selected:
            _add(found, origin, (asset, point, time), value)
        else:
            found.unused += 1


def _read_record(record: dict[str, Any], origin: _Origin, selected: frozenset[tuple[str, str]], found: Found) -> None:
    if "assetId" not in record:
        raise Malformed("MissingField", "neither payload nor assetId is there")
    asset, point, time = _text(record, "assetId"), _text(record, "pointId"), _time(record)
    value = _required(record, "value")
    if (origin.model, point) in selected:
        _add(found, origin, (asset, point, time), value)
    else:
        found.unused += 1


def _add(found: Found, origin: _Origin, place: tuple[str, str, int], value: Any) -> None:
    asset, point, time = place
    for number in _numbers(value):
        if number is None:
            found.not_a_number.append(origin.message)
            continue
        found.message.append(origin.message)
        found.asset.append(asset)
        found.model.append(origin.model)
        found.model_path.append(origin.model_path)
        found.point.append(point)
        found.time.append(time)
        found.value.append(_as_float(number))
        found.is_int.append(isinstance(number, int))


def _numbers(value: Any) -> Iterator[Number | None]:
    """Yield the values of one point; None stands for what is no number."""
    if isinstance(value, list):
        elements = [element.get("value") if isinstance(element, dict) else element for element in value]
    else:
        inner = value.get("value") if isinstance(value, dict) else value
        elements = inner if isinstance(inner, list) else [inner]
    for element in elements or [None]:
        yield element if isinstance(element, (int, float)) and not isinstance(element, bool) else None


def _as_float(number: Number) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf")


def _parse(raw: bytes | None) -> Any:
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


def _parse_int(digits: str) -> Number:
    return int(digits) if len(digits) <= _INT_DIGITS else float(digits)


def _object(value: Any, name: str, reason: str = "NotAnObject") -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(reason, f"{name}: expected an object, got {_kind(value)}")
    return value


def _required(fields: dict[str, Any], name: str) -> Any:
    if name not in fields:
        raise Malformed("MissingField", f"{name}: missing")
    return fields[name]


def _text(fields: dict[str, Any], name: str) -> str:
    value = _required(fields, name)
    if not isinstance(value, str) or not value:
        raise Malformed("WrongType", f"{name}: expected a string that is not empty, got {_kind(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Malformed("InvalidUtf8", f"{name}: half of a surrogate pair") from error
    return value


def _time(fields: dict[str, Any]) -> int:
    value = _required(fields, "time")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        raise Malformed("WrongType", f"time: expected epoch milliseconds, a whole number, got {_kind(value)}")
    return int(max(-_TIME_LIMIT, min(_TIME_LIMIT, value)))


def _kind(value: Any) -> str:
    names = {dict: "object", list: "list", str: "string", bool: "boolean", int: "number", float: "number"}
    return names.get(type(value), "null") + ("" if value or not isinstance(value, (str, list, dict)) else " (empty)")
