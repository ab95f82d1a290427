"""What comes to a stage, as far as the manifest alone tells: points, what they are made of, and what was attached."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from streamjob_api.data_types import ValueType
from streamjob_api.points import PointRef

# Points that a message lists.
_LISTED = 4


@dataclass(frozen=True)
class Made:
    """What records of a point come from.

    Attributes:
        sources: points of the topic.
        type: of the values; None: that of the sources.
        is_typed: whether their type is known by that.
    """

    sources: frozenset[PointRef]
    type: ValueType | None = None
    is_typed: bool = True

    def __or__(self, other: "Made") -> "Made":
        is_typed = self.is_typed and other.is_typed and self.type == other.type
        return Made(self.sources | other.sources, self.type if is_typed else None, is_typed)


@dataclass(frozen=True)
class Flow:
    """Records between two stages.

    Attributes:
        points: that the records may be of.
        attached: names of what stages added to ``attr``.
        is_open: whether there is more: whatever the topic holds.
        attaches_more: whether stages may have added more to ``attr``.
    """

    points: Mapping[PointRef, Made] = field(default_factory=dict)
    attached: frozenset[str] = frozenset()
    is_open: bool = False
    attaches_more: bool = False

    @classmethod
    def joined(cls, flows: Iterable["Flow"]) -> Self:
        """Return what comes where several flows meet."""
        points: dict[PointRef, Made] = {}
        attached: frozenset[str] = frozenset()
        is_open = attaches_more = False
        for flow in flows:
            for point, made in flow.points.items():
                points[point] = points[point] | made if point in points else made
            attached |= flow.attached
            is_open |= flow.is_open
            attaches_more |= flow.attaches_more
        return cls(points, attached, is_open, attaches_more)

    @property
    def words(self) -> str:
        """What comes, in place of what was named."""
        if not self.points:
            return "nothing does"
        listed = [str(point) for point in sorted(self.points)]
        more = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
        return f"what comes is {', '.join(listed[:_LISTED])}{more}"

    def drawn(self, wanted: Collection[PointRef]) -> "Flow":
        """Return the part of some points; those of them that do not come are not in it."""
        points = {point: made for point in sorted(wanted) if (made := self.of(point)) is not None}
        return replace(self, points=points, is_open=False)

    def of(self, point: PointRef) -> Made | None:
        """Return what a point's records come from; None where there are none."""
        return self.points.get(point) or (Made(frozenset({point})) if self.is_open else None)

    def made(self, output: PointRef, of: ValueType | None = None) -> "Flow":
        """Return what a stage gives that makes one point of all that comes.

        Args:
            output: the point.
            of: type of its values; None: that of what it is made of.
        """
        from_all = Flow.joined(Flow({output: made}) for made in self.points.values())
        made = from_all.points.get(output, Made(frozenset()))
        return replace(self, points={output: made if of is None else Made(made.sources, of)}, is_open=False)

    def untyped(self) -> "Flow":
        """Return the same, of types that nobody tells."""
        return replace(self, points={point: replace(made, is_typed=False) for point, made in self.points.items()})

    def with_attached(self, *names: str) -> "Flow":
        """Return what a stage gives that adds to ``attr``."""
        return replace(self, attached=self.attached | {*names})
