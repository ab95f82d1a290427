"""What the real runtime's driver knows is told by its job: Kafka gone, a wrong password, a hung worker, a damaged file.

The operator runs on this machine; Kafka, Redis and the drivers are pods.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from confluent_kafka import Producer

from cluster.operator_process import TEMPLATE, Manifest, OperatorProcess, Ou, condition, is_ready, reason, stream_job
from demo.stage import create_topic
from fixtures.eventually import eventually
from fixtures.told import is_unready, told
from images.delivery import deliver

_IMAGES = Path(__file__).parents[1] / "images"
_ORG = "oReasons"
_TOPIC = f"MEASURE_POINT_ORIGIN_{_ORG}"
# A micro-batch that takes longer is called stuck: streamjob_runtime/report.py.
_STUCK_SECONDS = 600
_SIGNAL_WORKERS = """
import os, pathlib, sys
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    words = (folder / "cmdline").read_bytes().split(b"\\0")
    if b"pyspark.worker" in words:  # those of tasks, and what forks them
        os.kill(int(folder.name), int(sys.argv[1]))
        print(folder.name)
"""
_STOP, _CONTINUE = "19", "18"
_OFFSETS = """
import pathlib, sys
found = list(pathlib.Path(sys.argv[1]).glob("*/*/*/*/offsets/[0-9]*"))
print(*found)
"""
_DAMAGE = f"{_OFFSETS}[path.write_text('v1') for path in found]"
_CHECKPOINTS = "/var/lib/streamjob/checkpoints"
_KAFKA_PORT = 39095
_BEGIN = 1_760_000_400_000  # on the boundary of a window of ten minutes

pytestmark = pytest.mark.timeout(2400)


@pytest.fixture
def platform(ou: Ou) -> dict[str, str]:
    """Kafka and Redis in the OU; the images that pods run."""
    images = deliver(ou.cluster, ("runtime", "kafka", "redis"))
    for name in ("kafka", "redis"):
        manifests = (_IMAGES / name / "manifests.yaml").read_text()
        text = manifests.replace("${IMAGE}", images[name]).replace("${EXTERNAL_PORT}", str(_KAFKA_PORT))
        ou.cluster.kubectl("apply", "-n", ou.namespace, "-f", "-", input=text)
    for name in ("kafka", "redis"):
        ou.cluster.kubectl("rollout", "status", "-n", ou.namespace, f"statefulset/{name}", "--timeout=5m")
    return images


@pytest.fixture
def real(ou: Ou, platform: dict[str, str], idle_operator: OperatorProcess, tmp_path: Path) -> Iterator[Ou]:
    """An OU whose drivers are real, asked for their progress as seldom as in production."""
    catalogue = tmp_path / "catalogue.yaml"
    catalogue.write_text(yaml.safe_dump({"templates": [{**TEMPLATE, "image": platform["runtime"]}]}))
    idle_operator.catalogue = catalogue
    idle_operator.extra = ("--no-leader-election", "--progress-interval=60", "--cpu-request-per-cu=0.1")
    idle_operator.start()
    yield ou
    ou.delete("streamjobs,streamresources", "--all", "--wait=false")
    ou.delete("statefulsets", "--all", "--wait=false")


def resource(**redis: str) -> Manifest:
    return {
        "apiVersion": "streamjob.dev/v1beta1",
        "kind": "StreamResource",
        "metadata": {"name": "energy"},
        "spec": {
            "orgId": _ORG,
            "capacity": {"design": 1, "standalone": 4},
            "libraries": [TEMPLATE],
            "kafka": {"bootstrapServers": "kafka:9092", "createTopics": {"partitions": 1, "replicationFactor": 1}},
            "redis": {"url": "redis://redis:6379/0", **redis},
            "checkpoints": {"volumeClaim": {"size": "100Mi"}},
        },
    }


def driver_of(ou: Ou, job: str) -> str:
    return str(ou.get("streamjob", job)["status"]["driver"]["podName"])


def scale(ou: Ou, name: str, replicas: int) -> None:
    ou.cluster.kubectl("scale", "-n", ou.namespace, f"statefulset/{name}", f"--replicas={replicas}")


def python_in(ou: Ou, pod: str, script: str, *arguments: str) -> str:
    return ou.cluster.kubectl("exec", "-n", ou.namespace, pod, "--", "python3", "-c", script, *arguments)


def require_password(ou: Ou, password: str, given: str = "") -> None:
    """Without one, Redis takes any."""
    redis = ("redis-cli", *(("-a", given) if given else ()), "CONFIG", "SET", "requirepass", password)
    ou.cluster.kubectl("exec", "-n", ou.namespace, "redis-0", "--", *redis)


def send(ou: Ou, minute: int) -> None:
    """One record of the jobs' input."""
    record = {
        "orgId": _ORG,
        "modelId": "M",
        "assetId": "m1",
        "pointId": "A",
        "value": 1,
        "time": _BEGIN + minute * 60_000,
    }
    with ou.cluster.port_forward(ou.namespace, "service/kafka", 9094, local_port=_KAFKA_PORT):
        producer = Producer({"bootstrap.servers": f"127.0.0.1:{_KAFKA_PORT}"})
        producer.produce(_TOPIC, json.dumps(record).encode(), key=b"m1")
        assert producer.flush(60) == 0


