"""Record filter: passes records for which a condition is true."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from streamjob_api.calculators.conditions import condition_faults
from streamjob_api.expressions import Expression
from streamjob_api.rule_faults import RuleFault
from streamjob_calculators.kit import Calculator, Run, pl
from streamjob_calculators.kit.conditions import is_true


class RecordFilter(Calculator):
    """Passes the records for which a condition is true; the others are counted as `discarded`."""

    condition: Expression = Field(
        description="True or false, of ${record::value}, ${record::time} (epoch ms), ${record::assetId}, "
        "${record::modelId} and ${record::pointId}, or of a point by its name, whose other records do not pass.",
        examples=["${record::value} > 0"],
    )

    def faults(self) -> Iterator[RuleFault]:
        """The condition is one."""
        yield from condition_faults(self.condition, "condition")

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the records that pass."""
        passing = records.filter(is_true(self.condition, records))
        run.count("discarded", records.height - passing.height)
        return passing
