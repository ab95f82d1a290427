"""The table of good and bad manifests, read by the models."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from manifests import gallery
from manifests.faults import faults_of
from manifests.generated import members, nested
from manifests.strategies import Schema, spec_schema
from manifests.table import EXAMPLES, Entry, Ring, change, documents, entries, groups
from streamjob_api.kinds import STREAM_JOB, STREAM_RESOURCE

ENTRIES = entries()
# A hostile manifest must not keep the operator, which does everything in one thread.
SECONDS = 1.0


def named(entry: Entry) -> str:
    return entry.name


@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_the_model_says_exactly_what_the_table_says(entry: Entry) -> None:
    started = time.process_time()
    said = [] if entry.ring is Ring.OPERATOR else list(entry.says)
    assert faults_of(entry.manifest) == said
    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_a_manifest_is_right_or_its_author_is_told(entry: Entry) -> None:
    assert bool(entry.says) is (entry.ring is not Ring.NONE)


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.ring.is_servers], ids=named)
def test_what_the_server_refuses_has_its_own_words(entry: Entry) -> None:
    assert entry.server


def test_the_table_is_large_and_its_names_are_unique() -> None:
    rings = Counter(entry.ring for entry in ENTRIES)
    assert len(ENTRIES) - rings[Ring.NONE] >= 150
    assert rings[Ring.NONE] >= 40
    assert max(Counter(f"{group.name}: {entry.name}" for group in groups() for entry in group.entries).values()) == 1


@pytest.mark.parametrize(
    "file", sorted(EXAMPLES.rglob("stream*.yaml")), ids=lambda file: f"{file.parent.name}/{file.stem}"
)
def test_every_example_is_right(file: Path) -> None:
    (manifest,) = documents(file)
    assert manifest["kind"] in {STREAM_JOB, STREAM_RESOURCE}
    assert faults_of(manifest) == []


def test_a_change_sets_adds_and_removes_at_a_path() -> None:
    manifest = {"spec": {"policies": [{"input": "a"}], "state": "Draft"}}
    change(manifest, "spec.policies[0].input", "b")
    change(manifest, "spec.policies[1]", {"input": "c"})
    change(manifest, "spec.alarms.lag", 1)
    change(manifest, "spec.state")
    assert manifest == {"spec": {"policies": [{"input": "b"}, {"input": "c"}], "alarms": {"lag": 1}}}


def test_made_up_values_are_what_their_tags_say() -> None:
    assert members("p{n}", 2) == {"p1": "v", "p2": "v"}
    assert nested(2) == [[[]]]


def test_the_gallery_of_errors_is_what_the_table_says() -> None:
    assert gallery.PAGE.read_text() == gallery.page(), "stale: run `make crds`"


def test_changes_in_the_gallery_are_yaml() -> None:
    blocks = gallery.page().split("```yaml\n")[1:]
    read = [yaml.safe_load(block.split("```")[0]) for block in blocks]
    assert len(read) > 150
    assert all(each is None or set(each) for each in read)


def fields(schema: Schema, path: str = "spec") -> Iterator[str]:
    """The paths of all fields of a spec; those of a list's items stand below ``[]``."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}"
        yield from fields(field, f"{path}.{name}")
        yield from fields(field.get("items", {}), f"{path}.{name}[]")


def written(value: Any, path: str = "spec") -> Iterator[str]:
    """The paths of all fields that a manifest writes."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        yield f"{path}.{name}"
        yield from written(inner, f"{path}.{name}")
    for inner in value if isinstance(value, list) else ():
        yield from written(inner, f"{path}[]")


@pytest.mark.parametrize("kind", [STREAM_JOB, STREAM_RESOURCE])
def test_every_field_is_written_in_a_good_manifest(kind: str) -> None:
    right = [entry.manifest["spec"] for entry in ENTRIES if entry.ring is Ring.NONE and entry.kind == kind]
    assert set(fields(spec_schema(kind))) - {path for spec in right for path in written(spec)} == set()
