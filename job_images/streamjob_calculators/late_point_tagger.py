"""Late point tagger: says of each record whether a newer one of its series came before it."""

from __future__ import annotations

from typing import ClassVar

from streamjob_api.calculators import Flow
from streamjob_calculators.kit import PointCalculator, Run, pl
from streamjob_calculators.kit.series import SERIES, after_earlier, keep_last, of_now

# What the service's own page shows of a late record; 0 is the quality of one that is not.
LATE = 5


class LatePointTagger(PointCalculator):
    """Says of each record whether it is late: older than the newest of its asset and point that came before it.

    `dq` of a late record is 5, of any other 0. The first record of a series is never late.
    """

    ALIASES: ClassVar[tuple[str, ...]] = ("late-point-filter",)

    def gives(self, coming: Flow) -> Flow:
        """Return the tagged point."""
        return super().gives(coming).with_attached("dq")

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the records with ``dq``."""
        rows = after_earlier(records, run, ["time"])
        newest = pl.col("time").cum_max().over(SERIES)
        rows = rows.with_columns(newest=newest)
        before = pl.col("newest").shift().over(SERIES)
        is_late = (pl.col("time") < before).fill_null(False)
        tagged = rows.with_columns(dq=pl.when(is_late).then(LATE).otherwise(0).cast(pl.Int64))
        keep_last(tagged, run, [pl.col("newest").alias("time")])
        return self.named(of_now(tagged).drop("newest"))
