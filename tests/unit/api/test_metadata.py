"""What a manifest says beside its spec: kind, version, metadata."""

from typing import Any

import pytest

from streamjob_api import forms
from streamjob_api.kinds import API_VERSION
from streamjob_api.metadata import is_ours, kind_faults, metadata_faults

RIGHT = {"apiVersion": API_VERSION, "kind": "StreamJob", "metadata": {"name": "a", "namespace": "b"}, "spec": {}}
FORM = "is not of the right form; write"


def test_a_right_manifest_has_no_fault() -> None:
    exported: dict[str, Any] = {
        "labels": {"app.kubernetes.io/name": "x", "empty": ""},
        "creationTimestamp": None,
        "managedFields": [{}],
    }
    manifest = RIGHT | {"metadata": {"name": "a" * 46, **exported}, "status": {"phase": "Running"}}
    assert is_ours(manifest)
    assert kind_faults(manifest) == metadata_faults(manifest) == []


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ({"apiVersion": "streamjob.dev/v1"}, [f"apiVersion: 'streamjob.dev/v1' is not served; write {API_VERSION}"]),
        ({"apiVersion": None}, [f"apiVersion: required, but missing; write apiVersion: {API_VERSION}"]),
        (
            {"kind": "Streamjob"},
            ["kind: 'Streamjob' is not one of StreamJob, StreamResource; did you mean 'StreamJob'?"],
        ),
        ({"kind": None}, ["kind: required, but missing; write one of StreamJob, StreamResource"]),
    ],
)
def test_kind_and_version_are_named(change: dict[str, Any], faults: list[str]) -> None:
    assert is_ours(RIGHT | change)
    assert kind_faults(RIGHT | change) == faults


def test_other_kinds_are_not_ours() -> None:
    assert not is_ours({"apiVersion": "v1", "kind": "ConfigMap"})
    assert not is_ours({"replicas": 3})
    assert not is_ours({"apiVersion": 5, "kind": ["x"]})


@pytest.mark.parametrize(
    ("metadata", "faults"),
    [
        (None, ["metadata.name: required, but missing; write e.g. name: meter-extremes-10min"]),
        ({}, ["metadata.name: required, but missing; write e.g. name: meter-extremes-10min"]),
        ({"generateName": "a-"}, []),
        ({"name": "a" * 47}, ["metadata.name: too long: 47 characters; write at most 46"]),
        ({"name": "A_b"}, [f"metadata.name: 'A_b' {FORM} {forms.LABEL.words}, as in meter-extremes-10min"]),
        (
            {"name": 5},
            ['metadata.name: expected a text, got the number 5; put quotes around it, as in "meter-extremes-10min"'],
        ),
        ({"name": "a", "lables": {}}, ["metadata.lables: unknown field; did you mean 'labels'?"]),
        (
            {"name": "a", "labels": {"x/y": True}},
            ["metadata.labels['x/y']: expected a text, got true; put quotes around it"],
        ),
        ({"name": "a", "namespace": "a.b"}, [f"metadata.namespace: 'a.b' {FORM} {forms.LABEL.words}, as in ou-energy"]),
    ],
)
def test_metadata_are_checked_as_the_api_server_does(metadata: Any, faults: list[str]) -> None:
    assert metadata_faults(RIGHT | {"metadata": metadata}) == faults


def test_a_streamresource_may_have_a_longer_name() -> None:
    assert metadata_faults(RIGHT | {"kind": "StreamResource", "metadata": {"name": "a" * 253}}) == []


def test_unknown_fields_beside_the_spec_are_named() -> None:
    assert metadata_faults(RIGHT | {"specs": {}}) == ["specs: unknown field; did you mean 'spec'?"]
