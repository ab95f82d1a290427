"""The complete reading of one message of the service's form, for all that the columnar path does not prove.

Forms: Origin, ``payload`` a list of items with ``assetId``, ``time`` and ``measurepoints``; and the one-point record. A
point's value is a number, ``{"value": number, "quality": ...}``, or an array of these: a device sends an array with one
time, so each element is a value of that time, in order. Of some points a text or truth value is one, too. The quality
does not filter. A missing or null ``modelIdPath``
is ``/<modelId>``. Times are whole numbers (``1.7e12`` is one).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from streamjob_runtime.json_reading import (
    TIME_LIMIT,
    Found,
    Malformed,
    Place,
    encodable,
    is_number,
    kind,
    number_as,
    parse,
)

Points = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class _Origin:
    """What all items of a message share."""

    message: int
    model: str
    model_path: str

    def place(self, fields: dict[str, Any]) -> Place:
        asset = _text(fields, "assetId")
        return Place(self.message, asset, self.model, self.model_path, _time(fields))


def read_message(message: int, raw: bytes | None, selected: Points, found: Found) -> None:
    """Add to ``found`` what one message holds; ``selected`` is of (model, point).

    Raises:
        Malformed: the message or an item of it cannot be read; the readable items have been added nevertheless.
    """
    root = _object(parse(raw), "message")
    model = _text(root, "modelId")
    path = _text(root, "modelIdPath") if root.get("modelIdPath") is not None else f"/{model}"
    origin = _Origin(message, model, path)
    if "payload" not in root:
        _read_record(root, origin, selected, found)
        return
    faults = list(_item_faults(root["payload"], origin, selected, found))
    if faults:
        raise faults[0]


def _item_faults(payload: Any, origin: _Origin, selected: Points, found: Found) -> Iterator[Malformed]:
    if payload is None or payload == []:
        raise Malformed("EmptyMessage", "payload: empty")
    if not isinstance(payload, list):
        raise Malformed("WrongType", f"payload: expected a list, got {kind(payload)}")
    for number, item in enumerate(payload):
        try:
            _read_item(_object(item, "item", reason="WrongType"), origin, selected, found)
        except Malformed as fault:
            yield Malformed(fault.reason, f"payload[{number}].{fault.detail}")


def _read_item(item: dict[str, Any], origin: _Origin, selected: Points, found: Found) -> None:
    place = origin.place(item)
    points = _object(_required(item, "measurepoints"), "measurepoints", reason="WrongType")
    for point, value in points.items():
        _add(found, place, point, value, selected)


def _read_record(record: dict[str, Any], origin: _Origin, selected: Points, found: Found) -> None:
    if "assetId" not in record:
        raise Malformed("MissingField", "neither payload nor assetId is there")
    place, point = origin.place(record), _text(record, "pointId")
    _add(found, place, point, _required(record, "value"), selected, record.get("quality"))


def _add(found: Found, place: Place, point: str, value: Any, selected: Points, quality: Any = None) -> None:
    if (place.model, point) not in selected:
        found.unused += 1
        return
    found.add_point(place, point, value, number_as, quality)


def _object(value: Any, name: str, reason: str = "NotAnObject") -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(reason, f"{name}: expected an object, got {kind(value)}")
    return value


def _required(fields: dict[str, Any], name: str) -> Any:
    if name not in fields:
        raise Malformed("MissingField", f"{name}: missing")
    return fields[name]


def _text(fields: dict[str, Any], name: str) -> str:
    value = _required(fields, name)
    if not isinstance(value, str) or not value:
        raise Malformed("WrongType", f"{name}: expected a string that is not empty, got {kind(value)}")
    return encodable(value, name)


def _time(fields: dict[str, Any]) -> int:
    value = _required(fields, "time")
    if not is_number(value) or value != value // 1:
        raise Malformed("WrongType", f"time: expected epoch milliseconds, a whole number, got {kind(value)}")
    return int(max(-TIME_LIMIT, min(TIME_LIMIT, value)))
