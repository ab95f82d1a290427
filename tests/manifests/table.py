"""The table of good and bad manifests: each is an example with a change, and names the ring that must refuse it.

A group is a file beside this one; an entry in it:

    name: what is special, unique in the table
    base: the example that is changed, where it is not the group's
    set: path to new value
    remove: paths
    ring: who must refuse it first, or none
    says: what the user reads: every fault, in the order of the manifest
    server: a part of the API server's own message; rings schema and cel only
    elsewhere: true where ``streamjob validate`` tells it at the object that is to blame, or as a note

Around the entries of ``operator.yaml`` there is an OU: the other files of the example, but for those in ``without``,
and those in ``ou``, examples with changes themselves. All of them are older.
"""

import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from manifests.generated import TableLoader

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
OPERATOR = "operator"
GROUPS = (
    "job-shape",
    "windows",
    "energy",
    "merging",
    "device-state",
    "pipeline",
    "job-running",
    "resource",
    "source",
    OPERATOR,
    "hostile",
)

Manifest = dict[str, Any]
_STEP = re.compile(r"([^.\[\]]+)|\[([0-9]+)\]")


class Ring(StrEnum):
    """Who refuses a manifest first: the CRD's schema, its CEL rules, the model, the operator, or no one."""

    SCHEMA = "schema"
    CEL = "cel"
    MODEL = "model"
    OPERATOR = "operator"
    NONE = "none"

    @property
    def is_servers(self) -> bool:
        """Whether the API server refuses it."""
        return self in {Ring.SCHEMA, Ring.CEL}


@dataclass(frozen=True)
class Changed:
    """An example's manifest, and how it differs from the example."""

    manifest: Manifest
    changes: Manifest
    removed: tuple[str, ...]

    @property
    def kind(self) -> str:
        return str(self.manifest["kind"])


@dataclass(frozen=True)
class Entry(Changed):
    """One manifest of the table.

    Attributes:
        ou: the OU's other objects.
        is_told_elsewhere: whether ``streamjob validate`` tells it at the object that is to blame, or as a note.
    """

    name: str
    ring: Ring
    says: tuple[str, ...]
    server: str
    ou: tuple[Changed, ...] = ()
    is_told_elsewhere: bool = False

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Group:
    """The entries of one subject."""

    name: str
    title: str
    about: str
    entries: tuple[Entry, ...]


@cache
def groups() -> tuple[Group, ...]:
    """The whole table."""
    return tuple(map(_group, GROUPS))


def entries() -> list[Entry]:
    """All entries, in the order of the table."""
    return [entry for group in groups() for entry in group.entries]


def documents(file: Path) -> list[Manifest]:
    """The manifests of a file."""
    return [document for document in yaml.safe_load_all(file.read_text()) if document]


def _group(name: str) -> Group:
    table = read(HERE / f"{name}.yaml")
    made = tuple(_entry(raw, raw.get("base", table["base"]), name == OPERATOR) for raw in table["entries"])
    return Group(name, table["title"], table["about"], made)


def read(file: Path) -> dict[str, Any]:
    """A file of the table, with its made-up values."""
    table: dict[str, Any] = yaml.load(file.read_text(), Loader=TableLoader)  # noqa: S506 (a SafeLoader with tags)
    return table


def _entry(raw: dict[str, Any], base: str, has_ou: bool) -> Entry:
    of_entry = _changed(base, raw)
    return Entry(
        of_entry.manifest,
        of_entry.changes,
        of_entry.removed,
        name=raw["name"],
        ring=Ring(raw["ring"]),
        says=tuple(raw.get("says", ())),
        server=raw.get("server", ""),
        ou=tuple(_around(base, raw.get("ou", ()), raw.get("without", ()))) if has_ou else (),
        is_told_elsewhere=raw.get("elsewhere", False),
    )


def _around(base: str, further: Sequence[dict[str, Any]], without: Sequence[str]) -> Iterator[Changed]:
    """The OU's other objects: an example that is changed stands for the one of the folder."""
    folder, own = base.split("/")
    yield from (_changed(each["base"], each) for each in further)
    left_out = {own, *without, *(each["base"].removeprefix(f"{folder}/") for each in further)}
    for file in sorted((EXAMPLES / folder).glob("*.yaml")):
        if file.stem not in left_out:
            yield _changed(f"{folder}/{file.stem}", {})


def _changed(base: str, raw: dict[str, Any]) -> Changed:
    manifest, changes, removed = base_of(base), raw.get("set", {}), tuple(raw.get("remove", ()))
    for path, value in changes.items():
        change(manifest, path, value)
    for path in removed:
        change(manifest, path)
    return Changed(manifest, changes, removed)


def base_of(name: str) -> Manifest:
    """An example's manifest: ``<folder>/<file without .yaml>``."""
    return copy.deepcopy(_documents(name)[0])


@cache
def _documents(name: str) -> Sequence[Manifest]:
    return documents(EXAMPLES / f"{name}.yaml")


_NOTHING = object()


def change(manifest: Manifest, path: str, value: Any = _NOTHING) -> None:
    """Set what stands at a path, as in ``spec.policies[0].input``; remove it where no value is given."""
    *outer, last = steps(path)
    place: Any = manifest
    for step in outer:
        place = place[step] if isinstance(step, int) else place.setdefault(step, {})
    if value is _NOTHING:
        del place[last]
    elif last == len(place) and isinstance(place, list):
        place.append(value)
    else:
        place[last] = copy.deepcopy(value)


def steps(path: str) -> list[str | int]:
    """``spec.policies[0].input`` as ``spec``, ``policies``, 0, ``input``."""
    return list(_steps(path))


def _steps(path: str) -> Iterator[str | int]:
    for name, index in _STEP.findall(path):
        yield int(index) if index else name
