"""Record sorter by time: puts each micro-batch's records in the order of their time."""

from __future__ import annotations

from typing import ClassVar

from streamjob_calculators.kit import Calculator, Run, pl


class RecordSorterByTime(Calculator):
    """Puts the records of each micro-batch in the order of their time; those of one time stay as they came."""

    ALIASES: ClassVar[tuple[str, ...]] = ("time-sort",)

    def keeps_state(self) -> bool:
        """Each micro-batch is looked at by itself."""
        return False

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:  # noqa: ARG002
        """Return the records by time."""
        return records.sort("time", maintain_order=True)
