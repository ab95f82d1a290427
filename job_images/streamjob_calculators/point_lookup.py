"""Point lookup: puts what the thing model says of a record's point beside it."""

from __future__ import annotations

from typing import ClassVar

from streamjob_api.calculators import Flow
from streamjob_api.points import PointRef
from streamjob_calculators.kit import PointCalculator, Run, pl

ATTACHED = "tslPointLookup"


class PointLookup(PointCalculator):
    """Puts what the OU's thing models say of a record's point beside it.

    `attr.tslPointLookup` has `type` (`AI`, `DI`, `PI` or `Generic`) and `dataType`; it is null where the OU names no
    thing models, as in a preview.
    """

    ALIASES: ClassVar[tuple[str, ...]] = ("tsl-point-lookup",)

    def described(self) -> frozenset[PointRef]:
        """Return the point."""
        return frozenset({self.input})

    def keeps_state(self) -> bool:
        """Each record is looked at by itself."""
        return False

    def gives(self, coming: Flow) -> Flow:
        """Return the point, with its description."""
        return super().gives(coming).with_attached(ATTACHED)

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the records with the description of their point."""
        found = run.surroundings.names.description(self.input)
        told = None if found is None else {"type": str(found.type), "dataType": str(found.data_type)}
        kind = pl.Struct({"type": pl.String(), "dataType": pl.String()})
        return self.named(records.with_columns(pl.lit(told, kind).alias(ATTACHED)))
