"""Thing models: which points and attributes the models of an OU's devices have, and their types."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError

from streamjob_api.base import ApiModel
from streamjob_api.data_types import DataType, ValueType
from streamjob_api.points import NAME, PointRef
from streamjob_api.rule_faults import RuleFault
from streamjob_api.thing_model_faults import told
from streamjob_api.yaml_values import InvalidYaml, load

MAX_BYTES = 2**20  # what a ConfigMap holds
_MAX_TOLD = 20

Id = Annotated[str, StringConstraints(pattern=rf"^{NAME}$")]


class InvalidThingModels(ValueError):  # noqa: N818 (says what the text is)
    """Thing models that are refused; ``faults`` holds every fault, ``str`` of it tells the first ones."""

    def __init__(self, faults: list[str]) -> None:
        more = len(faults) - _MAX_TOLD
        rest = [f"and {more} more"] if more > 0 else []
        super().__init__("; ".join([*faults[:_MAX_TOLD], *rest]))
        self.faults = faults


class PointType(StrEnum):
    """The service's kinds of points: analog, digital and pulse inputs, and all others."""

    AI = "AI"
    DI = "DI"
    PI = "PI"
    GENERIC = "Generic"


class Attribute(ApiModel):
    """A static property of a device."""

    id: Id
    data_type: DataType


class Point(ApiModel):
    """A value that devices send or that a job calculates."""

    id: Id
    type: PointType
    data_type: DataType


# `points:` with nothing behind it is an empty list
Points = Annotated[list[Point], BeforeValidator(lambda raw: [] if raw is None else raw)]
Attributes = Annotated[list[Attribute], BeforeValidator(lambda raw: [] if raw is None else raw)]


class ThingModel(ApiModel):
    """One model, with all its points and attributes, also inherited ones."""

    id: Id
    path: Annotated[str, StringConstraints(pattern=r"^(/[^/\s]+)+$", max_length=1024)] | None = None
    points: Points = Field(default=[])
    attributes: Attributes = Field(default=[])

    @cached_property
    def points_by_id(self) -> dict[str, Point]:
        """The points; the keys are the names for suggestions."""
        return {point.id: point for point in self.points}

    @cached_property
    def attributes_by_id(self) -> dict[str, Attribute]:
        """The attributes; the keys are the names for suggestions."""
        return {attribute.id: attribute for attribute in self.attributes}

    @classmethod
    def faults_of_form(cls, raw: Mapping[str, Any]) -> Iterator[RuleFault]:
        """Points and attributes share their names: an expression writes both in the same way."""
        return _repeated(raw, ("points", "attributes"))


class ThingModels(ApiModel):
    """The models of an OU: what ``models.yaml`` holds."""

    models: list[ThingModel]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``models.yaml``.

        Raises:
            InvalidThingModels: naming every fault at once, or the place where the text is no YAML.
        """
        try:
            return cls.model_validate(load(text, MAX_BYTES))
        except InvalidYaml as error:
            raise InvalidThingModels([str(error)]) from error
        except ValidationError as error:
            fields: dict[str, type[ApiModel]] = {
                "": cls,
                "models": ThingModel,
                "points": Point,
                "attributes": Attribute,
            }
            raise InvalidThingModels([told(fault, fields) for fault in error.errors(include_url=False)]) from error

    @cached_property
    def models_by_id(self) -> dict[str, ThingModel]:
        """The models; the keys are the names for suggestions."""
        return {model.id: model for model in self.models}

    def model(self, model_id: str) -> ThingModel | None:
        """The model of this id."""
        return self.models_by_id.get(model_id)

    def point(self, ref: PointRef) -> Point | None:
        """The point that is written ``model::point``."""
        model = self.model(ref.model)
        return model.points_by_id.get(ref.point) if model else None

    def attribute(self, ref: PointRef) -> Attribute | None:
        """The attribute that is written ``model::attribute``."""
        model = self.model(ref.model)
        return model.attributes_by_id.get(ref.point) if model else None

    def value_type(self, ref: PointRef) -> ValueType | None:
        """The type of a point or an attribute in expressions; None when it is opaque or does not exist."""
        found = self.point(ref) or self.attribute(ref)
        return found.data_type.value_type if found else None

    @classmethod
    def faults_of_form(cls, raw: Mapping[str, Any]) -> Iterator[RuleFault]:
        """Each model is listed once."""
        return _repeated(raw, ("models",))


def _repeated(raw: Mapping[str, Any], lists: tuple[str, ...]) -> Iterator[RuleFault]:
    """Ids that occur a second time in these lists of a raw mapping."""
    first: dict[str, str] = {}
    for name in lists:
        items = raw.get(name)
        for index, item in enumerate(items if isinstance(items, list) else []):
            written = item.get("id") if isinstance(item, Mapping) else None
            if not isinstance(written, str):
                continue
            place = f"{name}[{index}]"
            if written in first:
                yield RuleFault(f"'{written}' is already the id of {first[written]}", (name, index, "id"))
            first.setdefault(written, place)
