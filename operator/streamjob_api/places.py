"""Where in a model a path of a manifest leads: the field that stands there, and its neighbours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Path = Sequence[str | int]


@dataclass(frozen=True)
class Place:
    """What a model says of one place.

    Attributes:
        part: the model whose field it is, or that holds the unknown field.
        field: the field; None where there is none of this name. An item of a list has the list's field.
        kind: the type of what stands there; None where it is unknown.
        is_item: whether it is an item of the field's list or mapping, not the field as a whole.
    """

    part: type[BaseModel]
    field: FieldInfo | None
    kind: Any
    is_item: bool = False

    @property
    def model(self) -> type[BaseModel] | None:
        """The model of what stands there, if it is a part of the spec with fields of its own."""
        return _model(self.kind)

    @property
    def example(self) -> Any:
        """The field's first example, or its first item where the place is one; None where there is none."""
        examples = self.field.examples if self.field else None
        if not examples:
            return None
        if not self.is_item:
            return examples[0]
        items = list(examples[0].values()) if isinstance(examples[0], Mapping) else examples[0]
        return items[0] if isinstance(items, list) and items else None

    def limit(self, name: str) -> Any:
        """A limit of the field's numbers: ``ge``, ``gt``, ``le``; None where it has none."""
        metadata = self.field.metadata if self.field else []
        return next((value for each in metadata if (value := getattr(each, name, None)) is not None), None)


def place(model: type[BaseModel], path: Path) -> Place:
    """Follow a path from a model."""
    found = Place(model, None, model)
    for step in path:
        part = found.model
        if part is not None:
            field = fields(part).get(str(step))
            found = Place(part, field, bare(field.annotation) if field else None)
        else:
            found = Place(found.part, found.field, _item(found.kind), is_item=True)
    return found


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by the names that a manifest uses."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def required(model: type[BaseModel]) -> list[str]:
    """The fields of a model that must be given."""
    return [name for name, field in fields(model).items() if field.is_required()]


@cache
def homes(model: type[BaseModel], path: str) -> Mapping[str, list[str]]:
    """By name of a field, the parts of a manifest that have such a field."""
    found: dict[str, list[str]] = {}
    for name, field in fields(model).items():
        found.setdefault(name, []).append(path)
        part = part_of(field.annotation)
        for below, paths in homes(part, f"{path}.{name}").items() if part is not None else ():
            found.setdefault(below, []).extend(paths)
    return found


def bare(kind: Any) -> Any:
    """A type without its annotations and without None."""
    if get_origin(kind) is Annotated:
        return bare(get_args(kind)[0])
    variants = [variant for variant in get_args(kind) if variant is not NoneType]
    if NoneType in get_args(kind) and len(variants) == 1:
        return bare(variants[0])
    return kind


def part_of(kind: Any) -> type[BaseModel] | None:
    """The model of a type, of the items of a list, or of the values of a mapping."""
    kind = bare(kind)
    item = _item(kind)
    return _model(kind) or (_model(item) if item is not None else None)


def _item(kind: Any) -> Any:
    arguments = get_args(kind)
    return bare(arguments[-1]) if get_origin(kind) in {list, dict} and arguments else None


def _model(kind: Any) -> type[BaseModel] | None:
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
