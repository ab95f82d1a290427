"""What an OU's thing models say of the names in a job's expressions, as a driver must know it."""

from collections.abc import Iterator
from typing import Self

from pydantic import Field

from streamjob_api.base import ApiModel
from streamjob_api.data_types import DataType, ValueType
from streamjob_api.points import AttributeRef, PointRef
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.templates.multi_point_merging import MultiPointMerging
from streamjob_api.templates.pipeline import Pipeline
from streamjob_api.thing_models import PointType, ThingModels


class DescribedPoint(ApiModel):
    """What a thing model says of a point."""

    point: PointRef
    type: PointType
    data_type: DataType


class ResolvedNames(ApiModel):
    """Without thing models nothing is known: all names are points, and what they hold is told by how they are used."""

    attributes: list[AttributeRef] = Field(default=[], description="Names in expressions that are attributes.")
    texts: list[PointRef] = Field(
        default=[],
        description="Names whose values are texts. A result that is none becomes one where the output is listed here.",
    )
    truth_values: list[PointRef] = Field(default=[], description="Names whose values are true or false.")
    # None rather than an empty list: a runtime of an older version, which does not know it, goes on.
    points: list[DescribedPoint] | None = Field(
        default=None, description="Points that stages of a pipeline look up. Left out: none."
    )

    @classmethod
    def of(cls, spec: StreamJobSpec, models: ThingModels) -> Self:
        """Look the names of a valid job up."""
        if spec.pipeline is not None:
            return cls(points=list(_described(spec.pipeline, models)) or None)
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

    def description(self, ref: PointRef) -> DescribedPoint | None:
        """Return what the thing models say of a point that a stage looks up; None where nothing is known."""
        return next((point for point in self.points or () if point.point == ref), None)

    def is_attribute(self, ref: PointRef) -> bool:
        """Whether a name in an expression is that of an attribute."""
        return AttributeRef(ref.model, ref.point) in self.attributes

    def value_type(self, ref: PointRef) -> ValueType | None:
        """Return the type of a name; None where it is a number or not known."""
        if ref in self.texts:
            return ValueType.TEXT
        return ValueType.BOOLEAN if ref in self.truth_values else None


def _described(pipeline: Pipeline, models: ThingModels) -> Iterator[DescribedPoint]:
    for ref in sorted({ref for node in pipeline.graph.nodes for ref in node.parameters.described()}):
        point = models.point(ref)
        if point is not None:
            yield DescribedPoint(point=ref, type=point.type, data_type=point.data_type)


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
