"""What a preview's user tells of assets, in the place of the OU's Redis: a file of lines."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streamjob_api.points import AttributeRef, PointRef
from streamjob_cli.input_lines import opened
from streamjob_cli.manifests import Fault
from streamjob_cli.subject import WrongManifest
from streamjob_runtime.templates.asset_values import asset_told, latest_told
from streamjob_runtime.templates.attribute_values import parsed, scalar_of
from streamjob_runtime.templates.surroundings import Asset, AttributeValue, LatestValue

_LINES_AT_ONCE = 10_000
_MOST_FAULTS = 20
_FORM = '{"assetId": "m1", "attributes": {"Model::Attribute": 40}}'
_TEXTS = ("modelId", "name", "timezone")
_MAPPINGS = {"tags": '{"region": "north"}', "parents": '{"grid": "f1"}', "children": '{"grid": ["m2", "m3"]}'}
_LATEST, _LATEST_FORM = "latest", '{"Model::Point": {"time": 1700000000000, "value": 5}}'
_FIELDS = {"assetId", "attributes", _LATEST, *_TEXTS, *_MAPPINGS}


@dataclass
class GivenAssets:
    """What a file says of assets beside their attributes.

    Attributes:
        by_asset: those of which it says something.
        is_asked: whether the job has asked for any.
    """

    by_asset: dict[str, Asset] = field(default_factory=dict)
    is_asked: bool = False

    def read(self, assets: Sequence[str]) -> list[Asset | None]:
        """Return what is known of some assets, in their order; None of those that the file does not name."""
        self.is_asked = True
        return [self.by_asset.get(asset) for asset in assets]


@dataclass
class GivenLatestValues:
    """What a file says of latest values.

    Attributes:
        by_asset: by the names of points, ``model::point``, of each asset.
        is_asked: whether the job has asked for any.
    """

    by_asset: dict[str, dict[str, LatestValue]] = field(default_factory=dict)
    is_asked: bool = False

    def read(self, assets: Sequence[str], point: PointRef) -> list[LatestValue | None]:
        """Return those of a point, one an asset in their order; None where the file has none."""
        self.is_asked = True
        return [self.by_asset.get(asset, {}).get(str(point)) for asset in assets]


@dataclass
class GivenAttributes:
    """The attributes of a file.

    Attributes:
        file: its name.
        by_asset: attributes by their names, ``model::attribute``, of each asset.
        assets: what it says of the assets themselves.
        latest_values: those that it has.
        asked: what the job has asked for.
    """

    file: str
    by_asset: dict[str, dict[str, AttributeValue]] = field(default_factory=dict)
    assets: GivenAssets = field(default_factory=GivenAssets)
    latest_values: GivenLatestValues = field(default_factory=GivenLatestValues)
    asked: set[AttributeRef] = field(default_factory=set)

    def read(self, assets: Sequence[str], refs: Sequence[AttributeRef]) -> Mapping[AttributeRef, list[AttributeValue]]:
        """Return the values of some attributes, one an asset in their order; None where there is none, or null."""
        self.asked.update(refs)
        return {ref: [self.by_asset.get(asset, {}).get(str(ref)) for asset in assets] for ref in refs}

    @property
    def names(self) -> list[AttributeRef]:
        """All attributes that an asset has."""
        return sorted(AttributeRef.parse(name) for name in set().union(*self.by_asset.values()))

    def remarks(self) -> Iterator[str]:
        """Yield what the user should know of a file that the job made little use of."""
        if not self.asked and not self.assets.is_asked and not self.latest_values.is_asked:
            yield f"{self.file}: nothing of it was read: the job asks for none of it, or no record was used."
        for ref in sorted(self.asked.difference(self.names)):
            yield f"{self.file}: no asset has the attribute {ref}, which the job is bound to."


def given_attributes(file: str) -> GivenAttributes:
    """Read a file of attributes, one asset a line.

    Raises:
        UnreadableInput: there is no such file, or it may not be read.
        WrongManifest: naming the faults of all lines.
    """
    given = GivenAttributes(file)
    faults: list[Fault] = []
    with opened(file) as lines:
        for batch in lines.batches(_LINES_AT_ONCE):
            for number, line in zip(batch.numbers, batch.values, strict=True):
                faults += [Fault(file, number, text) for text in _add(given, line)]
    if faults:
        more = len(faults) - _MOST_FAULTS
        faults[_MOST_FAULTS:] = [Fault(file, None, f"and {more} faults more")] if more > 0 else []
        raise WrongManifest(faults)
    return given


def _add(given: GivenAttributes, line: bytes) -> Iterator[str]:
    """Take one line; yields what is wrong with it."""
    try:
        content = parsed(line)
    except (ValueError, RecursionError) as error:
        yield f"is no JSON: {error}; write one asset a line, as in {_FORM}"
        return
    if not isinstance(content, dict):
        yield f"expected an object (got {_shown(content)}); write one asset a line, as in {_FORM}"
        return
    yield from (f"{name}: unknown field; write {_FORM}" for name in sorted(content.keys() - _FIELDS))
    yield from _wrong_fields(content)
    asset, attributes = content.get("assetId"), content.get("attributes", {})
    if not isinstance(asset, str) or not asset:
        yield f"assetId: expected a text that is not empty (got {_shown(asset)})"
    elif asset in given.by_asset:
        yield f"assetId: {asset!r} has a line already; give all of its attributes in one"
    latest = content.get(_LATEST, {})
    yield from _wrong_latest(latest)
    if not isinstance(attributes, dict) or not content.keys() & {*_FIELDS - {"assetId"}}:
        yield f"attributes: expected an object (got {_shown(content.get('attributes'))}), as in {_FORM}"
        return
    for name in attributes:
        if not re.fullmatch(AttributeRef.PATTERN, name, re.ASCII):
            yield f"attributes: {name!r} is not of the form {AttributeRef.EXAMPLE}"
    if isinstance(asset, str) and isinstance(latest, dict):
        _keep(given, asset, content, attributes, latest)


def _keep(
    given: GivenAttributes,
    asset: str,
    content: Mapping[str, Any],
    attributes: Mapping[str, Any],
    latest: Mapping[str, Any],
) -> None:
    given.by_asset[asset] = {name: scalar_of(value) for name, value in attributes.items()}
    if content.keys() & {*_TEXTS, *_MAPPINGS}:
        given.assets.by_asset[asset] = _asset(content)
    told = {name: latest_told(value) for name, value in latest.items()}
    given.latest_values.by_asset[asset] = {name: value for name, value in told.items() if value is not None}


def _wrong_fields(content: Mapping[str, Any]) -> Iterator[str]:
    for name in _TEXTS:
        if not isinstance(content.get(name, ""), str):
            yield f"{name}: expected a text (got {_shown(content[name])})"
    for name, example in _MAPPINGS.items():
        if not isinstance(content.get(name, {}), dict):
            yield f"{name}: expected an object (got {_shown(content[name])}), as in {example}"


def _wrong_latest(latest: Any) -> Iterator[str]:
    if not isinstance(latest, dict):
        yield f"{_LATEST}: expected an object (got {_shown(latest)}), as in {_LATEST_FORM}"
        return
    for name, value in latest.items():
        if not re.fullmatch(PointRef.PATTERN, name, re.ASCII):
            yield f"{_LATEST}: {name!r} is not of the form {PointRef.EXAMPLE}"
        if latest_told(value) is None:
            yield f"{_LATEST}: expected a time and a value of {name} (got {_shown(value)}), as in {_LATEST_FORM}"


def _asset(content: Mapping[str, Any]) -> Asset:
    model, name, timezone = (text if isinstance(text := content.get(each), str) else None for each in _TEXTS)
    tags, parents, children = (found if isinstance(found := content.get(each), dict) else {} for each in _MAPPINGS)
    return asset_told(model, name, timezone, tags, parents, children)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:40]}..."
