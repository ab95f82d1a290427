"""The type of a field in words, limits and unit included, for the reference page."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from streamjob_api.assets import AssetPattern
from streamjob_api.durations import Duration
from streamjob_api.expressions import Expression
from streamjob_api.intervals import Interval
from streamjob_api.json_paths import JsonPath
from streamjob_api.places import bare, part_of
from streamjob_api.points import AttributeRef, PointRef
from streamjob_api.schema_marks import UNIT_KEY
from streamjob_api.timezones import TimeZone
from streamjob_api.written import Written

Schema = Mapping[str, Any]

_WRITTEN: Mapping[type[Written], str] = {
    AssetPattern: "asset pattern",
    AttributeRef: "attribute",
    Duration: "duration",
    Expression: "expression",
    Interval: "interval",
    JsonPath: "JSON path",
    PointRef: "point",
    TimeZone: "time zone",
}
# What each type is written as.
TYPE_PAGES = {words: kind.EXAMPLE for kind, words in _WRITTEN.items()} | {
    "time": "a time with its zone (RFC 3339), as in 2026-01-31T00:00:00Z"
}
_PLAIN: Mapping[type, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    datetime: "time",
}


def type_words(field: FieldInfo, schema: Schema) -> str:
    """The type of a field, as in ``whole number, 1 to 100 (CU)``.

    Args:
        schema: the field's own JSON schema.
    """
    kind = bare(field.annotation)
    schema = _given(schema)
    parts = [_kind_words(kind), _numbers(schema), _sizes(schema, kind)]
    unit = f" ({schema[UNIT_KEY]})" if UNIT_KEY in schema else ""
    return ", ".join(part for part in parts if part) + unit


def _kind_words(kind: Any) -> str:
    kind = bare(kind)
    if get_origin(kind) is list:
        return "list" if part_of(kind) is not None else f"list of {_items(get_args(kind)[0])}"
    if get_origin(kind) is dict:
        return f"mapping of names to {_items(get_args(kind)[1])}"
    if part_of(kind) is not None:
        return "fields"
    if issubclass(kind, Enum):
        return " \\| ".join(f"`{each.value}`" for each in kind)
    return _WRITTEN.get(kind) or _PLAIN.get(kind) or "anything"


def _items(kind: Any) -> str:
    kind = bare(kind)
    if kind is Any:
        return "anything"
    words = _kind_words(kind)
    if words.startswith("list of "):
        return words.replace("list", "lists", 1)
    return words if words.startswith("`") else f"{words}s"


def _numbers(schema: Schema) -> str:
    least, above, most = schema.get("minimum"), schema.get("exclusiveMinimum"), schema.get("maximum")
    step = f"in steps of {schema['multipleOf']:g}" if "multipleOf" in schema else ""
    if least is not None and most is not None:
        span = f"{least:g} to {most:g}" if max(abs(least), abs(most)) < 1e6 else f"{least:,} to {most:,}"
    elif above is not None:
        span = f"above {above:g}"
    else:
        span = f"at least {least:g}" if least is not None else ""
    return " ".join(part for part in (span, step) if part)


def _sizes(schema: Schema, kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, Written):
        return ""
    for least, most, things in (("minLength", "maxLength", "characters"), ("minItems", "maxItems", "items")):
        if most in schema:
            lowest = schema.get(least)
            return f"{lowest} to {schema[most]} {things}" if lowest else f"up to {schema[most]} {things}"
    return f"up to {schema['maxProperties']} entries" if "maxProperties" in schema else ""


def _given(schema: Schema) -> Schema:
    """The schema of the value where it is given: ``anyOf [X, null]`` is X."""
    variants = [variant for variant in schema.get("anyOf", ()) if variant.get("type") != "null"]
    return {**schema, **variants[0]} if len(variants) == 1 else schema
