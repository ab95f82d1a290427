"""A Cluster job on a real cluster: executors lost, fewer workers, a pause, then one pod; and every result is right."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from confluent_kafka import Producer

from demo import comparison, expected, gateway, meters, results
from demo.run import policy_of
from demo.stage import EXAMPLE, Stage, create_topic
from fixtures.eventually import eventually
from images.delivery import deliver
from localcluster.providers import Cluster
from localcluster.state import state_folder

JOB = "meter-extremes-10min"
NAMESPACE = "ou-cluster-mode"
WEEK = meters.Week(meters=50, days=2)
PARTS = 5
SIZES = {"mode": "Cluster", "master": {"cu": 1}, "workers": 2, "worker": {"cu": 1}}
KILL_JVM = """
import os, pathlib, signal
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    if (folder / "comm").read_text().strip() == "java":
        os.kill(int(folder.name), signal.SIGKILL)
"""

pytestmark = pytest.mark.timeout(2400)


def shared_claim(image: str) -> list[dict[str, Any]]:
    """A folder of the node as storage that all pods reach: there is one node. Pods of others than root write to it."""
    folder = f"/var/lib/streamjob-tests/{NAMESPACE}"
    sized = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    volume = {"hostPath": {"path": folder, "type": "DirectoryOrCreate"}, "persistentVolumeReclaimPolicy": "Retain"}
    claim = {"namespace": NAMESPACE, "name": "checkpoints"}
    opened = {
        "name": "open",
        "image": image,
        "command": ["sh", "-c", "rm -rf /shared/* && chmod 0777 /shared"],
        "securityContext": {"runAsUser": 0},
        "volumeMounts": [{"name": "shared", "mountPath": "/shared"}],
    }
    volumes = [{"name": "shared", "persistentVolumeClaim": {"claimName": "checkpoints"}}]
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": NAMESPACE},
            "spec": {**sized, **volume, "capacity": {"storage": "1Gi"}, "claimRef": claim},
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": claim,
            "spec": {**sized, "volumeName": NAMESPACE, "resources": {"requests": {"storage": "1Gi"}}},
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "open", "namespace": NAMESPACE},
            "spec": {"restartPolicy": "Never", "containers": [opened], "volumes": volumes},
        },
    ]


@pytest.fixture(scope="module")
def stage(cluster: Cluster) -> Iterator[Stage]:
    images = deliver(cluster, ("operator", "runtime", "kafka", "redis"))
    settings = {"progressIntervalSeconds": 3, "throughputIntervalSeconds": 3}
    stage = Stage(cluster, images, NAMESPACE, "oClusterMode", 39096, "streamjob-cm", "streamjob-cm", settings)
    stage.remove_ou()
    cluster.kubectl("delete", "persistentvolume", NAMESPACE, "--ignore-not-found")
    stage.install_operator()
    made = "\n---\n".join(map(json.dumps, shared_claim(images["runtime"])))
    cluster.kubectl("apply", "-f", "-", input=made)
    stage.install_platform()
    cluster.kubectl("-n", NAMESPACE, "wait", "pod/open", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=3m")
    yield stage
    stage.remove_ou()
    cluster.kubectl("delete", "persistentvolume", NAMESPACE, "--ignore-not-found")
    stage.remove_operator()


def status(stage: Stage) -> dict[str, Any]:
    shown = json.loads(stage.cluster.kubectl("-n", NAMESPACE, "get", "streamjob", JOB, "-o", "json"))
    found: dict[str, Any] = shown.get("status", {})
    conditions = {condition["type"]: condition for condition in found.get("conditions", ())}
    return found | {"ready": conditions.get("Ready", {})}


def executors(stage: Stage) -> list[str]:
    """Names of the executor pods that run."""
    selector = "--selector=streamjob.dev/component=executor"
    pods = json.loads(stage.cluster.kubectl("-n", NAMESPACE, "get", "pods", selector, "-o", "json"))["items"]
    alive = [pod for pod in pods if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]]
    return sorted(pod["metadata"]["name"] for pod in alive)


def applied(stage: Stage) -> dict[str, Any]:
    """The example's manifests in Cluster mode; returns the job."""
    resource, job = (yaml.safe_load((EXAMPLE / f"{name}.yaml").read_text()) for name in ("streamresource", "streamjob"))
    capacity = {"design": 1, "standalone": 2, "cluster": 3}
    resource["spec"] |= {"orgId": stage.org_id, "checkpoints": {"claimName": "checkpoints"}, "capacity": capacity}
    job["spec"]["resources"] = SIZES
    for manifest in (resource, job):
        manifest["metadata"]["namespace"] = NAMESPACE
        stage.cluster.kubectl("apply", "-f", "-", input=json.dumps(manifest))
    return dict(job)


