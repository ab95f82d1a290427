"""Shapes of the service's own form: Origin messages and one-point records."""

from typing import Any

from streamjob_runtime.mapped_times import WHOLE
from streamjob_runtime.message_shapes import (
    MAX_VALUES,
    Path,
    Shape,
    Style,
    Unshapely,
    number_slot,
    parse_sample,
    value_slot,
    whole_and_item,
)
from streamjob_runtime.unlisted_points import Flat, Named

_TIME = f"(?P<time>{WHOLE.pattern})"


def learn(sample: str, selected: frozenset[str], *, flat: bool) -> Shape:
    """Return the shape of a message.

    Args:
        sample: the message.
        selected: names of the points whose numbers are wanted.
        flat: whether the set of points may differ from message to message; their values are then plain.

    Raises:
        Unshapely: the message is not of a form that a shape describes.
    """
    root = parse_sample(sample)
    if not isinstance(root, dict) or not isinstance(root.get("modelId"), str):
        raise Unshapely
    style = Style.of(sample)
    head: dict[Path, str] = {("modelId",): style.text("model")}
    if isinstance(root.get("modelIdPath"), str):
        head["modelIdPath",] = style.text("model_path")
    return _origin(style, root, head, selected, flat=flat) if "payload" in root else _record(style, root, head)


def _origin(
    style: Style, root: dict[str, Any], head: dict[Path, str], selected: frozenset[str], *, flat: bool
) -> Shape:
    points = _points(root["payload"])
    wanted = () if flat else tuple(name for name in points if name in selected)
    if len(wanted) > MAX_VALUES:
        raise Unshapely
    slots: dict[Path, str] = {("assetId",): style.text("asset"), ("time",): _TIME}
    if flat:
        slots["measurepoints",] = style.flat
    for number, name in enumerate(wanted):
        slots["measurepoints", name] = number_slot(style, points[name], number, takes_texts=False)
    whole, item = whole_and_item(style, root, head, ("payload",), slots)
    if flat:
        return Shape(whole, item, WHOLE.milliseconds, (), 0, Flat(tuple((name, name) for name in sorted(selected))))
    return Shape(whole, item, WHOLE.milliseconds, wanted, len(points) - len(wanted))


def _points(payload: Any) -> dict[str, Any]:
    if not isinstance(payload, list) or not payload or not isinstance(payload[0], dict):
        raise Unshapely
    points = payload[0].get("measurepoints")
    if not isinstance(points, dict):
        raise Unshapely
    return points


def _record(style: Style, root: dict[str, Any], head: dict[Path, str]) -> Shape:
    slots: dict[Path, str] = {
        ("assetId",): style.text("asset"),
        ("pointId",): style.text("point"),
        ("time",): _TIME,
        ("value",): value_slot(style, root.get("value"), style.scalar("v0")),
    }
    whole, _ = whole_and_item(style, root, head, None, slots)
    return Shape(whole, None, WHOLE.milliseconds, (), 0, named=Named({}))
