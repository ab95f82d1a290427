"""Related record obtainer: puts the latest records of other points of the same asset beside each record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from streamjob_api.calculators import Flow
from streamjob_api.duration_limits import between
from streamjob_api.durations import Duration
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault
from streamjob_calculators.kit import PointCalculator, Run, pl
from streamjob_calculators.kit.latest import listed, with_latest
from streamjob_calculators.kit.series import of_now

ATTACHED = "relatedRecordObtainer"


class RelatedRecordObtainer(PointCalculator):
    """Puts the latest records of other points of the same asset beside each record of a point.

    `attr.relatedRecordObtainer` is a list of their `point`, `time` and `value`, of those that there are. A record that
    is older than the latest one of its asset and point is counted as `late` and goes no further. Assets that are
    related by a tree are not looked at.
    """

    related: list[PointRef] = Field(
        min_length=1, max_length=50, description="Points whose latest records are wanted.", examples=[["Meter::B"]]
    )
    max_age: Annotated[Duration, between("1s", "366d")] | None = Field(
        default=None, description="How old they may be, by the record's time. Left out: any age.", examples=["1h"]
    )

    def faults(self) -> Iterator[RuleFault]:
        """The points differ."""
        for number, point in enumerate(self.related):
            if point in {self.input, *self.related[:number]}:
                yield RuleFault(f"'{point}' is named already; leave one out", ("related", number))

    def takes(self) -> frozenset[PointRef]:
        """Return all of the points."""
        return frozenset({self.input, *self.related})

    def gives(self, coming: Flow) -> Flow:
        """Return the one point."""
        return super().gives(coming.drawn({self.input})).with_attached(ATTACHED)

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the records of the input."""
        rows = of_now(with_latest(records, run, self.related, self.max_age)).filter(pl.col("point") == str(self.input))
        related = rows.with_columns(listed(len(self.related)).alias(ATTACHED))
        return self.named(related.select(*records.columns, ATTACHED))
