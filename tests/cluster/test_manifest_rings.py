"""The table of good and bad manifests, put before the real API server with the CRDs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from localcluster.providers import Cluster
from manifests.api_server import Answer, ApiServer
from manifests.faults import faults_of
from manifests.strategies import CRDS, manifests
from manifests.table import EXAMPLES, Entry, Manifest, Ring, documents, entries
from streamjob_api.kinds import API_VERSION

ENTRIES = entries()
REFUSED = [entry for entry in ENTRIES if entry.ring.is_servers]
ACCEPTED = [entry for entry in ENTRIES if not entry.ring.is_servers]


@pytest.fixture(scope="module")
def server(cluster: Cluster, crds: None) -> ApiServer:
    return ApiServer(cluster.kubeconfig, "default")


@pytest.fixture(scope="module")
def answers(server: ApiServer) -> dict[int, Answer]:
    """What the server says to each manifest, by the entry's place in the table; all in a few seconds."""
    return {id(entry): server.dry_create(entry.manifest) for entry in ENTRIES}


def rules(schema: Any) -> Iterator[str]:
    """The words of all CEL rules."""
    parts = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    if isinstance(schema, dict):
        yield from (rule["message"] for rule in schema.get("x-kubernetes-validations", ()))
    for part in parts:
        yield from rules(part)


CEL = {message for file in CRDS.glob("*.yaml") for message in rules(yaml.safe_load(file.read_text()))}


@pytest.mark.parametrize("entry", REFUSED, ids=str)
def test_the_server_refuses_with_the_words_of_the_table(answers: dict[int, Answer], entry: Entry) -> None:
    answer = answers[id(entry)]
    assert answer.status in {400, 422}
    assert entry.server in answer.message


def by_schema(answer: Answer) -> list[str]:
    """What the schema itself, or the reading of the fields, found wrong; rules may have found something beside it."""
    causes = [cause["message"] for cause in answer.object.get("details", {}).get("causes", ())] or [answer.message]
    return [message for message in causes if not any(rule in message for rule in CEL)]


@pytest.mark.parametrize("entry", REFUSED, ids=str)
def test_the_ring_that_refuses_is_the_one_of_the_table(answers: dict[int, Answer], entry: Entry) -> None:
    assert bool(by_schema(answers[id(entry)])) is (entry.ring is Ring.SCHEMA)


@pytest.mark.parametrize("entry", ACCEPTED, ids=str)
def test_the_server_accepts_what_is_for_the_other_rings_to_judge(answers: dict[int, Answer], entry: Entry) -> None:
    assert answers[id(entry)].message == ""


@pytest.mark.parametrize("rule", sorted(CEL))
def test_every_cel_rule_refuses_a_manifest_of_the_table(rule: str) -> None:
    assert [entry.name for entry in ENTRIES if entry.ring is Ring.CEL and entry.server == rule]


@pytest.mark.parametrize("file", sorted(EXAMPLES.rglob("stream*.yaml")), ids=lambda file: f"{file.parts[-2:]}")
def test_the_server_accepts_every_example(server: ApiServer, file: Any) -> None:
    (manifest,) = documents(file)
    assert manifest["apiVersion"] == API_VERSION
    assert server.dry_create(manifest).message == ""


def test_an_unknown_field_passes_where_a_client_is_not_strict(server: ApiServer) -> None:
    unknown = next(entry for entry in ENTRIES if entry.name == "an unknown field")
    assert server.dry_create(unknown.manifest, validation="Ignore").is_yes


def parts(schema: Any, path: str) -> Iterator[str]:
    """The paths of all parts of a spec that have fields of their own."""
    fields = schema.get("properties") or schema.get("items", {}).get("properties")
    if fields:
        yield path
        for name, field in fields.items():
            yield from parts(field, f"{path}.{name}")


@pytest.mark.parametrize("file", sorted(CRDS.glob("*.yaml")), ids=lambda file: file.stem)
def test_kubectl_explains_every_field_with_a_sentence(cluster: Cluster, crds: None, file: Any) -> None:
    crd = yaml.safe_load(file.read_text())
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    told = {path: cluster.kubectl("explain", path) for path in parts(spec, f"{crd['spec']['names']['singular']}.spec")}
    assert [path for path, text in told.items() if "<no description>" in text] == []
    assert all("FIELDS:" in text for text in told.values())


def test_kubectl_explains_a_whole_spec_at_once(cluster: Cluster, crds: None) -> None:
    assert "timeWindowAggregation\t<Object>" in cluster.kubectl("explain", "streamjob.spec", "--recursive")


@given(manifest=manifests())
@settings(max_examples=200, deadline=None)
def test_what_the_server_refuses_the_model_refuses(server: ApiServer, manifest: Manifest) -> None:
    answer = server.dry_create(manifest)
    assert answer.is_yes or faults_of(manifest), answer.message