def start(ou: Ou, job: str) -> str:
    """Start a job before its topic is there; its pod, once it is ready."""
    ou.apply(resource(), stream_job(job, startFrom={"mode": "Earliest"}))
    ou.job_until(job, lambda status: reason(status) == "TopicMissing", within_seconds=300)
    with ou.cluster.port_forward(ou.namespace, "service/kafka", 9094, local_port=_KAFKA_PORT):
        create_topic(f"127.0.0.1:{_KAFKA_PORT}", _TOPIC, 1)
    ready_again(ou, job)
    return driver_of(ou, job)


def ready_again(ou: Ou, job: str) -> Manifest:
    return ou.job_until(job, is_ready, within_seconds=300)


def test_what_the_runtime_knows_is_told_within_fifteen_seconds(real: Ou) -> None:
    ou = real
    pod = start(ou, "meters")

    for server, expected in (("kafka", "KafkaUnreachable"), ("redis", "RedisUnreachable")):
        scale(ou, server, 0)
        told(ou, {"meters": (expected, is_unready(ou, pod))})
        scale(ou, server, 1)
        ready_again(ou, "meters")
    assert driver_of(ou, "meters") == pod, "the driver was to wait, not to be replaced"


def test_a_wrong_password_and_a_damaged_checkpoint_are_told(real: Ou) -> None:
    ou = real
    start(ou, "meters")
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "redis"}, "stringData": {"password": "wrong"}}
    require_password(ou, "right")
    ou.apply(secret, resource(authSecret="redis"))
    send(ou, minute=1)
    send(ou, minute=30)  # which closes a window: only then is Redis written to
    status = ou.job_until("meters", lambda status: reason(status) == "RedisDenied", within_seconds=300)
    assert "password" in condition(status, "Ready")["message"].lower()
    require_password(ou, "", given="right")
    ou.apply(resource())
    ready_again(ou, "meters")

    pod = driver_of(ou, "meters")
    eventually(lambda: python_in(ou, pod, _OFFSETS, _CHECKPOINTS).strip(), within_seconds=120)
    assert python_in(ou, pod, _DAMAGE, _CHECKPOINTS).strip()
    ou.delete("pod", pod, "--wait=false")
    status = ou.job_until("meters", lambda status: reason(status, "Stalled") == "CheckpointIncompatible")
    assert status["restarts"]["lastExitCode"] == 66


def test_a_worker_that_hangs_is_no_progress(real: Ou) -> None:
    ou = real
    pod = start(ou, "hung")
    send(ou, minute=1)
    eventually(lambda: python_in(ou, pod, _SIGNAL_WORKERS, _STOP), within_seconds=120)
    send(ou, minute=2)
    told(ou, {"hung": ("NoProgress", is_unready(ou, pod))}, _STUCK_SECONDS + 120)
    python_in(ou, pod, _SIGNAL_WORKERS, _CONTINUE)
    status = ready_again(ou, "hung")
    assert status["restarts"]["total"] == 0
