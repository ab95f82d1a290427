"""Parent lookup: puts the asset above a record's asset beside it."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from streamjob_api.calculators import Flow
from streamjob_calculators.kit import Run, pl
from streamjob_calculators.kit.lookups import AttributeLookup, TreeId, attributes, beside, known, struct_of

ATTACHED = "tslParentLookup"


class ParentLookup(AttributeLookup):
    """Puts the asset one level above a record's asset beside it, of one asset tree in Redis.

    `attr.tslParentLookup` has `parent`, its id (null: the asset is at the tree's root, or not in it), and, where they
    are asked for, its `attributes` by their names; an attribute is a number where all that a micro-batch meets are,
    else a text. Of an asset that Redis does not know, `tslParentLookup` is null; such records pass, and are counted as
    `unknownAsset`.
    """

    ALIASES: ClassVar[tuple[str, ...]] = ("tsl-parent-lookup",)

    tree: TreeId = Field(description="The tree's id, under which the asset names its parent.", examples=["grid"])

    def gives(self, coming: Flow) -> Flow:
        """Return the point, with the parent."""
        return super().gives(coming).with_attached(ATTACHED)

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the records with the parents of their assets."""
        above = {asset: each.parents.get(self.tree) for asset, each in known(records, run).items()}
        told: dict[str, dict[str, Any]] = {asset: {"parent": parent} for asset, parent in above.items()}
        fields: dict[str, Any] = {"parent": pl.String()}
        if self.attributes_:
            parents = sorted({parent for parent in above.values() if parent is not None})
            values = attributes(parents, self.attributes_, run)
            fields["attributes"] = struct_of(values)
            rows = dict(zip(parents, values.to_dicts(), strict=True))
            for asset, parent in above.items():
                told[asset]["attributes"] = None if parent is None else rows[parent]
        return self.named(beside(records, ATTACHED, told, pl.Struct(fields)))
