"""What an OU's thing models say of the names in a job's expressions, as a driver must know it."""

from collections.abc import Iterator
from typing import Self

from pydantic import Field

from streamjob_api.base import ApiModel
from streamjob_api.data_types import ValueType
from streamjob_api.points import AttributeRef, PointRef
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.templates.multi_point_merging import MultiPointMerging
from streamjob_api.thing_models import ThingModels


class ResolvedNames(ApiModel):
    """Without thing models nothing is known: all names are points, and what they hold is told by how they are used."""

    attributes: list[AttributeRef] = Field(default=[], description="Names in expressions that are attributes.")
    texts: list[PointRef] = Field(
        default=[],
        description="Names whose values are texts. A result that is none becomes one where the output is listed here.",
    )
    truth_values: list[PointRef] = Field(default=[], description="Names whose values are true or false.")

    @classmethod
    def of(cls, spec: StreamJobSpec, models: ThingModels) -> Self:
        """Look the names of a valid job up."""
        merging = spec.multi_point_merging
        if merging is None:
            return cls()
        types = {ref: models.value_type(ref) for ref in _names(merging)}
        types |= dict(_converted(merging, models))
        return cls(
            attributes=sorted(
                AttributeRef(ref.model, ref.point) for ref in types if models.attribute(ref) and not models.point(ref)
            ),
            texts=sorted(ref for ref, kind in types.items() if kind is ValueType.TEXT),
            truth_values=sorted(ref for ref, kind in types.items() if kind is ValueType.BOOLEAN),
        )

    def is_attribute(self, ref: PointRef) -> bool:
        """Whether a name in an expression is that of an attribute."""
        return AttributeRef(ref.model, ref.point) in self.attributes

    def value_type(self, ref: PointRef) -> ValueType | None:
        """Return the type of a name; None where it is a number or not known."""
        if ref in self.texts:
            return ValueType.TEXT
        return ValueType.BOOLEAN if ref in self.truth_values else None


def _names(merging: MultiPointMerging) -> Iterator[PointRef]:
    """Yield all that is read."""
    for policy in merging.policies:
        yield from policy.logic.variables
        if policy.trigger_point is not None:
            yield policy.trigger_point


def _converted(merging: MultiPointMerging, models: ThingModels) -> Iterator[tuple[PointRef, ValueType]]:
    """Yield the outputs of a data type that is not known here: results become texts."""
    for policy in merging.policies:
        point = models.point(policy.output)
        if point is not None and point.data_type.value_type in {None, ValueType.TEXT}:
            yield policy.output, ValueType.TEXT
