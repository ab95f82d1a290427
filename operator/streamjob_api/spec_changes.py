"""What differs between two specs, field by field, for people and with what it does."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from streamjob_api.diffs import Diff, diff_of
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.templates.pipeline import Pipeline

# What a message shows of one value, and how many changes it names.
_MAX_VALUE = 60
_MAX_CHANGES = 8
# Of a stage, by its place among the wanted ones or, where there is none, by its name.
_STAGE = re.compile(r"spec\.pipeline\.stages\[([^\]]+)\]")
_LIST_KEYS = "x-kubernetes-list-map-keys"


@dataclass(frozen=True)
class Change:
    """One field that has another value."""

    path: str
    before: Any
    after: Any
    diff: Diff

    def __str__(self) -> str:
        return f"{self.path}: {_shown(self.before)} -> {_shown(self.after)}"


def changes(before: StreamJobSpec, after: StreamJobSpec) -> list[Change]:
    """All that differs, in the order of the fields."""
    found = _changes("spec", StreamJobSpec, before, after)
    if before.pipeline is None or after.pipeline is None:
        return list(found)
    return [_of_stage(change, before.pipeline, after.pipeline) for change in found]


def _of_stage(change: Change, before: Pipeline, after: Pipeline) -> Change:
    """Return a change with what it does, which is less in stages that no state rests on, neither before nor after."""
    place = _STAGE.match(change.path)
    if place is None:
        return change
    name = after.stages[int(place[1])].name if place[1].isdecimal() else place[1]
    resting = {node.stage.name for each in (before, after) for node in each.graph.under_state}
    return change if name in resting else replace(change, diff=Diff.RESTART)


def shown(found: Sequence[Change]) -> str:
    """Changes as one text, as many as there is room for."""
    more = len(found) - _MAX_CHANGES
    return ", ".join(map(str, found[:_MAX_CHANGES])) + (f" and {more} more" if more > 0 else "")


def _changes(path: str, model: type[BaseModel], before: Any, after: Any, above: Diff | None = None) -> Iterator[Change]:
    """Of two parts of the same kind, one of which may be missing."""
    for name, field in model.model_fields.items():
        one, other = getattr(before, name, None), getattr(after, name, None)
        if one != other:
            yield from _of_field(f"{path}.{field.alias or name}", field, one, other, above)


def _of_field(path: str, field: FieldInfo, one: Any, other: Any, above: Diff | None) -> Iterator[Change]:
    diff = diff_of(field) or above
    keys = field.json_schema_extra.get(_LIST_KEYS) if isinstance(field.json_schema_extra, dict) else None
    if isinstance(one, BaseModel) and isinstance(other, BaseModel):
        yield from _changes(path, type(other), one, other, diff)
    elif isinstance(keys, list) and isinstance(one, list) and isinstance(other, list):
        yield from _of_list(path, [str(key) for key in keys], one, other, diff or Diff.RESTART)
    elif diff is None and isinstance(present := one or other, BaseModel):
        yield from _changes(path, type(present), one, other)
    else:
        yield Change(path, _plain(one), _plain(other), diff or Diff.RESTART)


def _of_list(path: str, keys: list[str], one: list[Any], other: list[Any], diff: Diff) -> Iterator[Change]:
    """Items are told apart by their keys; where they stand takes no part."""
    before = {_key(item, keys): item for item in one}
    for place, item in enumerate(other):
        former = before.pop(_key(item, keys), None)
        if former is None:
            yield Change(f"{path}[{place}]", None, _plain(item), diff)
        else:
            yield from _changes(f"{path}[{place}]", type(item), former, item, diff)
    for key, item in before.items():
        yield Change(f"{path}[{', '.join(key)}]", _plain(item), None, diff)


def _key(item: BaseModel, keys: list[str]) -> tuple[str, ...]:
    named = {field.alias or name: getattr(item, name) for name, field in type(item).model_fields.items()}
    return tuple(str(named[key]) for key in keys)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 3]}..."
