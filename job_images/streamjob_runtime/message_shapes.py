"""Shapes: regular expressions of whole messages, learned from one of them, that prove what they read.

Devices of one kind send the same fields in the same order, so one message tells the layout of thousands. A shape is an
anchored expression for that layout: a message that it matches is valid JSON of exactly this structure, with the asset,
the time and the numbers in its groups; one that it does not match says nothing and is tried by the next shape, in the
end by the complete reading of ``messages_slow``. Strings with escapes never match.

Measured on 200,000 Origin messages of 190 bytes, us CPU a message: see benchmarks/decode.py.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

# Measured: up to 12 numbers cost 7 ns a byte of the message, 20 cost 18 ns; reading one by one costs some 50.
MAX_VALUES = 24
_MAX_DEPTH = 8
# Characters of an expression, some 60 fields. Measured: from 6,000 on the engine falls from 7 ns a byte to 35 and more.
_MAX_LENGTH = 5_800

_INT = r"-?(?:0|[1-9][0-9]{0,14})"
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
# Without quotes, backslashes and control characters; the expression for ASCII alone is twice as fast.
_ASCII = r"[ !#-\[\]-~]"
_TEXT = r'[^"\\\x00-\x1f]'
_STRING = re.compile(r'"[^"]*"')


class Unshapely(Exception):  # noqa: N818 (named for what was met)
    """A message whose layout no shape describes."""


@dataclass(frozen=True)
class Shape:
    """The layout of a message.

    Attributes:
        whole: matches a whole message; groups as in ``item`` and ``model``, ``model_path``; or, where a message has
            several items, ``items``: all of them.
        item: None, or matches one of several items; groups ``asset``, ``time`` and: ``v0``, ``v1``, ... the numbers of
            ``points``; or ``flat``, an object of plain values; or ``point`` and ``v0``, the one-point record.
        points: selected points by group number.
        unused: number of an item's points that are not selected.
    """

    whole: str
    item: str | None
    points: tuple[str, ...]
    unused: int


@dataclass(frozen=True)
class _Style:
    """How the message is written between its tokens, and in which letters."""

    comma: str
    colon: str
    gap: str
    letter: str

    @classmethod
    def of(cls, sample: str) -> "_Style":
        letter = _ASCII if sample.isascii() else _TEXT
        bare = _STRING.sub('""', sample)
        if not re.search(r"\s", bare):
            return cls(",", ":", "", letter)
        if not re.search(r"\s|[,:]", bare.replace(", ", "").replace(": ", "")):
            return cls(", ", ": ", "", letter)
        gap = r"[ \t\r\n]*"
        return cls(f"{gap},{gap}", f"{gap}:{gap}", gap, letter)

    @property
    def scalar(self) -> str:
        return rf'(?:"{self.letter}*"|{_NUMBER}|true|false|null)'

    def text(self, group: str) -> str:
        return f'"(?P<{group}>{self.letter}+)"'

    def object_of(self, fields: Iterable[tuple[str, str]]) -> str:
        members = (f'"{re.escape(name)}"{self.colon}{pattern}' for name, pattern in fields)
        return rf"\{{{self.gap}{self.comma.join(members)}{self.gap}\}}"

    def list_of(self, elements: Iterable[str]) -> str:
        return rf"\[{self.gap}{self.comma.join(elements)}{self.gap}\]"

    def layout_of(self, value: Any, depth: int = 0) -> str:
        if depth > _MAX_DEPTH:
            raise Unshapely
        if isinstance(value, dict):
            return self.object_of((name, self.layout_of(inner, depth + 1)) for name, inner in value.items())
        if isinstance(value, list):
            return self.list_of(self.layout_of(inner, depth + 1) for inner in value)
        return self.scalar

    @property
    def flat(self) -> str:
        member = f'"{self.letter}*"{self.colon}{self.scalar}'
        return rf"\{{{self.gap}(?P<flat>(?:{member}(?:{self.comma}{member})*)?){self.gap}\}}"


def learn(sample: str, selected: frozenset[str], *, flat: bool) -> Shape:
    """Return the shape of a message.

    Args:
        sample: the message.
        selected: names of the points whose numbers are wanted.
        flat: whether the set of points may differ from message to message; their values are then plain.

    Raises:
        Unshapely: the message is not of a form that a shape describes.
    """
    if "\\" in sample:
        raise Unshapely
    try:
        root = json.loads(sample, object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        raise Unshapely from error
    if not isinstance(root, dict) or not isinstance(root.get("modelId"), str):
        raise Unshapely
    style = _Style.of(sample)
    shape = _origin(style, root, selected, flat=flat) if "payload" in root else _record(style, root)
    if len(shape.whole) > _MAX_LENGTH:
        raise Unshapely
    return shape


def pair(point: str) -> str:
    """Expression for the number of one point in a ``flat`` group."""
    return rf'(?:^|,)\s*"{re.escape(point)}"\s*:\s*({_NUMBER})\s*(?:,|$)'


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Unshapely
    return fields


def _anchored(style: _Style, pattern: str) -> str:
    return f"^{style.gap}{pattern}{style.gap}$"


def _head_field(style: _Style, name: str, value: Any) -> str:
    if name == "modelId":
        return style.text("model")
    if name == "modelIdPath" and isinstance(value, str):
        return style.text("model_path")
    return style.layout_of(value)


def _origin(style: _Style, root: dict[str, Any], selected: frozenset[str], *, flat: bool) -> Shape:
    payload = root["payload"]
    if not isinstance(payload, list) or not payload or not isinstance(payload[0], dict):
        raise Unshapely
    points = payload[0].get("measurepoints")
    if not isinstance(points, dict) or "assetId" not in payload[0] or "time" not in payload[0]:
        raise Unshapely
    wanted = () if flat else tuple(name for name in points if name in selected)
    if len(wanted) > MAX_VALUES:
        raise Unshapely
    item = style.object_of(
        (name, _item_field(style, name, value, wanted, flat=flat)) for name, value in payload[0].items()
    )
    several = len(payload) > 1
    items = rf"(?P<items>{bare(item)}(?:{style.comma}{bare(item)})*)" if several else item
    fields = (
        (n, rf"\[{style.gap}{items}{style.gap}\]" if n == "payload" else _head_field(style, n, v))
        for n, v in root.items()
    )
    unused = 0 if flat else len(points) - len(wanted)
    return Shape(_anchored(style, style.object_of(fields)), item if several else None, wanted, unused)


def _item_field(style: _Style, name: str, value: Any, wanted: tuple[str, ...], *, flat: bool) -> str:
    if name == "assetId":
        return style.text("asset")
    if name == "time":
        return f"(?P<time>{_INT})"
    if name != "measurepoints":
        return style.layout_of(value)
    if flat:
        return style.flat
    return style.object_of(
        (n, _number(style, v, wanted.index(n)) if n in wanted else style.layout_of(v)) for n, v in value.items()
    )


def _number(style: _Style, value: Any, group: int) -> str:
    slot = f"(?P<v{group}>{_NUMBER})"
    if not isinstance(value, (dict, list)):
        return slot
    if not isinstance(value, dict) or "value" not in value:
        raise Unshapely
    return style.object_of((name, slot if name == "value" else style.layout_of(inner)) for name, inner in value.items())


def _record(style: _Style, root: dict[str, Any]) -> Shape:
    groups = {
        "assetId": style.text("asset"),
        "pointId": style.text("point"),
        "time": f"(?P<time>{_INT})",
        "value": f"(?P<v0>{_NUMBER})",
    }
    if not groups.keys() <= root.keys():
        raise Unshapely
    fields = ((name, groups.get(name) or _head_field(style, name, value)) for name, value in root.items())
    return Shape(_anchored(style, style.object_of(fields)), None, (), 0)


def bare(pattern: str) -> str:
    """Return the expression without groups."""
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)
