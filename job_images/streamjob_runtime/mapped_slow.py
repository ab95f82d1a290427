"""The complete reading of one message by a mapping, for all that the columnar path does not prove.

A value is what it is in the service's form, and may be written as a string (``"42.5"``); so may a time. An asset or
model may be a whole number. A point whose path leads nowhere is not in the record; a record without any point counts as
refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from streamjob_api.json_paths import JsonPath, Step
from streamjob_api.source import MessageMapping
from streamjob_runtime.json_reading import Found, Malformed, Place, encodable, kind, number_of, parse
from streamjob_runtime.mapped_times import read_time

MISSING = object()


def value_at(document: Any, steps: tuple[Step, ...]) -> Any:
    """What the steps lead to, or MISSING."""
    for step in steps:
        if isinstance(step, str):
            document = document.get(step, MISSING) if isinstance(document, dict) else MISSING
        else:
            document = document[step] if isinstance(document, list) and step < len(document) else MISSING
    return document


@dataclass(frozen=True)
class MappedReader:
    """Reads messages by a mapping; ``selected`` is of (model, point)."""

    mapping: MessageMapping
    selected: frozenset[tuple[str, str]]

    def read_message(self, message: int, raw: bytes | None, found: Found) -> None:
        """Add to ``found`` what one message holds.

        Raises:
            Malformed: the message or a record of it cannot be read; the readable ones have been added nevertheless.
        """
        root = parse(raw)
        if not isinstance(root, (dict, list)):
            raise Malformed("NotAnObject", f"message: expected an object or a list, got {kind(root)}")
        if self.mapping.records is None:
            self._read_record(message, _Record(root, root), found)
            return
        faults = list(self._record_faults(message, root, self.mapping.records, found))
        if faults:
            raise faults[0]

    def _record_faults(self, message: int, root: Any, records: JsonPath, found: Found) -> Iterator[Malformed]:
        for number, element in enumerate(_list_at(root, records)):
            try:
                if not isinstance(element, (dict, list)):
                    raise Malformed("WrongType", f": expected an object or a list, got {kind(element)}")
                self._read_record(message, _Record(element, root), found)
            except Malformed as fault:
                yield Malformed(fault.reason, _within(f"{records}[{number}]", fault.detail))

    def _read_record(self, message: int, record: "_Record", found: Found) -> None:
        mapping = self.mapping
        asset = record.text(mapping.asset)
        model = record.text(mapping.model.path) if mapping.model.path else mapping.model.name or ""
        time = read_time(record.required(mapping.time.path), mapping.time.unit, str(mapping.time.path))
        place = Place(message, asset, model, f"/{model}", time)
        points = list(self._points(record))
        for point, value in points:
            if (model, point) in self.selected:
                found.add_point(place, point, value, number_of)
            else:
                found.unused += 1
        if not points:
            found.add(place, None, None)

    def _points(self, record: "_Record") -> Iterator[tuple[str, Any]]:
        mapping, values = self.mapping, self.mapping.values
        if mapping.point and mapping.value:
            name = record.text(mapping.point.path)
            yield mapping.point.names.get(name, name), record.required(mapping.value)
            return
        if values is None:
            written = ((point, record.at(path)) for point, path in mapping.points.items())
            yield from ((point, value) for point, value in written if value is not MISSING)
            return
        members = record.required(values)
        if not isinstance(members, dict):
            raise Malformed("WrongType", f"{values}: expected an object, got {kind(members)}")
        yield from ((name, value) for name, value in members.items() if name not in self._no_points)

    @cached_property
    def _no_points(self) -> frozenset[Step]:
        """Members beside the points that are something else: asset, time or model."""
        return no_points(self.mapping)


def no_points(mapping: MessageMapping) -> frozenset[Step]:
    """Members of the object of values that are no points: asset, time or model."""
    if mapping.values is None:
        return frozenset()
    paths = [mapping.asset, mapping.time.path, *([mapping.model.path] if mapping.model.path else [])]
    return frozenset(
        path.steps[-1]
        for path in paths
        if path.steps[:-1] == mapping.values.steps and _is_like(path, mapping.values, mapping)
    )


def _is_like(path: JsonPath, other: JsonPath, mapping: MessageMapping) -> bool:
    """Whether both paths begin at the same place."""
    return mapping.records is None or path.is_from_message == other.is_from_message


@dataclass(frozen=True)
class _Record:
    """One record of a message: where its paths begin."""

    element: Any
    message: Any

    def at(self, path: JsonPath) -> Any:
        return value_at(self.message if path.is_from_message else self.element, path.steps)

    def required(self, path: JsonPath) -> Any:
        value = self.at(path)
        if value is MISSING:
            raise Malformed("MissingField", f"{path}: missing")
        return value

    def text(self, path: JsonPath) -> str:
        value = self.required(path)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str) or not value:
            raise Malformed(
                "WrongType", f"{path}: expected a string that is not empty or a whole number, got {kind(value)}"
            )
        return encodable(value, str(path))


def _list_at(root: Any, records: JsonPath) -> list[Any]:
    elements = value_at(root, records.steps)
    if elements is MISSING:
        raise Malformed("MissingField", f"{records}: missing")
    if elements is None or elements == []:
        raise Malformed("EmptyMessage", f"{records}: empty")
    if not isinstance(elements, list):
        raise Malformed("WrongType", f"{records}: expected a list, got {kind(elements)}")
    return elements


def _within(element: str, detail: str) -> str:
    """Say of a fault in which element it is, unless its path begins at the message."""
    if detail.startswith("$"):
        return detail
    return f"{element}{detail}" if detail.startswith(("[", ":")) else f"{element}.{detail}"
