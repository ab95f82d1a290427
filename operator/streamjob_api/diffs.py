"""What a change of a field does to a running job: its diff class.

Every field of a StreamJob's spec names one in its ``json_schema_extra``; the schema's descriptions, the reference page
and the operator's decision to restart a driver all read it there.
"""

from collections.abc import Collection, Iterator
from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.types import JsonValue

Extra = dict[str, JsonValue]
DIFF_KEY = "x-streamjob-diff"


class Diff(StrEnum):
    """What has to happen when a field changes."""

    IGNORED = "Ignored"
    LIVE = "Live"
    RESTART = "Restart"
    STATE_BREAKING = "StateBreaking"


# The classes of fields whose change replaces the driver.
RESTARTING = frozenset({Diff.RESTART, Diff.STATE_BREAKING})


IGNORED: Extra = {DIFF_KEY: Diff.IGNORED.value}
LIVE: Extra = {DIFF_KEY: Diff.LIVE.value}
RESTART: Extra = {DIFF_KEY: Diff.RESTART.value}
STATE_BREAKING: Extra = {DIFF_KEY: Diff.STATE_BREAKING.value}


def diff_of(field: FieldInfo) -> Diff | None:
    """The class that a field names; None for a part of the spec whose own fields have theirs."""
    extra = field.json_schema_extra
    named = extra.get(DIFF_KEY) if isinstance(extra, dict) else None
    return Diff(named) if isinstance(named, str) else None


def given(model: BaseModel, wanted: Collection[Diff] = RESTARTING) -> dict[str, Any]:
    """What of a spec differs from its defaults, as plain data: the fields of these classes.

    Fields at their default take no part, so that a later version's new fields change nothing.
    """
    return {name: value for name, value in _given(model, wanted) if value not in ({}, None)}


def _given(model: BaseModel, wanted: Collection[Diff]) -> Iterator[tuple[str, Any]]:
    for name, value, diff in given_fields(model):
        if isinstance(value, BaseModel) and diff is None:
            yield name, given(value, wanted)
        elif (diff or Diff.RESTART) in wanted:
            yield name, model.model_dump(mode="json", include={name}, by_alias=False, exclude_defaults=True)[name]


def given_fields(model: BaseModel) -> Iterator[tuple[str, Any, Diff | None]]:
    """Name, value and class of each field that is not at its default; parts with fields of their own in any case."""
    for name, default, diff in _fields(type(model)):
        value = getattr(model, name)
        if value != default or (isinstance(value, BaseModel) and diff is None):
            yield name, value, diff


@cache
def _fields(model: type[BaseModel]) -> list[tuple[str, Any, Diff | None]]:
    """Name, default and class of each field; pydantic copies a default in depth each time it is asked for."""
    return [
        (name, field.get_default(call_default_factory=True), diff_of(field))
        for name, field in model.model_fields.items()
    ]
