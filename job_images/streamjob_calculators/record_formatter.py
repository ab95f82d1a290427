"""Record formatter: names points anew, and chooses what of ``attr`` goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from streamjob_api.base import ApiModel
from streamjob_api.calculators import Flow
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault, listed_twice
from streamjob_calculators.kit import Calculator, Run, pl

TAGS = "tags"
Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class Renamed(ApiModel):
    """A point, and what it is called from here on."""

    point: PointRef = Field(description="Point whose records get another name.", examples=["Meter::A"])
    as_: PointRef = Field(alias="as", description="Their name, of any model.", examples=["Meter::B"])


class RecordFormatter(Calculator):
    """Names points anew, and chooses what of `attr` goes on.

    With `rename`, records of the points that it names go on, those of others do not; `as` may be the same name.

    The service's calculator of this name also converts between its older and its newer form of records, of which the
    latter is not public: that cannot be had here.
    """

    rename: list[Renamed] = Field(
        default=[],
        max_length=200,
        description="Points and their names from here on; several may get the same one. Left out: all keep theirs.",
        examples=[[{"point": "Meter::A", "as": "Meter::B"}]],
    )
    keep: list[Name] | None = Field(
        default=None,
        max_length=50,
        description="Names in attr that go on, of all that stages added. Left out: all of them; empty: none.",
        examples=[["isOutlier"]],
    )
    tags: dict[Name, Annotated[str, StringConstraints(max_length=1024)]] = Field(
        default={}, max_length=50, description="Texts to put into attr.tags.", examples=[{"site": "north"}]
    )

    def faults(self) -> Iterator[RuleFault]:
        """Something is formatted; each point gets one name."""
        yield from listed_twice("rename", [each.point for each in self.rename])
        yield from listed_twice("keep", self.keep or [])
        if not self.rename and self.keep is None and not self.tags:
            yield RuleFault("nothing is formatted; write rename, keep or tags")
        if self.tags and TAGS in (self.keep or []):
            yield RuleFault("'tags' is what tags adds; leave one of them out", ("keep",))

    def keeps_state(self) -> bool:
        """Each record is looked at by itself."""
        return False

    def misfits(self, coming: Flow) -> Iterator[RuleFault]:
        """What is kept is there."""
        for number, name in enumerate(self.keep or []):
            if name not in coming.attached and not coming.attaches_more:
                listed = f"it has {', '.join(sorted(coming.attached))}" if coming.attached else "it is empty"
                yield RuleFault(f"no stage before adds '{name}' to attr; {listed}", ("parameters", "keep", number))

    def takes(self) -> frozenset[PointRef] | None:
        """Return the points that are renamed; where none is, whatever comes."""
        return frozenset(each.point for each in self.rename) or None

    def gives(self, coming: Flow) -> Flow:
        """Return all points under their new names."""
        names = {each.point: each.as_ for each in self.rename}
        flows = [Flow({names.get(point, point): made}) for point, made in coming.points.items()]
        points = Flow.joined(flows).points
        kept = coming.attached if self.keep is None else coming.attached & {*self.keep}
        return replace(coming, points=points, attached=kept | ({TAGS} if self.tags else frozenset()))

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:  # noqa: ARG002
        """Return the records, formatted."""
        formatted: dict[str, Any] = {}
        if self.rename:
            kind = records.schema["point"]
            names = {str(each.point): str(each.as_) for each in self.rename}
            formatted["point"] = pl.col("point").cast(pl.String).replace(names).cast(kind)
        if self.tags:
            formatted[TAGS] = pl.struct([pl.lit(text).alias(name) for name, text in self.tags.items()])
        return self._kept(records).with_columns(**formatted)

    def _kept(self, records: pl.DataFrame) -> pl.DataFrame:
        from streamjob_runtime.templates.pipeline_results import OWN  # noqa: PLC0415 (the operator reads parameters alone)

        kept = self.keep
        return (
            records if kept is None else records.select(each for each in records.columns if each in OWN or each in kept)
        )
