"""The generated CRDs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streamjob_api import crd

ROOT = Path(__file__).parents[3]
CRDS = [crd.stream_job_crd(), crd.stream_resource_crd()]


def nodes(schema: Any, path: str = "", in_list: bool = False) -> Iterator[tuple[str, dict[str, Any], bool]]:
    yield path, schema, in_list
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}", in_list)
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]", in_list=True)


def schema_nodes() -> list[tuple[str, dict[str, Any], bool]]:
    roots = [made["spec"]["versions"][0]["schema"]["openAPIV3Schema"] for made in CRDS]
    return [node for root in roots for node in nodes(root)]


@pytest.mark.parametrize("folder", ["crds", "charts/streamjob-operator/crd-bases"])
def test_the_committed_crds_are_what_the_models_say(folder: str) -> None:
    committed = {file.name: file.read_text() for file in (ROOT / folder).glob("*.yaml")}
    assert committed == crd.rendered(), "stale: run `make crds`"


def test_no_item_of_a_list_has_a_default() -> None:
    assert [path for path, schema, in_list in schema_nodes() if in_list and "default" in schema] == []


def test_every_list_is_bounded() -> None:
    unbounded = [
        path for path, schema, _ in schema_nodes() if schema.get("type") == "array" and "maxItems" not in schema
    ]
    assert unbounded == []


def test_every_string_of_a_spec_is_bounded() -> None:
    free = [
        path
        for path, schema, _ in schema_nodes()
        if path.startswith(".spec")
        and schema.get("type") == "string"
        and not {"maxLength", "enum", "format"} & set(schema)
    ]
    assert free == []


def test_every_field_of_a_spec_is_described() -> None:
    undescribed = [
        path
        for path, schema, _ in schema_nodes()
        if path.startswith(".spec.") and not path.endswith("[]") and not schema.get("description")
    ]
    assert undescribed == []


def test_every_node_has_exactly_one_type() -> None:
    bad = [path for path, schema, _ in schema_nodes() if not isinstance(schema.get("type"), str)]
    assert bad == []


def test_a_crd_is_far_below_what_kubectl_apply_can_store() -> None:
    assert all(len(text) < 200_000 for text in crd.rendered().values())
