"""Attributes of assets for a preview: a file of lines, in the place of the OU's Redis."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streamjob_api.points import AttributeRef
from streamjob_cli.input_lines import opened
from streamjob_cli.manifests import Fault
from streamjob_cli.subject import WrongManifest
from streamjob_runtime.templates.attribute_values import parsed, scalar_of
from streamjob_runtime.templates.surroundings import AttributeValue

_LINES_AT_ONCE = 10_000
_MOST_FAULTS = 20
_FORM = '{"assetId": "m1", "attributes": {"Model::Attribute": 40}}'


@dataclass
class GivenAttributes:
    """The attributes of a file.

    Attributes:
        file: its name.
        by_asset: attributes by their names, ``model::attribute``, of each asset.
        asked: what the job has asked for.
    """

    file: str
    by_asset: dict[str, dict[str, AttributeValue]] = field(default_factory=dict)
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
        if not self.asked:
            yield f"{self.file}: no attribute was read: the job is bound to none, or no record was used."
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
    yield from (f"{name}: unknown field; write {_FORM}" for name in sorted(content.keys() - {"assetId", "attributes"}))
    asset, attributes = content.get("assetId"), content.get("attributes")
    if not isinstance(asset, str) or not asset:
        yield f"assetId: expected a text that is not empty (got {_shown(asset)})"
    elif asset in given.by_asset:
        yield f"assetId: {asset!r} has a line already; give all of its attributes in one"
    if not isinstance(attributes, dict):
        yield f"attributes: expected an object (got {_shown(attributes)}), as in {_FORM}"
        return
    for name in attributes:
        if not re.fullmatch(AttributeRef.PATTERN, name, re.ASCII):
            yield f"attributes: {name!r} is not of the form {AttributeRef.EXAMPLE}"
    if isinstance(asset, str):
        given.by_asset[asset] = {name: scalar_of(value) for name, value in attributes.items()}


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:40]}..."
