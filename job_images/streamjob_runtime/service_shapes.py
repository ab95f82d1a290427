"""Shapes of the service's own form: Origin messages and one-point records."""

from typing import Any

from streamjob_runtime.mapped_times import WHOLE
from streamjob_runtime.message_shapes import (
    MAX_VALUES,
    Path,
    Shape,
    Style,
    Unshapely,
    WantedPoints,
    parse_sample,
    point_slot,
    quality_slot,
    value_slot,
    whole_and_item,
)
from streamjob_runtime.unlisted_points import Flat, Named

_TIME = f"(?P<time>{WHOLE.pattern})"


def learn(sample: str, selected: WantedPoints, *, flat: bool) -> Shape:
    """Return the shape of a message.

    Args:
        sample: the message.
        selected: the points whose values are wanted.
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
    if "payload" not in root:
        return _record(style, root, head, selected)
    return _origin(style, root, head, selected, flat=flat)


def _origin(style: Style, root: dict[str, Any], head: dict[Path, str], selected: WantedPoints, *, flat: bool) -> Shape:
    points = _points(root["payload"])
    wanted = () if flat else tuple(name for name in points if name in selected.names)
    if len(wanted) > MAX_VALUES:
        raise Unshapely
    slots: dict[Path, str] = {("assetId",): style.text("asset"), ("time",): _TIME}
    if flat:
        slots["measurepoints",] = style.flat
    for number, name in enumerate(wanted):
        is_text = name in selected.texts
        quality = f"q{number}" if selected.qualities else None
        slots["measurepoints", name] = point_slot(
            style, points[name], number, is_text=is_text, takes_texts=False, quality=quality
        )
    whole, item = whole_and_item(style, root, head, ("payload",), slots)
    if flat:
        members = tuple((name, name) for name in sorted(selected.names))
        return Shape(whole, item, WHOLE.milliseconds, (), 0, Flat(members, texts=selected.texts))
    return Shape(whole, item, WHOLE.milliseconds, wanted, len(points) - len(wanted))


def _points(payload: Any) -> dict[str, Any]:
    if not isinstance(payload, list) or not payload or not isinstance(payload[0], dict):
        raise Unshapely
    points = payload[0].get("measurepoints")
    if not isinstance(points, dict):
        raise Unshapely
    return points


def _record(style: Style, root: dict[str, Any], head: dict[Path, str], selected: WantedPoints) -> Shape:
    value = root.get("value")
    quality = "q0" if selected.qualities else None
    has_own = isinstance(value, dict) and "quality" in value
    slots: dict[Path, str] = {
        ("assetId",): style.text("asset"),
        ("pointId",): style.text("point"),
        ("time",): _TIME,
        ("value",): value_slot(style, value, style.scalar("v0"), quality),
        **quality_slot(root, None if has_own else quality),
    }
    whole, _ = whole_and_item(style, root, head, None, slots)
    return Shape(whole, None, WHOLE.milliseconds, (), 0, named=Named({}, texts=selected.texts))
