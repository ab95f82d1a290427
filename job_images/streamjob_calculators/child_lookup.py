"""Child lookup: puts the assets below a record's asset beside it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from streamjob_api.calculators import Flow
from streamjob_calculators.kit import Run, pl
from streamjob_calculators.kit.lookups import LookupCalculator, TreeId, beside, known

ATTACHED = "tslChildLookup"


class ChildLookup(LookupCalculator):
    """Puts the ids of the assets one level below a record's asset beside it, of one asset tree in Redis.

    `attr.tslChildLookup.children` is a list of their ids, empty where there are none in the tree. Of an asset that
    Redis does not know, `tslChildLookup` is null; such records pass, and are counted as `unknownAsset`.
    """

    ALIASES: ClassVar[tuple[str, ...]] = ("tsl-child-lookup",)

    tree: TreeId = Field(description="The tree's id, under which the asset names its children.", examples=["grid"])

    def gives(self, coming: Flow) -> Flow:
        """Return the point, with the children."""
        return super().gives(coming).with_attached(ATTACHED)

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the records with the children of their assets."""
        told = {asset: {"children": [*each.children.get(self.tree, ())]} for asset, each in known(records, run).items()}
        return self.named(beside(records, ATTACHED, told, pl.Struct({"children": pl.List(pl.String())})))
