"""What is applied stays as it was: for kubectl, for a GitOps controller, with an operator that writes status."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from cluster.operator_process import OperatorProcess, Ou
from fixtures.eventually import eventually
from fixtures.three_way_diff import LAST_APPLIED, Manifest, added_by_the_server, out_of_sync
from localcluster.problems import ClusterError
from manifests.strategies import Schema, spec_schema
from manifests.table import EXAMPLES, documents

FILES = sorted(EXAMPLES.rglob("stream*.yaml"))
CLIENT: tuple[str, ...] = ()
SERVER = ("--server-side", "--force-conflicts")


def examples(namespace: str) -> list[Manifest]:
    """Every StreamJob and StreamResource of the examples, in one OU."""
    found = [document for file in FILES for document in documents(file)]
    return [each | {"metadata": each["metadata"] | {"namespace": namespace}} for each in found]


def applied(ou: Ou, how: tuple[str, ...]) -> list[Manifest]:
    manifests = examples(ou.namespace)
    ou.cluster.kubectl("apply", *how, "-f", "-", input=yaml.safe_dump_all(manifests))
    return manifests


def diff(ou: Ou, manifests: list[Manifest], how: tuple[str, ...]) -> str:
    """The difference that ``kubectl diff`` sees. It asks for what is and for what would be one after the other: a
    status that is written in between shows once, a difference that is one shows each time.
    """
    try:
        return ou.cluster.kubectl("diff", *how, "-f", "-", input=yaml.safe_dump_all(manifests))
    except ClusterError as difference:
        return str(difference)


def no_difference(ou: Ou, manifests: list[Manifest], how: tuple[str, ...]) -> None:
    eventually(lambda: diff(ou, manifests, how), until=lambda shown: shown == "", within_seconds=30)


def live(ou: Ou, wanted: Manifest) -> Manifest:
    return ou.get(wanted["kind"].lower(), wanted["metadata"]["name"])


def without_conditions(ou: Ou) -> list[str]:
    """Objects of whose status the operator has not written anything yet."""
    every = [*ou.items("streamjobs"), *ou.items("streamresources")]
    return [each["metadata"]["name"] for each in every if not each.get("status", {}).get("conditions")]


def default_at(schema: Schema, path: str) -> Any:
    """The default that the CRD has for a field outside of lists, the defaults of its parts where it is a part."""
    for name in path.removeprefix(".").split("."):
        schema = schema["properties"][name]
    if "default" in schema or "properties" not in schema:
        return schema.get("default")
    return {name: default_at(field, "." + name) for name, field in schema["properties"].items() if "default" in field}


@pytest.mark.parametrize("how", [CLIENT, SERVER], ids=["client-side", "server-side"])
def test_kubectl_shows_no_difference_before_and_after_the_operator_wrote(
    ou: Ou, operator: OperatorProcess, how: tuple[str, ...]
) -> None:
    manifests = applied(ou, how)
    no_difference(ou, manifests, how)
    eventually(lambda: without_conditions(ou), until=lambda left: not left, within_seconds=60)
    no_difference(ou, manifests, how)


def test_a_gitops_controller_sees_everything_in_sync(ou: Ou, operator: OperatorProcess) -> None:
    manifests = applied(ou, CLIENT)
    eventually(lambda: without_conditions(ou), until=lambda left: not left, within_seconds=60)
    drifted = {f"{each['kind']} {each['metadata']['name']}": out_of_sync(each, live(ou, each)) for each in manifests}
    assert {name: paths for name, paths in drifted.items() if paths} == {}


def test_the_server_adds_defaults_outside_of_lists_alone(ou: Ou) -> None:
    for manifest in applied(ou, CLIENT):
        schema = spec_schema(manifest["kind"])
        added = dict(added_by_the_server(manifest["spec"], live(ou, manifest)["spec"]))
        assert [path for path in added if "[" in path] == []
        assert added == {path: default_at(schema, path) for path in added}


def test_the_operator_owns_the_status_and_nothing_of_the_spec(ou: Ou, operator: OperatorProcess) -> None:
    applied(ou, SERVER)
    eventually(lambda: without_conditions(ou), until=lambda left: not left, within_seconds=60)
    shown = ("--show-managed-fields", "-n", ou.namespace, "-o", "json")
    for kind in ("streamjobs", "streamresources"):
        for each in json.loads(ou.cluster.kubectl("get", kind, *shown))["items"]:
            entries = {entry["manager"]: entry for entry in each["metadata"]["managedFields"]}
            others = [entry for manager, entry in entries.items() if manager != "kubectl"]
            assert others
            assert {tuple(entry["fieldsV1"]) for entry in others} == {("f:status",)}
            assert LAST_APPLIED not in each["metadata"].get("annotations", {})


def test_a_default_in_a_list_would_show_as_drift() -> None:
    wanted: Manifest = {"metadata": {}, "spec": {"a": 1, "list": [{"b": 1}]}}
    annotations = {LAST_APPLIED: json.dumps(wanted)}
    right = {"metadata": {"annotations": annotations}, "spec": {"a": 1, "default": 2, "list": [{"b": 1}]}}
    wrong = {"metadata": {"annotations": annotations}, "spec": {"a": 1, "list": [{"b": 1, "default": 2}]}}
    assert out_of_sync(wanted, right) == []
    assert out_of_sync(wanted, wrong) == [".spec.list"]


def test_a_field_that_was_taken_out_or_changed_by_hand_shows_as_drift() -> None:
    before: Manifest = {"metadata": {}, "spec": {"a": 1, "b": 2, "c": {"d": 3, "e": 4}}}
    now = {"metadata": {"annotations": {LAST_APPLIED: json.dumps(before)}}, "spec": before["spec"] | {"b": 5}}
    wanted = {"metadata": {}, "spec": {"b": 2, "c": {"d": 3}}}
    assert out_of_sync(wanted, now) == [".spec.b", ".spec.c.e", ".spec.a"]
