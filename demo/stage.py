"""Set the stage: the operator by its chart, Kafka and Redis beside the job, the OU's manifests."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from localcluster.problems import ClusterError
from localcluster.providers import Cluster
from streamjob_api.kinds import STREAM_RESOURCE

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "meter-extremes"
CHART = ROOT / "charts" / "streamjob-operator"
KAFKA_EXTERNAL_PORT = 39092
KAFKA_EXTERNAL_TARGET = 9094
REDIS_PORT = 6379
DRIVER_PORT = 8090
PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Stage:
    """One OU with its own Kafka and Redis on a cluster.

    Attributes:
        cluster: Where.
        images: Image references by name: operator, runtime, kafka, redis.
        namespace: The OU.
        org_id: Its id in topics and records.
        kafka_port: Local port through which the broker is reached; brokers advertise it.
        release: The operator's Helm release, which looks after this OU alone.
        system_namespace: Where it is installed.
        settings: Further settings of the operator.
    """

    cluster: Cluster
    images: Mapping[str, str]
    namespace: str = "ou-energy"
    org_id: str = "o15724268424841"
    kafka_port: int = KAFKA_EXTERNAL_PORT
    release: str = "streamjob-operator"
    system_namespace: str = "streamjob-system"
    settings: Mapping[str, float] = field(default_factory=dict)

    @property
    def origin_topic(self) -> str:
        """The topic that devices' records go to."""
        return f"MEASURE_POINT_ORIGIN_{self.org_id}"

    @property
    def cal_topic(self) -> str:
        """The topic that results come from."""
        return f"MEASURE_POINT_CAL_{self.org_id}"

    def install_operator(self) -> None:
        """Install the chart, or upgrade what is there to the present images."""
        values = {
            "image": {"reference": self.images["operator"]},
            "catalogue": [{**entry, "image": self.images["runtime"]} for entry in _chart_values()["catalogue"]],
            "watchNamespaces": [self.namespace],
            # Two cores cannot hold jobs that request a core for each CU beside Kafka and the rest.
            "settings": {"cpuRequestPerCu": 0.1, **self.settings},
        }
        self.cluster.create_namespace(self.namespace)
        self.cluster.helm(
            *("upgrade", "--install", self.release, str(CHART), "--create-namespace", "--take-ownership"),
            *("--namespace", self.system_namespace, "--wait", "--timeout", "5m", "--values", "-"),
            input=json.dumps(values),
        )

    def install_platform(self) -> None:
        """Start Kafka and Redis in the OU's namespace, and wait until both answer."""
        for name in ("kafka", "redis"):
            manifests = (ROOT / "tests" / "images" / name / "manifests.yaml").read_text()
            manifests = manifests.replace("${IMAGE}", self.images[name])
            manifests = manifests.replace("${EXTERNAL_PORT}", str(self.kafka_port))
            self.cluster.kubectl("-n", self.namespace, "apply", "-f", "-", input=manifests)
        for name in ("kafka", "redis"):
            self.cluster.kubectl("-n", self.namespace, "rollout", "status", f"statefulset/{name}", "--timeout=5m")

    def apply(self, manifest: str) -> dict[str, Any]:
        """Apply one of the example's manifests to this OU; returns it."""
        document: dict[str, Any] = yaml.safe_load((EXAMPLE / manifest).read_text())
        document["metadata"]["namespace"] = self.namespace
        if document["kind"] == STREAM_RESOURCE:
            document["spec"]["orgId"] = self.org_id
        self.cluster.kubectl("apply", "-f", "-", input=json.dumps(document))
        return document

    def wait_until_ready(self, job: str, timeout: str = "5m") -> None:
        """Wait until the job is Ready; the error shows its conditions."""
        self.cluster.kubectl(
            "-n", self.namespace, "wait", f"streamjob/{job}", "--for=condition=Ready", f"--timeout={timeout}"
        )

    def progress(self, job: str) -> dict[str, Any]:
        """What the job's driver says of itself now; empty while there is none."""
        pod = self.cluster.kubectl(
            "-n", self.namespace, "get", "streamjob", job, "-o", "jsonpath={.status.driver.podName}"
        )
        try:
            path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}:{DRIVER_PORT}/proxy/progress"
            report: dict[str, Any] = json.loads(self.cluster.kubectl("get", "--raw", path))
        except ClusterError:
            return {}
        return report

    @contextmanager
    def kafka(self) -> Iterator[str]:
        """The broker's address on this machine, while the context lasts."""
        with self.cluster.port_forward(
            self.namespace, "service/kafka", KAFKA_EXTERNAL_TARGET, local_port=self.kafka_port
        ) as port:
            yield f"127.0.0.1:{port}"

    @contextmanager
    def redis(self) -> Iterator[int]:
        """Redis' port on this machine, while the context lasts."""
        with self.cluster.port_forward(self.namespace, "service/redis", REDIS_PORT) as port:
            yield port

    def remove_ou(self, *, wait: bool = True) -> None:
        """Remove the OU with all that runs in it; drivers end gracefully."""
        waiting = f"--wait={str(wait).lower()}"
        self.cluster.kubectl("delete", "namespace", self.namespace, "--ignore-not-found", waiting)

    def remove_operator(self, *, wait: bool = True) -> None:
        """Remove the operator; the CRDs stay."""
        self.cluster.helm("uninstall", self.release, "--namespace", self.system_namespace, "--ignore-not-found")
        waiting = f"--wait={str(wait).lower()}"
        self.cluster.kubectl("delete", "namespace", self.system_namespace, "--ignore-not-found", waiting)


def _chart_values() -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    return values


def create_topic(bootstrap: str, topic: str, partitions: int) -> None:
    """Create a topic and wait until the broker leads all its partitions."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    # A broker answers before it is in its own list, and makes no topic until then.
    _wait_until(lambda: bool(admin.list_topics(timeout=30).brokers), f"a broker answers at {bootstrap}")
    admin.create_topics([NewTopic(topic, num_partitions=partitions, replication_factor=1)])[topic].result(timeout=60)

    def is_led() -> bool:
        found = admin.list_topics(topic, timeout=30).topics[topic].partitions
        return len(found) == partitions and all(part.leader >= 0 for part in found.values())

    _wait_until(is_led, f"the partitions of topic {topic} have a leader")


def _wait_until(probe: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not probe():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE_SECONDS} s in vain until {what}")
        time.sleep(0.2)
