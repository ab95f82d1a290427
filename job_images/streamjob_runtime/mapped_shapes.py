"""Shapes of messages that are read by a mapping."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from streamjob_api.json_paths import JsonPath
from streamjob_api.source import MappedPoint, MessageMapping
from streamjob_runtime.mapped_slow import MISSING, no_points, value_at
from streamjob_runtime.mapped_times import TimeColumn, time_column
from streamjob_runtime.message_shapes import (
    MAX_VALUES,
    Path,
    Shape,
    Style,
    Unshapely,
    WantedPoints,
    parse_sample,
    point_slot,
    value_slot,
    whole_and_item,
)
from streamjob_runtime.unlisted_points import Flat, Named

_WHOLE_NUMBER = "(?P<{}>0|[1-9][0-9]{{0,17}})"


def learn(sample: str, mapping: MessageMapping, selected: WantedPoints, *, flat: bool) -> Shape:
    """Return the shape of a message.

    Args:
        sample: the message.
        mapping: where it has what is read.
        selected: the points whose values are wanted.
        flat: whether the set of points may differ from message to message; their values are then plain.

    Raises:
        Unshapely: the message is not of a form that a shape describes.
    """
    slots = _Slots.of(sample, mapping)
    times = slots.head_and_times()
    if mapping.point and mapping.value:
        return _one_point(slots, times, mapping.point, mapping.value, selected)
    members = dict(slots.points())
    if not members:
        raise Unshapely
    wanted = () if flat else tuple(point for point in members if point in selected.names)
    if flat:
        slots.put(slots.parent(), slots.style.flat)
    if len(wanted) > MAX_VALUES:
        raise Unshapely
    for number, point in enumerate(wanted):
        path = members[point]
        is_text = point in selected.texts
        quality = f"q{number}" if selected.qualities else None
        slot = point_slot(slots.style, slots.at(path), number, is_text=is_text, takes_texts=True, quality=quality)
        slots.put(path, slot)
    return Shape(
        *slots.whole_and_item(),
        times.milliseconds,
        points=wanted,
        unused=0 if flat else len(members) - len(wanted),
        flat=_flat(mapping, selected) if flat else None,
        model=mapping.model.name,
        takes_texts=True,
    )


def _one_point(
    slots: "_Slots", times: TimeColumn, point: MappedPoint, value: JsonPath, selected: WantedPoints
) -> Shape:
    slots.put(point.path, slots.text("point", point.path))
    quality = "q0" if selected.qualities else None
    slots.put(value, value_slot(slots.style, slots.at(value), slots.style.scalar("v0"), quality))
    named = Named(point.names, takes_texts=True, texts=selected.texts)
    model = slots.mapping.model.name
    return Shape(
        *slots.whole_and_item(), times.milliseconds, points=(), unused=0, named=named, model=model, takes_texts=True
    )


def _flat(mapping: MessageMapping, selected: WantedPoints) -> Flat:
    if mapping.values is not None:
        named = tuple((point, point) for point in sorted(selected.names))
        return Flat(named, takes_texts=True, is_never_empty=True, texts=selected.texts)
    names = {point: str(path.steps[-1]) for point, path in mapping.points.items()}
    members = tuple((point, name) for point, name in sorted(names.items()) if point in selected.names)
    counted = tuple(sorted(set(names.values())))
    return Flat(members, counted, takes_texts=True, is_never_empty=True, texts=selected.texts)


@dataclass
class _Slots:
    """Slots under construction, by their paths in the message (``head``) and in a record (``item``)."""

    mapping: MessageMapping
    style: Style
    root: Any
    element: Any
    head: dict[Path, str]
    item: dict[Path, str]

    @classmethod
    def of(cls, sample: str, mapping: MessageMapping) -> "_Slots":
        root = parse_sample(sample)
        element = root if mapping.records is None else value_at(root, (*mapping.records.steps, 0))
        return cls(mapping, Style.of(sample), root, element, {}, {})

    def at(self, path: JsonPath) -> Any:
        """The value in the sample."""
        return value_at(self.root if path.is_from_message else self.element, path.steps)

    def put(self, path: JsonPath, slot: str) -> None:
        slots = self.head if path.is_from_message or self.mapping.records is None else self.item
        if path.steps in slots:
            raise Unshapely
        slots[path.steps] = slot

    def head_and_times(self) -> TimeColumn:
        """Put asset, model and time; return how the time is read."""
        mapping = self.mapping
        self.put(mapping.asset, self.text("asset", mapping.asset))
        if mapping.model.path:
            self.put(mapping.model.path, self.text("model", mapping.model.path))
        value = self.at(mapping.time.path)
        times = time_column(value, mapping.time.unit)
        if times is None:
            raise Unshapely
        slot = f"(?P<time>{times.pattern})"
        self.put(mapping.time.path, f'"{slot}"' if isinstance(value, str) else slot)
        return times

    def text(self, group: str, path: JsonPath) -> str:
        """Slot of a string or a whole number."""
        value = self.at(path)
        if isinstance(value, str):
            return self.style.text(group)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Unshapely
        return _WHOLE_NUMBER.format(group)

    def points(self) -> Iterator[tuple[str, JsonPath]]:
        """The points of the sample, and where they are."""
        values = self.mapping.values
        if values is None:
            yield from ((point, path) for point, path in self.mapping.points.items() if self.at(path) is not MISSING)
            return
        members = self.at(values)
        if not isinstance(members, dict):
            raise Unshapely
        for name in members.keys() - no_points(self.mapping):
            yield name, JsonPath(f"{values}['{name}']", (*values.steps, name), values.is_from_message)

    def parent(self) -> JsonPath:
        """The one object that holds all points."""
        if self.mapping.values is not None:
            return self.mapping.values
        paths = list(self.mapping.points.values())
        parents = {(path.is_from_message and self.mapping.records is not None, path.steps[:-1]) for path in paths}
        if len(parents) != 1 or not all(isinstance(path.steps[-1], str) for path in paths):
            raise Unshapely
        return JsonPath(str(paths[0]), paths[0].steps[:-1], paths[0].is_from_message)

    def whole_and_item(self) -> tuple[str, str | None]:
        """The expressions of a whole message and, if it has several records, of one."""
        records = self.mapping.records.steps if self.mapping.records else None
        return whole_and_item(self.style, self.root, self.head, records, self.item)
