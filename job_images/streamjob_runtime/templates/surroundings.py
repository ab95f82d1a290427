"""What a template is told beside its own block: the OU's days, which inputs are calculated, attributes, silence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from streamjob_api.permissions import Permissions
from streamjob_api.points import AttributeRef, PointRef
from streamjob_api.resolved_names import ResolvedNames
from streamjob_api.stream_resource import UTC
from streamjob_api.timezones import TimeZone
from streamjob_runtime.templates.hosts import Hosts, NoHosts


@dataclass(frozen=True)
class NoScalar:
    """What stands for an attribute that holds no number, text or truth value: a list, an object, no JSON at all."""


AttributeValue = float | int | str | bool | NoScalar | None


class Attributes(Protocol):
    """The attributes of assets, as they are now."""

    def read(self, assets: Sequence[str], refs: Sequence[AttributeRef]) -> Mapping[AttributeRef, list[AttributeValue]]:
        """Return the values of some attributes, one an asset in their order; None where there is none, or null."""
        ...


class NoAttributes:
    """No asset has any attribute."""

    def read(self, assets: Sequence[str], refs: Sequence[AttributeRef]) -> Mapping[AttributeRef, list[AttributeValue]]:
        """Return None for all."""
        return {ref: [None] * len(assets) for ref in refs}


@dataclass(frozen=True)
class Asset:
    """What is known of an asset, beside its attributes.

    Attributes:
        model: id of its thing model.
        timezone: IANA name.
        tags: by their names.
        parents: the asset above it, by the tree's id.
        children: the assets below it, by the tree's id.
    """

    model: str | None = None
    name: str | None = None
    timezone: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)
    children: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def has_tags(self, tags: Mapping[str, Sequence[str]]) -> bool:
        """Whether it has all of some tags, each with one of the values."""
        return all(self.tags.get(tag) in values for tag, values in tags.items())


class Assets(Protocol):
    """The OU's assets and their trees, as they are now."""

    def read(self, assets: Sequence[str]) -> list[Asset | None]:
        """Return what is known of some assets, in their order; None of those that nobody knows."""
        ...


class NoAssets:
    """No asset is known."""

    def read(self, assets: Sequence[str]) -> list[Asset | None]:
        """Return None for all."""
        return [None] * len(assets)


@dataclass(frozen=True)
class LatestValue:
    """The latest value of a point of an asset.

    Attributes:
        time: epoch ms.
    """

    time: int
    value: float | int | str | bool


class LatestValues(Protocol):
    """The latest values of assets' points, as they are now."""

    def read(self, assets: Sequence[str], point: PointRef) -> list[LatestValue | None]:
        """Return those of a point, one an asset in their order; None where there is none."""
        ...


class NoLatestValues:
    """No point has any."""

    def read(self, assets: Sequence[str], point: PointRef) -> list[LatestValue | None]:  # noqa: ARG002
        """Return None for all."""
        return [None] * len(assets)


@dataclass(frozen=True)
class Surroundings:
    """What a job's template is told beside its block.

    Attributes:
        org_id: of the OU.
        timezone: of the OU's days, where the job names none.
        calculated: inputs that are results of other jobs: a record that repeats the time of an earlier one of the same
            asset and point replaces it.
        attributes: where bound values come from.
        assets: what is known of assets, and of the trees they are in.
        latest_values: those that Redis has.
        hosts: those that may be asked.
        names: what is known of the names in expressions.
        allowed: what pipelines may do beyond calculating.
        idle_timeout_ms: silence of an asset and input after which what is open of it is closed; None: never.
    """

    org_id: str = ""
    timezone: TimeZone = UTC
    calculated: frozenset[PointRef] = frozenset()
    attributes: Attributes = field(default_factory=NoAttributes)
    assets: Assets = field(default_factory=NoAssets)
    latest_values: LatestValues = field(default_factory=NoLatestValues)
    hosts: Hosts = field(default_factory=NoHosts)
    names: ResolvedNames = field(default_factory=ResolvedNames)
    allowed: Permissions = field(default_factory=Permissions)
    idle_timeout_ms: int | None = None
