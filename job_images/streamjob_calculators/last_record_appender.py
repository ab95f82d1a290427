"""Last record appender: puts the record before it beside each record of a series."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from pydantic import Field

from streamjob_api.calculators import Flow
from streamjob_api.calculators.conditions import condition_faults
from streamjob_api.expressions import Expression
from streamjob_api.rule_faults import RuleFault
from streamjob_calculators.kit import PointCalculator, Run, np, pl
from streamjob_calculators.kit.conditions import is_true
from streamjob_calculators.kit.series import SERIES, after_earlier, keep_last, of_now, told_text

ATTACHED = "lastRecordAppender"
LAST_RECORD = ("time", "value", "text")


class LastRecordAppender(PointCalculator):
    """Puts the last record of the same asset and point beside each record.

    `attr.lastRecordAppender.lastRecord` has its `time`, `value` and, of texts and truth values, `text`; the first
    record of a series has none. Where there is a condition, a record becomes the last one only if it is true.
    """

    condition: Expression | None = Field(
        default=None,
        description="Whether a record becomes the last one for those behind it: true or false, of ${record::value}, "
        "${record::text}, ${record::time}, ${last::value}, ${last::text} and ${last::time}. "
        "Left out: each one does. The first one does in any case.",
        examples=["${record::value} != ${last::value}"],
    )

    def faults(self) -> Iterator[RuleFault]:
        """The condition is one."""
        if self.condition is not None:
            yield from condition_faults(self.condition, "condition", has_last=True)

    def gives(self, coming: Flow) -> Flow:
        """Return the point with its last records."""
        return super().gives(coming).with_attached(ATTACHED)

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the records with the last ones."""
        rows = after_earlier(records, run, LAST_RECORD)
        rows = rows.with_row_index("row").with_columns(chosen=self._chosen(rows))
        last = pl.when("chosen").then("row").forward_fill().over(SERIES)
        rows = rows.with_columns(last=last).with_columns(before=pl.col("last").shift().over(SERIES))
        appended = pl.struct(lastRecord=pl.struct("time", "value", told_text()).gather(pl.col("before").fill_null(0)))
        rows = rows.with_columns(pl.when(pl.col("before").is_not_null()).then(appended).alias(ATTACHED))
        keep_last(rows.filter("chosen"), run, LAST_RECORD)
        return self.named(of_now(rows).drop("row", "chosen", "last", "before"))

    def _chosen(self, rows: pl.DataFrame) -> pl.Series:
        """Tell which records become last ones: of all series at once, their first records, then their second ones."""
        if self.condition is None:
            return pl.repeat(True, rows.height, eager=True)
        series = rows.select(pl.struct(SERIES).rank("dense").cast(pl.Int64) - 1).to_series().to_numpy()
        place = rows.select(pl.int_range(pl.len()).over(SERIES)).to_series().to_numpy()
        order = np.lexsort((series, place))
        bounds = np.flatnonzero(np.diff(place[order], prepend=-1, append=-1))
        chosen = np.zeros(rows.height, np.bool_)
        last = np.zeros(int(series.max(initial=-1)) + 1, np.int64)
        for begin, end in pairwise(bounds):
            own = order[begin:end]
            is_first = place[own[0]] == 0
            holds = is_first or is_true(self.condition, rows[own], rows[last[series[own]]]).to_numpy()
            chosen[own] = holds
            last[series[own]] = np.where(holds, own, last[series[own]])
        return pl.Series(chosen)
