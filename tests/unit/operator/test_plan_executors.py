"""A Cluster job's driver and the template of its executors: what they share, and who may do what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamjob_api import kinds
from streamjob_api.job_file import EXECUTOR_TEMPLATE, JobFile
from streamjob_api.stream_job import StreamJobSpec
from streamjob_operator.extracts import pod_of
from streamjob_operator.observed import Manifest
from streamjob_operator.plan import plan
from streamjob_operator.plan.names import executor_prefix
from streamjob_operator.settings import DriverSettings
from unit.operator.builders import CREATED, JOB_UID, job, runnable
from unit.operator.test_plan import planned

CLUSTER: dict[str, Any] = {"mode": "Cluster", "master": {"cu": 1}, "workers": 3, "worker": {"cu": 2}}


def template(config_map: Manifest) -> Manifest:
    read: Manifest = json.loads(config_map["data"][EXECUTOR_TEMPLATE.rpartition("/")[2]])
    return read


def test_only_a_driver_that_manages_executors_has_a_token() -> None:
    tokens = {case: planned(case)[-1]["spec"]["automountServiceAccountToken"] for case in ("everything", "cluster")}
    assert tokens == {"everything": False, "cluster": True}
    accounts = {case: planned(case)[-1]["spec"]["serviceAccountName"] for case in tokens}
    assert accounts == {"everything": "drivers", "cluster": "streamjob-driver"}


def test_executors_have_no_token() -> None:
    spec = template(planned("cluster")[0])["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in spec


def test_executors_share_the_drivers_security_storage_secrets_and_nodes() -> None:
    config_map, driver = planned("cluster")
    executor = template(config_map)["spec"]
    for same in ("securityContext", "nodeSelector", "tolerations", "imagePullSecrets"):
        assert executor[same] == driver["spec"][same]
    of_executor, of_driver = executor["containers"][0], driver["spec"]["containers"][0]
    assert of_executor["securityContext"] == of_driver["securityContext"]
    own = {"job-file"}
    assert [mount for mount in of_driver["volumeMounts"] if mount["name"] not in own] == of_executor["volumeMounts"]
    assert [volume for volume in driver["spec"]["volumes"] if volume["name"] not in own] == executor["volumes"]


def test_the_drivers_annotation_counts_the_master_and_all_workers_and_its_size_the_master_alone() -> None:
    *_, driver = planned("cluster")
    assert driver["metadata"]["annotations"][kinds.CU_ANNOTATION] == "7"
    assert driver["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "1000m", "memory": "2048Mi"}


def test_an_executor_is_known_by_its_job_and_size() -> None:
    made = template(planned("cluster")[0])
    owner = {"uid": "driver-pod", "controller": True}
    given = {"name": "e", "namespace": "ou", "uid": "1", "creationTimestamp": CREATED, "ownerReferences": [owner]}
    seen = pod_of({**made, "metadata": made["metadata"] | given})
    assert (seen.component, seen.job, seen.job_uid) == (kinds.EXECUTOR, "meter-extremes", JOB_UID)
    assert (seen.attempt, seen.cu, seen.owner_uid) == (3, 2, "driver-pod")


def test_the_driver_is_told_what_spark_makes_executors_of() -> None:
    told = JobFile.model_validate_json(planned("cluster")[0]["data"]["job.json"])
    assert told.executors
    assert told.executors.driver_pod == "meter-extremes-3-driver"
    assert told.executors.name_prefix == "meter-extremes-3"
    assert (told.executors.cpu_request, told.executors.cpu_limit) == ("200m", "2000m")


def test_a_standalone_driver_is_told_nothing_of_executors() -> None:
    data = planned("everything")[0]["data"]
    assert list(data) == ["job.json"]
    assert "executors" not in json.loads(data["job.json"])


@pytest.mark.parametrize("resources", [CLUSTER, {"mode": "Standalone", "cu": 2}])
def test_a_shared_claim_is_mounted_in_both_modes_and_none_is_made(resources: dict[str, Any]) -> None:
    of = job("meter-extremes", resources=resources)
    found = runnable(of, checkpoints={"claimName": "checkpoints"})
    manifests = plan(of, found, attempt=1, epoch=0, settings=DriverSettings())
    assert [manifest["kind"] for manifest in manifests] == ["ConfigMap", "Pod"]
    volumes = {volume["name"]: volume for volume in manifests[-1]["spec"]["volumes"]}
    assert volumes["checkpoint"] == {"name": "checkpoint", "persistentVolumeClaim": {"claimName": "checkpoints"}}


def test_workers_and_mode_leave_the_checkpoints_place_alone() -> None:
    paths = set()
    for resources in (CLUSTER, {**CLUSTER, "workers": 1}, {"mode": "Standalone", "cu": 2}):
        of = job("meter-extremes", resources=resources)
        assert isinstance(of.spec, StreamJobSpec)
        found = runnable(of, checkpoints={"claimName": "checkpoints"})
        config_map, *_ = plan(of, found, attempt=1, epoch=0, settings=DriverSettings())
        paths.add(JobFile.model_validate_json(config_map["data"]["job.json"]).checkpoint_path)
    assert len(paths) == 1


def test_names_of_executors_stay_short_enough_for_spark_and_differ() -> None:
    long = [executor_prefix("j" * 45 + end, attempt) for end in "ab" for attempt in (1, 2, 99_999_999)]
    assert max(map(len, long)) <= 47
    assert len(set(long)) == len(long)
    assert executor_prefix("extremes", 3) == "extremes-3"
