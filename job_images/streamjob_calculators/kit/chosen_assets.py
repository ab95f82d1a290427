"""The assets that records are made for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field, StringConstraints

from streamjob_api.base import ApiModel
from streamjob_api.points import NAME
from streamjob_api.rule_faults import RuleFault, listed_twice, not_one_given
from streamjob_calculators.kit.calculator import Run
from streamjob_calculators.kit.lookups import TagName, TagValues, TreeId

AssetId = Annotated[str, StringConstraints(min_length=1, max_length=256)]
ModelId = Annotated[str, StringConstraints(pattern=f"^{NAME}$", max_length=128)]


class Below(ApiModel):
    """The assets one level below some others, in a tree."""

    tree: TreeId = Field(description="The tree's id, under which assets name their children.", examples=["grid"])
    assets: list[AssetId] = Field(
        min_length=1, max_length=1000, description="Those above, by their ids.", examples=[["site-1"]]
    )

    def faults(self) -> Iterator[RuleFault]:
        """Each asset is named once."""
        yield from listed_twice("assets", self.assets)


class ChosenAssets(ApiModel):
    """Assets, chosen by one of these."""

    ids: list[AssetId] = Field(
        default=[], max_length=1000, description="These, by their ids.", examples=[["meter-1", "meter-2"]]
    )
    below: Below | None = Field(default=None, description="Those below others, in a tree in Redis.")
    models: list[ModelId] = Field(
        default=[], max_length=50, description="Those of some models, as Redis knows them.", examples=[["Meter"]]
    )
    tags: dict[TagName, TagValues] = Field(
        default={},
        max_length=20,
        description="Those that have all of these tags in Redis, each with one of the values.",
        examples=[{"region": ["north", "south"]}],
    )

    def faults(self) -> Iterator[RuleFault]:
        """They are chosen in one way, each id once."""
        yield from not_one_given(self)
        yield from listed_twice("ids", self.ids)

    @property
    def is_list(self) -> bool:
        """Whether it tells assets that have sent nothing, too."""
        return bool(self.ids) or self.below is not None

    @property
    def needs_redis(self) -> bool:
        """Whether it is asked who they are."""
        return not self.ids

    def listed(self, run: Run) -> list[str]:
        """Return those of the stage's shard; none where it tells none beside those that send."""
        if self.below is None:
            return run.owned(self.ids)
        tree, above = self.below.tree, run.surroundings.assets.read(self.below.assets)
        children = [child for asset in above if asset is not None for child in asset.children.get(tree, ())]
        return run.owned([*dict.fromkeys(children)])

    def of(self, assets: Sequence[str], run: Run) -> list[str]:
        """Return those of some assets of the stage's shard that are chosen."""
        if self.is_list:
            listed = {*self.listed(run)}
            return [asset for asset in assets if asset in listed]
        told = zip(assets, run.surroundings.assets.read(assets) if assets else [], strict=True)
        known = ((name, asset) for name, asset in told if asset is not None)
        if self.models:
            return [name for name, asset in known if asset.model in self.models]
        return [name for name, asset in known if asset.has_tags(self.tags)]
