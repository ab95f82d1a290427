"""What a job names, held against the OU's thing models: unknown names, and types that do not fit."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from streamjob_api.data_types import DataType, ValueType
from streamjob_api.expressions import Expression, Fault, value_type
from streamjob_api.expressions.tree import Variable, walk
from streamjob_api.points import PointRef
from streamjob_api.suggestions import did_you_mean
from streamjob_api.thing_models import Attribute, Point, PointType, ThingModel, ThingModels

FoundT = TypeVar("FoundT", Point, Attribute)

# Names that a message lists where none is near the one that was written.
_LISTED_NAMES = 8


class NameFaultKind(StrEnum):
    """What is wrong with a name."""

    UNKNOWN = "no thing model has it"
    MISMATCH = "it is of another type than is needed"


@dataclass(frozen=True)
class NameFault:
    """One fault; ``str`` of it is told to the job's author.

    Args:
        path: of the field, below the job's spec.
    """

    kind: NameFaultKind
    path: str
    message: str

    def __str__(self) -> str:
        return f"spec.{self.path}: {self.message}"


class NameCheck:
    """Collects the faults of one job; a block asks it about each name that it has."""

    def __init__(self, models: ThingModels) -> None:
        self._models = models
        self.faults: list[NameFault] = []

    def point(self, ref: PointRef, path: str) -> Point | None:
        """There is such a point."""
        model = self._model(ref, path)
        if model is None or ref.point in model.points_by_id:
            return self._models.point(ref)
        if ref.point in model.attributes_by_id:
            self._unknown(path, f"'{ref.point}' is an attribute of model '{model.id}'; name a point")
        else:
            nearest = _nearest(ref.point, model.points_by_id, "points")
            self._unknown(path, f"model '{model.id}' has no point '{ref.point}'{nearest}")
        return None

    def numeric_point(self, ref: PointRef, path: str) -> Point | None:
        """There is such a point, and its values are numbers."""
        return self._numeric(ref, path, self.point(ref, path))

    def attribute(self, ref: PointRef, path: str) -> Attribute | None:
        """There is such an attribute."""
        model = self._model(ref, path)
        if model is None or ref.point in model.attributes_by_id:
            return self._models.attribute(ref)
        if ref.point in model.points_by_id:
            self._unknown(path, f"'{ref.point}' is a point of model '{model.id}'; name an attribute")
        else:
            nearest = _nearest(ref.point, model.attributes_by_id, "attributes")
            self._unknown(path, f"model '{model.id}' has no attribute '{ref.point}'{nearest}")
        return None

    def numeric_attribute(self, ref: PointRef, path: str) -> Attribute | None:
        """There is such an attribute, and its values are numbers."""
        return self._numeric(ref, path, self.attribute(ref, path))

    def common_type(self, refs: Collection[PointRef]) -> ValueType | None:
        """The type of some points; None where they are of several, or of one that is not known."""
        types = {self._models.value_type(ref) for ref in refs}
        return types.pop() if len(types) == 1 else None

    def output(
        self, ref: PointRef, path: str, result: ValueType | None, what: str, *, converts: bool = False
    ) -> Point | None:
        """There is such a point, and it can hold the result.

        Args:
            what: gives the result, as a message calls it.
            converts: whether results become text where the point's data type is none of those that are known here.
        """
        point = self.point(ref, path)
        is_opaque = point is not None and point.data_type.value_type is None
        if point and result and not (converts and is_opaque) and not _holds(point.data_type, result):
            self._mismatch(
                path,
                f"'{ref}' is of data type {point.data_type}, but {what} gives {_article(result)}; "
                f"declare it {result}, or name another point",
            )
        return point

    def of_type(self, point: Point | None, ref: PointRef, path: str, needed: PointType, why: str) -> None:
        """A point is of this kind; ``why`` it must be."""
        if point and point.type is not needed:
            message = f"'{ref}' is of point type {point.type}, but {why}; declare it {needed}, or name another point"
            self._mismatch(path, message)

    def expression(self, written: Expression, path: str) -> ValueType | None:
        """All that an expression reads is there, and its types fit; the type of its value, where it is known."""
        seen: set[PointRef] = set()
        for node, _ in walk(written.tree):
            if isinstance(node, Variable) and node.ref not in seen:
                seen.add(node.ref)
                self._variable(node, written.text, path)
        checked = value_type(written, self._models.value_type)
        for fault in checked.faults:
            self._mismatch(path, str(fault))
        return None if checked.faults else checked.type

    def some_point(self, written: Expression, path: str) -> None:
        """An expression that the clock triggers reads a point: attributes alone tell of no asset."""
        if all(self._models.attribute(ref) and not self._models.point(ref) for ref in written.variables):
            self._mismatch(path, "reads attributes only; name at least one point, or use trigger mode Point")

    def _variable(self, node: Variable, text: str, path: str) -> None:
        """Points and attributes are written in the same way."""
        model = self._models.model(node.ref.model)
        known = {**model.points_by_id, **model.attributes_by_id} if model else {}
        if node.ref.point in known:
            return
        message = self._no_model(node.ref)
        if model:
            nearest = _nearest(node.ref.point, known, "points and attributes")
            message = f"model '{model.id}' has no point or attribute '{node.ref.point}'{nearest}"
        self._unknown(path, str(Fault(node.position, message).of(text)))

    def _model(self, ref: PointRef, path: str) -> ThingModel | None:
        model = self._models.model(ref.model)
        if model is None:
            self._unknown(path, self._no_model(ref))
        return model

    def _no_model(self, ref: PointRef) -> str:
        nearest = _nearest(ref.model, self._models.models_by_id, "models")
        return f"the OU's thing models have no model '{ref.model}'{nearest}"

    def _numeric(self, ref: PointRef, path: str, found: FoundT | None) -> FoundT | None:
        if found and not found.data_type.is_numeric:
            self._mismatch(path, f"'{ref}' is of data type {found.data_type}, but a number is needed; name another one")
            return None
        return found

    def _unknown(self, path: str, message: str) -> None:
        self.faults.append(NameFault(NameFaultKind.UNKNOWN, path, message))

    def _mismatch(self, path: str, message: str) -> None:
        self.faults.append(NameFault(NameFaultKind.MISMATCH, path, message))


def _nearest(name: str, known: Collection[str], what: str) -> str:
    """``; did you mean ...?``, or what there is, where nothing is near."""
    suggestion = did_you_mean(name, known)
    if suggestion:
        return suggestion
    listed = sorted(known)[:_LISTED_NAMES]
    more = f" and {len(known) - len(listed)} more" if len(known) > len(listed) else ""
    return f"; its {what} are {', '.join(listed)}{more}" if listed else f"; it has no {what}"


def _holds(declared: DataType, result: ValueType) -> bool:
    if result is ValueType.INT:
        return declared.is_numeric
    return declared.value_type is result


def _article(result: ValueType) -> str:
    return {"int": "an integer", "double": "a double", "string": "a string", "bool": "a bool"}[result]
