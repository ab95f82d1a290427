"""Some assets and points of a job, by which its state is looked at or edited."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from streamjob_api.assets import AssetFilter, AssetPattern
from streamjob_api.points import PointRef
from streamjob_runtime.templates.arrays import Flags

_SPECIAL = re.compile(r"[*?\[]")


def is_pattern(text: str) -> bool:
    """Whether a text may stand for other assets than the one of this id."""
    return _SPECIAL.search(text) is not None


@dataclass(frozen=True)
class Chosen:
    """All pairs of some assets and some points.

    Attributes:
        assets: ids.
        patterns: further assets; None: no further ones.
        points: inputs of the job.
    """

    assets: frozenset[str]
    patterns: AssetFilter | None
    points: frozenset[PointRef]

    @classmethod
    def of(cls, assets: Iterable[str], points: Iterable[PointRef]) -> Self:
        """Return the pairs of assets, given by id or pattern, and points."""
        given = set(assets)
        patterns = sorted(text for text in given if is_pattern(text))
        include = AssetFilter.model_construct(include=[AssetPattern.parse(text) for text in patterns])
        return cls(frozenset(given.difference(patterns)), include if patterns else None, frozenset(points))

    def has(self, asset: str) -> bool:
        """Whether an asset is one of them."""
        return asset in self.assets or (self.patterns is not None and self.patterns.matches(asset))

    def flags(self, assets: Sequence[str], inputs: Sequence[int], names: Sequence[PointRef]) -> Flags:
        """Tell of each series whether it is chosen; inputs are given by their place among ``names``."""
        is_named = [name in self.points for name in names]
        known: dict[str, bool] = {}
        flags = np.zeros(len(assets), np.bool_)
        for place, (asset, number) in enumerate(zip(assets, inputs, strict=True)):
            if is_named[number]:
                if asset not in known:
                    known[asset] = self.has(asset)
                flags[place] = known[asset]
        return flags
