"""Asset lookup: puts what is known of a record's asset beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field

from streamjob_api.base import Bool
from streamjob_api.calculators import Flow
from streamjob_api.rule_faults import RuleFault, listed_twice
from streamjob_calculators.kit import Run, pl
from streamjob_calculators.kit.lookups import AttributeLookup, TagName, attributes, beside, known, struct_of

ATTACHED = "tslAssetLookup"


class AssetLookup(AttributeLookup):
    """Puts attributes, tags, time zone and name of a record's asset beside it, as Redis has them.

    `attr.tslAssetLookup` has `attributes` and `tags`, each by the names that are asked for (null: none), and `modelId`,
    `name` and `timezone` with `extra`. An attribute is a number where all that a micro-batch meets are, else a text. Of
    an asset that Redis does not know, `tslAssetLookup` is null; such records pass, and are counted as `unknownAsset`.
    What changes in Redis is seen within a minute.
    """

    ALIASES: ClassVar[tuple[str, ...]] = ("tsl-asset-lookup", "site-lookup")

    tags: list[TagName] = Field(default=[], max_length=50, description="Tags to look up.", examples=[["region"]])
    extra: Bool = Field(
        default=False, description="Whether the model, the name and the time zone are told, too.", examples=[True]
    )

    def faults(self) -> Iterator[RuleFault]:
        """Something is looked up, each thing once."""
        yield from super().faults()
        yield from listed_twice("tags", self.tags)
        if not self.attributes_ and not self.tags and not self.extra:
            yield RuleFault("nothing is looked up; write attributes, tags or extra: true")

    def gives(self, coming: Flow) -> Flow:
        """Return the point, with what is known."""
        return super().gives(coming).with_attached(ATTACHED)

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return the records with what is known of their assets."""
        assets = known(records, run)
        values = attributes([*assets], self.attributes_, run)
        tags = pl.DataFrame(
            {tag: [each.tags.get(tag) for each in assets.values()] for tag in self.tags},
            schema=dict.fromkeys(self.tags, pl.String()),
        )
        told: dict[str, dict[str, Any]] = {asset: {} for asset in assets}
        fields: dict[str, Any] = {}
        for name, frame in (("attributes", values), ("tags", tags)):
            if frame.width:
                fields[name] = struct_of(frame)
                for asset, row in zip(assets, frame.to_dicts(), strict=True):
                    told[asset][name] = row
        if self.extra:
            fields |= dict.fromkeys(("modelId", "name", "timezone"), pl.String())
            for asset, each in assets.items():
                told[asset] |= {"modelId": each.model, "name": each.name, "timezone": each.timezone}
        return self.named(beside(records, ATTACHED, told, pl.Struct(fields)))
