"""What a test's pipeline is told of assets, in the place of Redis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streamjob_api.points import AttributeRef, PointRef
from streamjob_runtime.templates import Surroundings
from streamjob_runtime.templates.surroundings import Asset, AttributeValue, LatestValue


@dataclass
class Known:
    """Assets, and by asset and point or attribute the rest."""

    assets: Mapping[str, Asset] = field(default_factory=dict)
    attributes: Mapping[tuple[str, str], AttributeValue] = field(default_factory=dict)
    latest_values: Mapping[tuple[str, str], LatestValue] = field(default_factory=dict)

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(
            assets=_Assets(self.assets),
            attributes=_Attributes(self.attributes),
            latest_values=_LatestValues(self.latest_values),
        )


@dataclass
class _Assets:
    of: Mapping[str, Asset]

    def read(self, assets: Sequence[str]) -> list[Asset | None]:
        return [self.of.get(asset) for asset in assets]


@dataclass
class _Attributes:
    of: Mapping[tuple[str, str], AttributeValue]

    def read(self, assets: Sequence[str], refs: Sequence[AttributeRef]) -> Mapping[AttributeRef, list[AttributeValue]]:
        return {ref: [self.of.get((asset, str(ref))) for asset in assets] for ref in refs}


@dataclass
class _LatestValues:
    of: Mapping[tuple[str, str], LatestValue]

    def read(self, assets: Sequence[str], point: PointRef) -> list[LatestValue | None]:
        return [self.of.get((asset, str(point))) for asset in assets]
