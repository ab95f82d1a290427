"""Point selector: passes the records of some points."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault
from streamjob_calculators.kit import Calculator, Run, pl

MAX_POINTS = 200


class PointSelector(Calculator):
    """Passes the records of some points, as they are. Behind `source` it names what the job reads."""

    points: list[PointRef] = Field(
        min_length=1,
        max_length=MAX_POINTS,
        description="Points whose records pass.",
        examples=[["Meter::A", "Meter::B"]],
    )

    def faults(self) -> Iterator[RuleFault]:
        """No point is named twice."""
        for number, point in enumerate(self.points):
            if point in self.points[:number]:
                yield RuleFault(f"'{point}' is listed twice; leave one out", ("points", number))

    def keeps_state(self) -> bool:
        """Each record is looked at by itself."""
        return False

    def takes(self) -> frozenset[PointRef]:
        """Return the points."""
        return frozenset(self.points)

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:  # noqa: ARG002
        """Return the records, which are of these points alone."""
        return records
