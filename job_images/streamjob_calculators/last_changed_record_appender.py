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
        held = pl.struct("value", "text")
        is_change = held.ne_missing(held.shift().over(SERIES)) | (pl.int_range(pl.len()).over(SERIES) == 0)
        change = pl.when(is_change).then("row").forward_fill().over(SERIES)
        rows = rows.with_columns(is_change=is_change, before=change.shift().over(SERIES))
        place = pl.col("before").fill_null(0)
        appended = pl.struct(
            lastChangedTs=pl.col("time").gather(place),
            lastChangedValue=pl.col("value").gather(place),
            lastChangedRecord=pl.struct("time", "value", told_text()).gather(place),
        )
        rows = rows.with_columns(pl.when(pl.col("before").is_not_null()).then(appended).alias(ATTACHED))
        keep_last(rows.filter("is_change"), run, LAST_RECORD)
        return self.named(of_now(rows).drop("row", "is_change", "before"))
