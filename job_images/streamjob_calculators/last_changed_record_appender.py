"""Last changed record appender: puts the record that last changed a series' value beside each record."""

from __future__ import annotations

from typing import ClassVar

from streamjob_api.calculators import Flow
from streamjob_calculators.kit import PointCalculator, Run, pl
from streamjob_calculators.kit.series import SERIES, after_earlier, keep_last, of_now, told_text

ATTACHED = "lastChangedRecordAppender"
LAST_RECORD = ("time", "value", "text")


class LastChangedRecordAppender(PointCalculator):
    """Puts the record that last changed the value of the same asset and point beside each record.

    `attr.lastChangedRecordAppender` has its `lastChangedTs` (epoch ms), `lastChangedValue` and, whole,
    `lastChangedRecord`; the first record of a series has none. A record whose value is the same as the last one's does
    not replace it.
    """

    ALIASES: ClassVar[tuple[str, ...]] = ("earliest-change-record-appender",)

    def gives(self, coming: Flow) -> Flow:
        """Return the point with its last changes."""
        return super().gives(coming).with_attached(ATTACHED)

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the records with what last changed."""
        rows = after_earlier(records, run, LAST_RECORD).with_row_index("row")
        rows = rows.with_columns(before=pl.col("row").shift().over(SERIES))
        place = pl.col("before").fill_null(0)
        changes = [pl.col(name).ne_missing(pl.col(name).gather(place)) for name in ("value", "text")]
        rows = rows.with_columns(is_change=pl.any_horizontal(pl.col("before").is_null(), *changes))
        change = pl.when("is_change").then("row").forward_fill()
        rows = rows.with_columns(before=change.shift().over(SERIES))
        appended = pl.struct(
            lastChangedTs=pl.col("time").gather(place),
            lastChangedValue=pl.col("value").gather(place),
            lastChangedRecord=pl.struct("time", "value", told_text()).gather(place),
        )
        rows = rows.with_columns(pl.when(pl.col("before").is_not_null()).then(appended).alias(ATTACHED))
        keep_last(rows.filter("is_change"), run, LAST_RECORD)
        return self.named(of_now(rows).drop("row", "is_change", "before"))
