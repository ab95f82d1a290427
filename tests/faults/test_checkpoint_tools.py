"""The commands for a job in the cluster, run by a user who may edit the OU and no more."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import Producer

from demo.stage import Stage, create_topic
from fixtures.eventually import eventually
from images.delivery import deliver
from localcluster.providers import Cluster

JOB = "meter-extremes-10min"
START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
USER = "engineer"
TOOLS = "app.kubernetes.io/component=checkpoint-tool"

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
def stage(cluster: Cluster) -> Iterator[Stage]:
    images = deliver(cluster, ("operator", "runtime", "kafka", "redis"))
    stage = Stage(cluster, images, "ou-tools", "oTools", 39095, "streamjob-tools", "streamjob-tools")
    stage.remove_ou()
    stage.install_operator()
    stage.install_platform()
    yield stage
    stage.remove_ou()
    stage.remove_operator()


@pytest.fixture
def kubeconfig(stage: Stage, tmp_path: Path) -> Path:
    """Of a user with Kubernetes' role edit in the OU's namespace, and the chart's for those who only look."""
    namespace = ("-n", stage.namespace)
    stage.cluster.kubectl(*namespace, "create", "serviceaccount", USER)
    account = f"--serviceaccount={stage.namespace}:{USER}"
    stage.cluster.kubectl(*namespace, "create", "rolebinding", USER, "--clusterrole=edit", account)
    stage.cluster.kubectl(*namespace, "create", "rolebinding", f"{USER}-view", "--role=streamjob-view", account)
    config = yaml.safe_load(stage.cluster.kubeconfig.read_text())
    config["users"] = [{"name": USER, "user": {"token": stage.cluster.kubectl(*namespace, "create", "token", USER)}}]
    config["contexts"][0]["context"] |= {"user": USER, "namespace": stage.namespace}
    config["current-context"] = config["contexts"][0]["name"]
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


class Command:
    """``streamjob`` as the user runs it."""

    def __init__(self, kubeconfig: Path) -> None:
        self._environment = os.environ | {"KUBECONFIG": str(kubeconfig)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "streamjob_cli", *arguments],
            env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def fails(self, *arguments: str) -> tuple[int, str]:
        process = self.start(*arguments)
        _, told = process.communicate(timeout=600)
        print(told)
        return process.returncode, told

    def rows(self, *arguments: str) -> list[Any]:
        process = self.start(*arguments)
        out, told = process.communicate(timeout=600)
        print(told)
        assert process.returncode == 0, told
        return [json.loads(line) for line in out.splitlines()]


def message(meter: str, at: int, value: float) -> tuple[str, bytes]:
    payload = [{"assetId": meter, "time": START + at, "measurepoints": {"Reading": value}}]
    return meter, json.dumps({"modelId": "ElectricMeter", "payload": payload}).encode()


def send(bootstrap: str, stage: Stage, *readings: tuple[str, int, float]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for key, value in (message(*reading) for reading in readings):
        producer.produce(stage.origin_topic, value, key)
    assert producer.flush(60) == 0


def set_state(stage: Stage, state: str) -> None:
    patch = json.dumps({"spec": {"state": state}})
    stage.cluster.kubectl("-n", stage.namespace, "patch", "streamjob", JOB, "--type=merge", "-p", patch)
    wanted = ("Paused", "True") if state == "Paused" else ("Running", "True")
    eventually(lambda: ready(stage), until=lambda seen: seen == wanted, within_seconds=600)


def ready(stage: Stage) -> tuple[str, str]:
    shown = json.loads(stage.cluster.kubectl("-n", stage.namespace, "get", "streamjob", JOB, "-o", "json"))
    conditions = {condition["type"]: condition for condition in shown["status"].get("conditions", ())}
    found = conditions.get("Ready", {})
    return found.get("reason", ""), found.get("status", "")


def is_read(stage: Stage, messages: int) -> None:
    eventually(
        lambda: stage.progress(JOB),
        until=lambda seen: bool(seen) and seen["idle"] and seen["totals"]["messages"] == messages,
        within_seconds=600,
    )


def test_a_user_looks_at_a_paused_job_resets_it_and_lets_it_forget(stage: Stage, kubeconfig: Path) -> None:
    run = Command(kubeconfig)
    stage.apply("streamresource.yaml")
    with stage.kafka() as bootstrap:
        create_topic(bootstrap, stage.origin_topic, 4)
        stage.apply("streamjob.yaml")
        # 2 GiB beside Kafka, Redis and the pods of the tools
        stage.cluster.kubectl(
            *("-n", stage.namespace, "patch", "streamjob", JOB, "--type=merge", "-p"),
            json.dumps({"spec": {"resources": {"cu": 1}}}),
        )
        send(bootstrap, stage, ("m1", 0, 70.0), ("m2", 0, 70.0))
        set_state(stage, "Running")
        is_read(stage, 2)
        running = run.rows("offsets", "show", JOB)
        assert (sum(row["position"] for row in running), sum(row["lag"] for row in running)) == (2, 0)
        code, told = run.fails("offsets", "reset", JOB, "--to", "latest", "--yes")
        assert (code, "spec.state is Running; set it to Paused to reset its offsets" in told) == (2, True)

        set_state(stage, "Paused")
        send(bootstrap, stage, ("m1", 1, 99.0), ("m2", 1, 99.0))
        paused = run.rows("offsets", "show", JOB)
        assert [row["position"] for row in paused] == [row["position"] for row in running]
        assert sum(row["lag"] for row in paused) == 2
        held = run.rows("state", "show", JOB, "--asset", "m[12]")
        assert [(row["asset"], row["fields"]["max"]) for row in held if row["kind"] == "window"] == [
            ("m1", 70.0),
            ("m2", 70.0),
        ]
        run.rows("state", "delete", JOB, "--asset", "m1", "--point", "ElectricMeter::Reading", "--yes")
        run.rows("offsets", "reset", JOB, "--to", "latest", "--yes")
        interrupted(run, stage)

        set_state(stage, "Running")
        send(bootstrap, stage, ("m1", 2, 5.0), ("m2", 2, 5.0))
        is_read(stage, 2)
        held = run.rows("state", "show", JOB, "--asset", "m1", "--asset", "m2")
        assert [(row["asset"], row["fields"]["max"]) for row in held if row["kind"] == "window"] == [
            ("m1", 5.0),
            ("m2", 70.0),
        ], "m1 has forgotten its 70, and nobody has read the 99"
    assert stage.cluster.kubectl("-n", stage.namespace, "get", "pods", "-l", TOOLS, "-o", "name") == ""


def interrupted(run: Command, stage: Stage) -> None:
    """Ctrl-C leaves no pod behind, wherever it comes."""
    process = run.start("state", "show", JOB, "--asset", "*")

    def pods() -> str:
        return stage.cluster.kubectl("-n", stage.namespace, "get", "pods", "-l", TOOLS, "-o", "name")

    eventually(pods, until=bool, within_seconds=60)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 1
    eventually(pods, until=lambda found: not found, within_seconds=60)
