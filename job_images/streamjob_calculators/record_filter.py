"""Record filter: passes records for which a condition is true, of assets that have tags."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from streamjob_api.calculators import Flow
from streamjob_api.calculators.conditions import condition_faults, never_coming
from streamjob_api.expressions import Expression
from streamjob_api.rule_faults import RuleFault
from streamjob_calculators.kit import Calculator, Run, pl
from streamjob_calculators.kit.conditions import is_true
from streamjob_calculators.kit.lookups import TagName, TagValues, known


class RecordFilter(Calculator):
    """Passes the records for which a condition is true, and whose assets have some tags, if both are given.

    The others are counted as `discarded`. Tags are read from Redis; records of an asset that it does not know do not
    pass, and are counted as `unknownAsset`, too.
    """

    condition: Expression | None = Field(
        default=None,
        description="True or false, of ${record::value}, ${record::text}, ${record::time} (epoch ms), "
        "${record::quality}, ${record::dq}, ${record::assetId}, ${record::modelId} and ${record::pointId}, or of a "
        "point by its name, whose other records do not pass.",
        examples=["${record::value} > 0"],
    )
    tags: dict[TagName, TagValues] = Field(
        default={},
        max_length=20,
        description="Tags that the asset has, each with the values that pass.",
        examples=[{"region": ["north", "south"]}],
    )

    def faults(self) -> Iterator[RuleFault]:
        """The condition is one; something is filtered by."""
        if self.condition is not None:
            yield from condition_faults(self.condition, "condition")
        elif not self.tags:
            yield RuleFault("nothing is filtered by; write condition or tags")

    def keeps_state(self) -> bool:
        """Each record is looked at by itself."""
        return False

    def misfits(self, coming: Flow) -> Iterator[RuleFault]:
        """Its points come."""
        if self.condition is not None:
            yield from never_coming(self.condition, coming, "parameters", "condition")

    def needs_redis(self) -> bool:
        """Tags are there."""
        return bool(self.tags)

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the records that pass."""
        passing = records if self.condition is None else records.filter(is_true(self.condition, records))
        if self.tags:
            assets = known(passing, run)
            tagged = [name for name, asset in assets.items() if asset.has_tags(self.tags)]
            passing = passing.filter(pl.col("asset").is_in(tagged))
        run.count("discarded", records.height - passing.height)
        return passing
