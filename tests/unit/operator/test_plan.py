"""The objects of one attempt: whole manifests beside golden files, and why they are as they are."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamjob_api.job_file import HTTP_AUTH_DIR, JobFile
from streamjob_api.points import PointRef
from streamjob_api.stream_job import StreamJobSpec
from streamjob_operator.extracts import pod_of
from streamjob_operator.observed import Manifest
from streamjob_operator.plan import plan
from streamjob_operator.settings import DriverSettings
from unit.operator.builders import CREATED, JOB_UID, job, runnable

GOLDEN = Path(__file__).parents[1] / "golden"
CASES: dict[str, tuple[Manifest, DriverSettings]] = {
    "minimal": ({}, DriverSettings()),
    "everything": (
        {
            "orgId": "o15724268424841",
            "timezone": "Europe/Berlin",
            "kafka": {"bootstrapServers": "kafka:9092", "authSecret": "kafka-client"},
            "redis": {"url": "redis://redis:6379/0", "authSecret": "redis-client"},
            "checkpoints": {"volumeClaim": {"storageClassName": "fast", "size": "5Gi"}},
        },
        DriverSettings(
            cpu_request_per_cu=0.1,
            image_pull_policy="Always",
            image_pull_secrets=("registry",),
            service_account="drivers",
            node_selector={"disktype": "ssd"},
            tolerations=({"key": "streams", "operator": "Exists"},),
        ),
    ),
    "cluster": (
        {
            "kafka": {"bootstrapServers": "kafka:9092", "authSecret": "kafka-client"},
            "redis": {"url": "redis://redis:6379/0", "authSecret": "redis-client"},
            "checkpoints": {"claimName": "checkpoints"},
        },
        DriverSettings(
            cpu_request_per_cu=0.1,
            image_pull_secrets=("registry",),
            service_account="drivers",
            node_selector={"disktype": "ssd"},
            tolerations=({"key": "streams", "operator": "Exists"},),
        ),
    ),
}


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as lines."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def planned(case: str) -> list[Manifest]:
    resource_spec, settings = CASES[case]
    spec: dict[str, Any] = yaml.safe_load((GOLDEN / case / "streamjob.yaml").read_text())["spec"]
    of = job("meter-extremes", **spec)
    return plan(of, runnable(of, **resource_spec), attempt=3, epoch=1, settings=settings)


@pytest.mark.parametrize("case", CASES)
def test_plan_matches_golden(case: str) -> None:
    text = yaml.dump_all(planned(case), Dumper=_Dumper, sort_keys=False, width=120)
    golden = GOLDEN / case / "plan.yaml"
    if os.environ.get("REWRITE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


def test_every_planned_object_is_owned_by_its_job() -> None:
    owners = [manifest["metadata"]["ownerReferences"] for manifest in planned("everything")]
    assert {(owner["uid"], owner["controller"]) for (owner,) in owners} == {(JOB_UID, True)}


def test_the_pod_comes_last_and_finds_all_it_mounts() -> None:
    config_map, claim, pod = planned("minimal")
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    assert volumes["job-file"]["configMap"]["name"] == config_map["metadata"]["name"]
    assert volumes["checkpoint"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]


def test_another_time_zone_of_the_ou_restarts_its_drivers() -> None:
    of = job("meter-extremes")
    assert runnable(of).spec_hash == runnable(of, timezone="UTC").spec_hash
    assert runnable(of).spec_hash != runnable(of, timezone="Europe/Berlin").spec_hash


def test_the_runtime_can_read_its_job_file() -> None:
    config_map, *_ = planned("everything")
    told = JobFile.model_validate_json(config_map["data"]["job.json"])
    assert (told.job.attempt, told.job.epoch, told.org_id) == (3, 1, "o15724268424841")
    assert told.checkpoint_path == f"/var/lib/streamjob/checkpoints/ou/meter-extremes/{JOB_UID}/1"


def test_the_runtime_and_the_next_turn_of_the_operator_learn_of_calculated_inputs() -> None:
    of = job()
    points = (PointRef("M", "A"), PointRef("M", "B.c"))
    chained = replace(runnable(of), calculated=points)
    config_map, _, pod = plan(of, chained, attempt=1, epoch=0, settings=DriverSettings())
    assert tuple(JobFile.model_validate_json(config_map["data"]["job.json"]).calculated) == points
    seen = pod_of({**pod, "metadata": pod["metadata"] | {"uid": "1", "creationTimestamp": CREATED}})
    assert seen.calculated == {"M::A", "M::B.c"}


def test_secrets_are_named_and_never_read() -> None:
    *_, pod = planned("everything")
    assert [volume["secret"] for volume in pod["spec"]["volumes"] if "secret" in volume] == [
        {"secretName": "kafka-client"},
        {"secretName": "redis-client"},
    ]


def test_pipelines_alone_get_the_secret_for_other_hosts_and_learn_what_they_may() -> None:
    stages: list[Any] = [{"name": "a", "calculator": "trash", "from": ["b"]}]
    stages += [{"name": "b", "calculator": "point-selector", "from": ["source"], "parameters": {"points": ["M::A"]}}]
    template = {"name": "pipeline", "version": "1.0"}
    allowed = {"http": {"hosts": ["maps"], "authSecret": "platform-api"}}
    other = runnable(job(), pipelines=allowed)
    of = job(template=template, pipeline={"stages": stages}, timeWindowAggregation=None)
    assert isinstance(of.spec, StreamJobSpec)
    asking = replace(other, spec=of.spec)
    config_map, *_, pod = plan(of, asking, attempt=1, epoch=0, settings=DriverSettings())
    assert {"name": "http-auth", "secret": {"secretName": "platform-api"}} in pod["spec"]["volumes"]
    mounts = {mount["name"]: mount["mountPath"] for mount in pod["spec"]["containers"][0]["volumeMounts"]}
    assert mounts["http-auth"] == HTTP_AUTH_DIR
    told = JobFile.model_validate_json(config_map["data"]["job.json"])
    assert told.pipelines == asking.resource_spec.pipelines
    assert other.spec_hash != runnable(job()).spec_hash
    *_, pod = plan(job(), other, attempt=1, epoch=0, settings=DriverSettings())
    assert not [volume for volume in pod["spec"]["volumes"] if volume["name"] == "http-auth"]


def test_memory_is_requested_as_a_whole_and_cpu_as_the_setting_says() -> None:
    *_, pod = planned("everything")
    assert pod["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "250m", "memory": "5120Mi"},
        "limits": {"cpu": "2500m", "memory": "5120Mi"},
    }


def test_a_driver_that_continues_a_healthy_ones_checkpoint_is_told_so() -> None:
    def told(epoch: int, **status: Any) -> list[Manifest]:
        of = job(status=status)
        *_, pod = plan(of, runnable(of), attempt=2, epoch=epoch, settings=DriverSettings())
        found: list[Manifest] = pod["spec"]["containers"][0].get("env", [])
        return found

    stable = {"specHash": "a", "generation": 1, "epoch": 1}
    assert told(1, lastStable=stable) == [{"name": "STREAMJOB_CONTINUES", "value": "true"}]
    assert told(2, lastStable=stable) == told(1) == []


def test_the_longest_names_fit_a_label() -> None:
    of = job("j" * 46)
    for manifest in plan(of, runnable(of), attempt=99_999_999, epoch=0, settings=DriverSettings()):
        assert len(manifest["metadata"]["name"]) <= 63
        assert all(len(value) <= 63 for value in manifest["metadata"]["labels"].values())


def lost_nodes(*tolerations: dict[str, Any]) -> dict[str | None, Any]:
    """For how long a pod with these tolerations stays on a lost node, by taint."""
    *_, pod = plan(job(), runnable(job()), 1, 0, DriverSettings(tolerations=tolerations, node_loss_seconds=45))
    return {toleration.get("key"): toleration.get("tolerationSeconds") for toleration in pod["spec"]["tolerations"]}


def test_a_driver_leaves_a_lost_node_before_five_minutes_are_over() -> None:
    unreachable, not_ready = "node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"
    assert lost_nodes() == {unreachable: 45, not_ready: 45}
    own = {"key": unreachable, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 900}
    assert lost_nodes(own) == {unreachable: 900, not_ready: 45}
    assert lost_nodes({"operator": "Exists"}) == {None: None}
