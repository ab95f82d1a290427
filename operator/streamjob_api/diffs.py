"""What a change of a field does to a running job: its diff class.

Every field of a StreamJob's spec names one in its ``json_schema_extra``; the schema's descriptions, the reference page
and the operator's decision to restart a driver all read it there.
"""

from collections.abc import Iterator
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

    @property
    def restarts(self) -> bool:
        """Whether the driver is replaced."""
        return self in {Diff.RESTART, Diff.STATE_BREAKING}


IGNORED: Extra = {DIFF_KEY: Diff.IGNORED.value}
LIVE: Extra = {DIFF_KEY: Diff.LIVE.value}
RESTART: Extra = {DIFF_KEY: Diff.RESTART.value}
STATE_BREAKING: Extra = {DIFF_KEY: Diff.STATE_BREAKING.value}


def diff_of(field: FieldInfo) -> Diff | None:
    """The class that a field names; None for a part of the spec whose own fields have theirs."""
    extra = field.json_schema_extra
    named = extra.get(DIFF_KEY) if isinstance(extra, dict) else None
    return Diff(named) if isinstance(named, str) else None


def given(model: BaseModel, *, restarting: bool) -> dict[str, Any]:
    """What of a spec differs from its defaults, as plain data: the fields that restart a driver, or the others.

    Fields at their default take no part, so that a later version's new fields change nothing.
    """
    return {name: value for name, value in _given(model, restarting=restarting) if value not in ({}, None)}


def _given(model: BaseModel, *, restarting: bool) -> Iterator[tuple[str, Any]]:
    for name, default, diff in _fields(type(model)):
        value = getattr(model, name)
        if isinstance(value, BaseModel) and diff is None:
            yield name, given(value, restarting=restarting)
        elif value != default and ((diff or Diff.RESTART).restarts is restarting):
            yield name, model.model_dump(mode="json", include={name}, by_alias=False, exclude_defaults=True)[name]


@cache
def _fields(model: type[BaseModel]) -> list[tuple[str, Any, Diff | None]]:
    """Name, default and class of each field; pydantic copies a default in depth each time it is asked for."""
    return [
        (name, field.get_default(call_default_factory=True), diff_of(field))
        for name, field in model.model_fields.items()
    ]
