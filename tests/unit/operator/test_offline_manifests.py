"""The third ring over manifests alone gives the answers that the operator would give."""

from __future__ import annotations

from typing import Any

from streamjob_api.faults import InvalidSpec, parse_spec
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import StreamResourceSpec
from streamjob_operator.validation import Fault, WrittenJob, WrittenResource, check_manifests
from unit.operator.builders import CATALOGUE, TEMPLATE, job_manifest

MODELS = {"models.yaml": "models: [{id: M, points: [{id: A, type: AI, dataType: double}]}]"}


def written_job(name: str, namespace: str = "ou", **spec: Any) -> WrittenJob:
    return WrittenJob(namespace, name, parse_spec(StreamJobSpec, job_manifest(name, **spec)["spec"]))


def written_resource(name: str = "energy", namespace: str = "ou", **spec: Any) -> WrittenResource:
    given = {
        "capacity": {"design": 1, "standalone": 4},
        "libraries": [TEMPLATE],
        "kafka": {"bootstrapServers": "kafka:9092"},
        **spec,
    }
    return WrittenResource(namespace, name, parse_spec(StreamResourceSpec, given))


def windows(source: str, output: str) -> dict[str, Any]:
    policy = {"input": f"M::{source}", "aggregation": "max", "windowSize": "10m", "output": f"M::{output}"}
    return {"timeWindowAggregation": {"policies": [policy]}}


def reasons(faults: list[list[Fault]]) -> list[list[str]]:
    return [[fault.reason for fault in each] for each in faults]


def test_what_is_right_has_no_faults() -> None:
    assert check_manifests([written_job("a")], [written_resource()], {}, CATALOGUE) == ([[]], [[]])


def test_of_two_writers_and_of_a_loop_the_later_manifest_is_told() -> None:
    jobs = [
        written_job("out", **windows("x", "y")),
        written_job("back", **windows("y", "x")),
        written_job("again", **windows("q", "y")),
        written_job("elsewhere", namespace="other", **windows("y", "x")),
        written_job("draft", state="Draft", **windows("q", "r")),
        written_job("released", state="Released", **windows("q", "r")),
    ]
    resources = [written_resource(), written_resource(namespace="other")]
    assert reasons(check_manifests(jobs, resources, {})[0]) == [[], ["LineageLoop"], ["OutputTaken"], [], [], []]


def test_the_second_resource_of_a_namespace_and_of_an_org_id_are_told() -> None:
    resources = [
        written_resource(orgId="o1"),
        written_resource("second", orgId="o2"),
        written_resource(namespace="other", orgId="o1"),
    ]
    jobs, faults = check_manifests([written_job("a", namespace="other")], resources, {})
    assert reasons(faults) == [[], ["DuplicateResource"], ["OrgIdTaken"]]
    assert reasons(jobs) == [["OrgIdTaken"]]


def test_models_are_those_of_the_namespace_and_missing_ones_are_told() -> None:
    of = written_resource(models={"configMap": "models"})
    named = written_job("a", **windows("A", "B"))
    assert reasons(check_manifests([named], [of], {("ou", "models"): MODELS})[0]) == [["UnknownName"]]
    jobs, resources = check_manifests([named], [of], {("other", "models"): MODELS})
    assert (reasons(jobs), reasons(resources)) == ([["ModelsMissing"]], [["ModelsMissing"]])


def test_a_job_larger_than_its_ou_is_told_whatever_its_state() -> None:
    jobs = [written_job("large", resources={"cu": 4}), written_job("draft", state="Draft", resources={"cu": 4})]
    small = written_resource(capacity={"design": 1, "standalone": 2})
    assert reasons(check_manifests(jobs, [small], {})[0]) == [["CapacityNeverSuffices"]] * 2


def test_a_cluster_job_counts_its_master_and_all_its_workers() -> None:
    sizes = {"mode": "Cluster", "master": {"cu": 1}, "workers": 3, "worker": {"cu": 2.5}}
    by = written_resource(
        capacity={"design": 1, "standalone": 100, "cluster": 8}, checkpoints={"claimName": "checkpoints"}
    )
    ((oversize,),), _ = check_manifests([written_job("a", resources=sizes)], [by], {})
    assert oversize.message.startswith(
        "spec.resources: needs 8.5 CU of cluster (master 1 + 3 workers of 2.5), but StreamResource energy has 8 in all"
    )


def test_a_cluster_job_needs_storage_that_all_its_pods_reach() -> None:
    sizes = {"mode": "Cluster", "master": {"cu": 1}, "workers": 1, "worker": {"cu": 1}}
    by = written_resource(capacity={"design": 1, "cluster": 8})
    ((fault,),), _ = check_manifests([written_job("a", resources=sizes)], [by], {})
    assert fault.reason == "StorageNotShared"
    assert "spec.checkpoints.claimName" in fault.message


def test_a_job_without_its_resource_is_told_and_an_invalid_one_stands_against_nobody() -> None:
    invalid = WrittenJob("ou", "invalid", InvalidSpec(["spec.x: wrong"]))
    jobs, _ = check_manifests([invalid, written_job("a")], [], {})
    assert reasons(jobs) == [["InvalidSpec"], ["ResourceMissing"]]


def test_without_a_catalogue_libraries_are_not_held_against_it() -> None:
    newer = {**TEMPLATE, "version": "9.9"}
    jobs, by = [written_job("a", template=newer)], [written_resource(libraries=[newer])]
    assert check_manifests(jobs, by, {}) == ([[]], [[]])
    assert reasons(check_manifests(jobs, by, {}, CATALOGUE)[0]) == [["TemplateUnknown"]]
