"""What the fields of an asset's hashes hold."""

import sys
from collections.abc import Mapping
from typing import Any

from streamjob_runtime.templates.attribute_values import parsed, scalar_of
from streamjob_runtime.templates.surroundings import Asset, LatestValue, NoScalar

_LATEST_TIME = 2**53  # epoch ms


def asset_of(fields: Mapping[str, bytes | None]) -> Asset | None:
    """Return what is written of an asset; None where nothing is. What is of another form than it should be is left out.

    Args:
        fields: ``modelId``, ``name``, ``timezone`` as texts; ``tags``, ``parents``, ``children`` as JSON objects.
    """
    if all(written is None for written in fields.values()):
        return None
    tags, parents, children = (_mapping(fields[name]) for name in ("tags", "parents", "children"))
    model, name, timezone = (_text(fields[field]) for field in ("modelId", "name", "timezone"))
    return asset_told(model, name, timezone, tags, parents, children)


def asset_told(
    model: str | None,
    name: str | None,
    timezone: str | None,
    tags: Mapping[str, Any],
    parents: Mapping[str, Any],
    children: Mapping[str, Any],
) -> Asset:
    """Return an asset; tags that are numbers or truth values are told as texts."""
    return Asset(
        model,
        name,
        timezone,
        {tag: _told(value) for tag, value in tags.items() if isinstance(value, str | int | float)},
        {tree: parent for tree, parent in parents.items() if isinstance(parent, str)},
        {tree: tuple(filter(_is_text, below)) for tree, below in children.items() if isinstance(below, list)},
    )


def latest_of(written: bytes | None) -> LatestValue | None:
    """Return the latest value that is written of a point; None where there is none, or something else.

    Args:
        written: a JSON object with ``time``, epoch ms, and ``value``, a number, a text or a truth value.
    """
    try:
        return None if written is None else latest_told(parsed(written))
    except (ValueError, RecursionError):
        return None


def latest_told(told: Any) -> LatestValue | None:
    """Return the latest value that parsed JSON tells of."""
    if not isinstance(told, dict):
        return None
    time, value = told.get("time"), scalar_of(told.get("value"))
    if type(time) is not int or abs(time) > _LATEST_TIME or value is None or isinstance(value, NoScalar):
        return None
    return LatestValue(time, value) if isinstance(value, str) or abs(value) <= sys.float_info.max else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _told(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(written: bytes | None) -> str | None:
    return None if written is None else written.decode(errors="replace")


def _mapping(written: bytes | None) -> Mapping[str, Any]:
    try:
        found = {} if written is None else parsed(written)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
