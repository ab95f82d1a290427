"""Shapes: regular expressions of whole messages, learned from one of them, that prove what they read.

Devices of one kind send the same fields in the same order, so one message tells the layout of thousands. A shape is an
anchored expression for that layout: a message that it matches is valid JSON of exactly this structure, with the asset,
the time and the numbers in its groups; one that it does not match says nothing and is tried by the next shape, in the
end by the complete reading. Strings with escapes never match.

What is to be read stands in slots: paths into the sample, each with the expression that takes its place in the layout.

Measured on 200,000 Origin messages of 190 bytes, us CPU a message: see benchmarks/decode.py.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from streamjob_api.json_paths import Step
from streamjob_runtime.mapped_times import WHOLE
from streamjob_runtime.unlisted_points import NUMBER, Flat, Named

# Measured: up to 12 numbers cost 7 ns a byte of the message, 20 cost 18 ns; reading one by one costs some 50.
MAX_VALUES = 24
_MAX_DEPTH = 8
# Characters of an expression, some 60 fields. Measured: from 6,000 on the engine falls from 7 ns a byte to 35 and more.
_MAX_LENGTH = 5_800

# Without quotes, backslashes and control characters; the expression for ASCII alone is twice as fast.
_ASCII = r"[ !#-\[\]-~]"
_TEXT = r'[^"\\\x00-\x1f]'
_STRING = re.compile(r'"[^"]*"')
_GROUP = re.compile(r"\(\?P<(\w+)>")

Path = tuple[Step, ...]
Slots = Mapping[Path, str]


class Unshapely(Exception):  # noqa: N818 (named for what was met)
    """A message whose layout no shape describes."""


@dataclass(frozen=True)
class Shape:
    """The layout of a message.

    Attributes:
        whole: matches a whole message; groups as in ``item``, and ``model``, ``model_path``; or, where a message has
            several items, ``items``: all of them.
        item: None, or matches one of several items; groups ``asset``, ``time`` and: ``v0``, ``v1``, ... the values of
            ``points``; or ``flat``, an object of plain values; or ``point`` and ``v0``, the name and the value.
        milliseconds: from the text in group ``time`` to epoch milliseconds; null where it cannot tell.
        points: selected points by group number.
        unused: number of an item's points that are not selected.
        flat: how the group ``flat`` is read, where there is one.
        named: how the groups ``point`` and ``v0`` are read, where an item names its point.
        model: the model of all items, where no group holds it.
        takes_texts: whether a string that holds a number is one.
    """

    whole: str
    item: str | None
    milliseconds: pl.Expr
    points: tuple[str, ...]
    unused: int
    flat: Flat | None = None
    named: Named | None = None
    model: str | None = None
    takes_texts: bool = False


@dataclass(frozen=True)
class WantedPoints:
    """What a shape is to read.

    Attributes:
        names: of the points whose values are wanted.
        texts: those of them whose values may be texts or truth values.
        qualities: whether the qualities of values are wanted.
    """

    names: frozenset[str]
    texts: frozenset[str] = frozenset()
    qualities: bool = False


@dataclass(frozen=True)
class Style:
    """How a message is written between its tokens, and in which letters."""

    comma: str
    colon: str
    gap: str
    letter: str

    @classmethod
    def of(cls, sample: str) -> "Style":
        """The style of a sample; where its gaps are irregular, any gaps."""
        letter = _ASCII if sample.isascii() else _TEXT
        bare = _STRING.sub('""', sample)
        if not re.search(r"\s", bare):
            return cls(",", ":", "", letter)
        if not re.search(r"\s|[,:]", bare.replace(", ", "").replace(": ", "")):
            return cls(", ", ": ", "", letter)
        gap = r"[ \t\r\n]*"
        return cls(f"{gap},{gap}", f"{gap}:{gap}", gap, letter)

    def value(self, group: str) -> str:
        """A string, number or boolean in the group."""
        return rf'(?P<{group}>"{self.letter}*"|{NUMBER}|true|false)'

    def scalar(self, group: str) -> str:
        """A string, number, boolean or null in the group."""
        return f"(?P<{group}>{self._scalar})"

    def text(self, group: str) -> str:
        """A string that is not empty, its letters in the group."""
        return f'"(?P<{group}>{self.letter}+)"'

    @property
    def flat(self) -> str:
        """An object of plain values, its members in group ``flat``."""
        member = f'"{self.letter}*"{self.colon}{self._scalar}'
        return rf"\{{{self.gap}(?P<flat>(?:{member}(?:{self.comma}{member})*)?){self.gap}\}}"

    def layout_of(self, value: Any, slots: Slots, path: Path = ()) -> str:
        """The layout of a value, with the slots in their places."""
        if path in slots:
            return slots[path]
        if len(path) > _MAX_DEPTH:
            raise Unshapely
        if isinstance(value, dict):
            members = (
                f'"{re.escape(name)}"{self.colon}{self.layout_of(inner, slots, (*path, name))}'
                for name, inner in value.items()
            )
            return rf"\{{{self.gap}{self.comma.join(members)}{self.gap}\}}"
        if isinstance(value, list):
            return self.list_of(self.layout_of(inner, slots, (*path, number)) for number, inner in enumerate(value))
        return self._scalar

    def list_of(self, elements: Iterable[str]) -> str:
        """A list of these elements."""
        return rf"\[{self.gap}{self.comma.join(elements)}{self.gap}\]"

    def several(self, item: str) -> str:
        """A list of one item or more, all of them in group ``items``."""
        bare_item = bare(item)
        return self.list_of([rf"(?P<items>{bare_item}(?:{self.comma}{bare_item})*)"])

    @property
    def _scalar(self) -> str:
        return rf'(?:"{self.letter}*"|{NUMBER}|true|false|null)'


def parse_sample(sample: str) -> Any:
    """Parse a message from which a shape is to be learned.

    Raises:
        Unshapely: it is no JSON, has escapes, or a key twice.
    """
    if "\\" in sample:
        raise Unshapely
    try:
        return json.loads(sample, object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        raise Unshapely from error


def whole_and_item(style: Style, root: Any, head: Slots, records: Path | None, item: Slots) -> tuple[str, str | None]:
    """The expressions of a whole message and, if it has several records, of one.

    Args:
        style: how the sample is written.
        root: the sample.
        head: slots by their path in the message.
        records: path of the list of records; None: the message is one record.
        item: slots by their path in a record.

    Raises:
        Unshapely: the sample has no place for a slot, or the expression gets too long.
    """
    if records is None:
        whole, one = style.layout_of(root, {**head, **item}), None
    else:
        elements = _list_at(root, records)
        one = style.layout_of(elements[0], item)
        listed = style.several(one) if len(elements) > 1 else style.list_of([one])
        whole = style.layout_of(root, {**head, records: listed})
        one = one if len(elements) > 1 else None
    found = [group for group in _GROUP.findall(f"{whole}{one or ''}") if group != "items"]
    wanted = [group for slot in (*head.values(), *item.values()) for group in _GROUP.findall(slot)]
    if sorted(found) != sorted(wanted) or len(whole) > _MAX_LENGTH:
        raise Unshapely
    return f"^{style.gap}{whole}{style.gap}$", one


def point_slot(
    style: Style, value: Any, group: int, *, is_text: bool, takes_texts: bool, quality: str | None = None
) -> str:
    """Slot of a point's value, or of an object with one as ``value``.

    Args:
        style: how the sample is written.
        value: the sample's.
        group: number of the slot's group.
        is_text: whether the value may be a text or truth value; otherwise it is a number.
        takes_texts: whether a string that holds a number is one.
        quality: the group of the value's quality; None: it is not wanted.
    """
    if is_text:
        return value_slot(style, value, style.value(f"v{group}"), quality)
    inner = value["value"] if isinstance(value, dict) and "value" in value else value
    slot = f"(?P<v{group}>{NUMBER})"
    return value_slot(style, value, f'"{slot}"' if takes_texts and isinstance(inner, str) else slot, quality)


def value_slot(style: Style, value: Any, slot: str, quality: str | None = None) -> str:
    """Slot of a point whose value is plain, or an object with a plain one as ``value``, and its quality in a group."""
    if isinstance(value, dict) and "value" in value:
        return style.layout_of(value, {("value",): slot, **quality_slot(value, quality)})
    if isinstance(value, (dict, list)):
        raise Unshapely
    return slot


def quality_slot(fields: dict[str, Any], group: str | None) -> dict[Path, str]:
    """Slot of the quality that an object has, if it is wanted.

    Raises:
        Unshapely: it is no whole number.
    """
    if group is None or "quality" not in fields:
        return {}
    if type(fields["quality"]) is not int:
        raise Unshapely
    return {("quality",): f"(?P<{group}>{WHOLE.pattern})"}


def bare(pattern: str) -> str:
    """Return the expression without groups."""
    return _GROUP.sub("(?:", pattern)


def _list_at(root: Any, path: Path) -> list[Any]:
    for step in path:
        try:
            root = root[step]
        except (KeyError, IndexError, TypeError) as error:
            raise Unshapely from error
    if not isinstance(root, list) or not root:
        raise Unshapely
    return root


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Unshapely
    return fields
