"""Data viewer: ends a branch of a pipeline whose records are only looked at."""

from __future__ import annotations

from streamjob_api.calculators import Flow
from streamjob_calculators.kit import Calculator, Run, pl


class DataViewer(Calculator):
    """Ends a branch whose records are only looked at: `streamjob preview --stage` shows them.

    They are no results, and are counted as `discarded`.
    """

    def keeps_state(self) -> bool:
        """Each record is looked at by itself."""
        return False

    def gives(self, coming: Flow) -> Flow:  # noqa: ARG002
        """Return nothing."""
        return Flow()

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return nothing."""
        run.count("discarded", records.height)
        return records.clear()