def edit(stage: Stage, **spec: Any) -> None:
    patch = json.dumps({"spec": spec})
    stage.cluster.kubectl("-n", NAMESPACE, "patch", "streamjob", JOB, "--type=merge", f"--patch={patch}")


def runs(stage: Stage, after: int, workers: int) -> dict[str, Any]:
    """Wait until a later attempt is ready with all its executors, or as one pod."""

    def has_all(seen: dict[str, Any]) -> bool:
        running = (seen.get("executors") or {}).get("running", 0)
        return bool(seen.get("attempt", 0) > after and seen["ready"].get("status") == "True" and running == workers)

    return eventually(lambda: status(stage), until=has_all, within_seconds=600)


def has_read(stage: Stage, messages: int) -> None:
    """Wait until the present driver has read so many messages."""

    def are_read(seen: dict[str, Any]) -> bool:
        return bool(seen) and bool(seen["totals"]["messages"] >= messages and seen["idle"])

    eventually(lambda: stage.progress(JOB), until=are_read, within_seconds=420)


def lost(stage: Stage, name: str) -> None:
    """An executor is gone, and another one comes in its place."""
    eventually(lambda: executors(stage), until=lambda seen: len(seen) == 2 and name not in seen, within_seconds=240)


def test_lost_executors_fewer_workers_a_pause_and_another_mode_change_no_result(stage: Stage) -> None:
    readings = meters.readings(WEEK, meters.fetch(state_folder(os.environ).root / "data"))
    encoded = gateway.messages(readings, stage.org_id)
    length = encoded.height // PARTS
    job = applied(stage)
    with stage.kafka() as bootstrap:
        create_topic(bootstrap, stage.origin_topic, 4)
        producer = Producer({"bootstrap.servers": bootstrap})

        def send(part: int) -> int:
            sent = encoded.slice(part * length, length if part < PARTS - 1 else None)
            gateway.send(producer, stage.origin_topic, sent, 10_000, lambda _: None)
            return sent.height

        told = runs(stage, after=0, workers=2)
        assert told["executors"] == {"requested": 2, "running": 2}
        assert told["admittedCu"] == 3
        read = send(0)
        has_read(stage, read)

        first, second = executors(stage)
        read += send(1)
        stage.cluster.kubectl("-n", NAMESPACE, "delete", "pod", first, "--wait=false")
        lost(stage, first)
        stage.cluster.kubectl("-n", NAMESPACE, "exec", second, "--", "python", "-c", KILL_JVM)
        lost(stage, second)
        has_read(stage, read)
        assert status(stage)["attempt"] == told["attempt"], "the driver was to go on"

        edit(stage, resources=SIZES | {"workers": 1})
        send(2)
        fewer = runs(stage, after=told["attempt"], workers=1)
        edit(stage, state="Paused")
        eventually(lambda: status(stage), until=lambda seen: seen["phase"] == "Paused", within_seconds=180)
        assert executors(stage) == []
        send(3)
        nothing = {"master": None, "workers": None, "worker": None}
        edit(stage, state="Running", resources={"mode": "Standalone", "cu": 2, **nothing})
        send(4)
        alone = runs(stage, after=fewer["attempt"], workers=0)
        wanted = comparison.expected_frame(expected.expect(readings, policy_of(job)))

        def compared() -> comparison.Comparison:
            records = results.read_topic(bootstrap, stage.cal_topic, lambda _: None)
            return comparison.compare(wanted, results.highest_revisions(records), records.height)

        found = eventually(compared, until=lambda seen: seen.equal == seen.expected, within_seconds=300)
    print(f"{found.equal} of {found.expected} results equal, {found.repeated} records replaced or repeated")
    assert found.holds, found.differing.head(20)
    driver = json.loads(stage.cluster.kubectl("-n", NAMESPACE, "get", "pod", alone["driver"]["podName"], "-o", "json"))
    assert not [volume for volume in driver["spec"]["volumes"] if "projected" in volume], "no token is mounted"
