"""Our driver of a Cluster job beside the one that Spark's own ``spark-submit`` makes, on the real API server.

``spark-submit`` runs in cluster mode against a namespace of its own, with a driver that no node takes. Every difference
that is not listed here, with its reason, fails the test: a new version of Spark may want what we do not give it yet.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyspark
import pytest
import yaml

from localcluster.providers import Cluster
from streamjob_api.job_file import JobFile
from streamjob_api.memory import memory_of
from streamjob_runtime.spark_session import settings
from unit.operator.test_plan import planned

SPARK = Path(pyspark.__file__).parent
IN_POD = {"STREAMJOB_POD_IP": "10.1.2.3", "KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}

PORTS_LEFT_OUT = {
    "spark-ui": "the UI is off; /progress and /metrics tell how a job does",
    "spark-connect": "no Spark Connect server runs",
}
ENVIRONMENT_LEFT_OUT = {
    "SPARK_USER": "set by the runtime before it starts the JVM",
    "SPARK_APPLICATION_ID": "Spark chooses one, which nobody outside needs",
    "SPARK_DRIVER_BIND_ADDRESS": "STREAMJOB_POD_IP says the same, and the runtime binds to it",
    "SPARK_LOCAL_DIRS": "spark.local.dir is below the scratch volume",
    "SPARK_CONF_DIR": "job.json takes the place of a properties file",
}
VOLUMES_LEFT_OUT = {
    "spark-local-dir-1": "the scratch volume",
    "spark-conf-volume-driver": "the volume with job.json",
}
LABELS_LEFT_OUT = {
    "spark-app-name": "streamjob.dev/job",
    "spark-app-selector": "of the Service, which we do not need: executors reach the driver by its pod's address",
    "spark-version": "the image says which",
}
PROPERTIES_LEFT_OUT = {
    "spark.app.id": "Spark chooses one",
    "spark.app.submitTime": "for the UI alone",
    "spark.submit.deployMode": "the driver is in its pod already: client mode",
    "spark.submit.pyFiles": "the code is in the image",
    "spark.kubernetes.resource.type": "for spark-submit alone",
    "spark.kubernetes.submitInDriver": "spark-submit runs within that pod; the runtime makes its own session",
    "spark.kubernetes.memoryOverheadFactor": "sizes are given in MiB, master and workers each",
    "spark.kubernetes.submission.waitAppCompletion": "for spark-submit alone",
    "spark.kubernetes.authenticate.submission.caCertFile": "the pod's own token and certificate are used",
    "spark.kubernetes.authenticate.driver.serviceAccountName": "the pod names it",
    "spark.kubernetes.driver.node.selector.nowhere": "of this test",
    "spark.driver.memoryOverhead": "the pod's size is ours to say",
    "spark.driver.blockManager.port": "spark.blockManager.port says it for driver and executors",
}


@dataclass(frozen=True)
class Submitted:
    """What spark-submit has made."""

    pod: dict[str, Any]
    properties: dict[str, str]

    @property
    def container(self) -> dict[str, Any]:
        (container,) = self.pod["spec"]["containers"]
        return dict(container)


@pytest.fixture(scope="module")
def submitted(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Submitted]:
    namespace = f"spark-submit-{os.getpid()}"
    cluster.kubectl("create", "namespace", namespace)
    try:
        certificate = tmp_path_factory.mktemp("spark-submit") / "ca.crt"
        yield _submit(cluster, namespace, certificate)
    finally:
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def _submit(cluster: Cluster, namespace: str, certificate: Path) -> Submitted:
    def kubectl(*arguments: str) -> str:
        return cluster.kubectl("-n", namespace, *arguments)

    access = yaml.safe_load(cluster.kubectl("config", "view", "--raw", "--minify"))["clusters"][0]["cluster"]
    certificate.write_bytes(base64.b64decode(access["certificate-authority-data"]))
    for account in ("streamjob-driver", "submitter"):
        kubectl("create", "serviceaccount", account)
    kubectl("create", "rolebinding", "submitter", "--clusterrole=edit", f"--serviceaccount={namespace}:submitter")
    memory = memory_of(1)
    given = {
        "spark.kubernetes.authenticate.submission.oauthToken": kubectl("create", "token", "submitter").strip(),
        "spark.kubernetes.authenticate.submission.caCertFile": str(certificate),
        "spark.kubernetes.authenticate.driver.serviceAccountName": "streamjob-driver",
        "spark.kubernetes.namespace": namespace,
        "spark.kubernetes.container.image": "example.org/runtime:1",
        "spark.kubernetes.submission.waitAppCompletion": "false",
        "spark.kubernetes.driver.node.selector.nowhere": "true",
        "spark.executor.instances": "3",
        "spark.driver.memory": f"{memory.heap_mib}m",
        "spark.driver.memoryOverhead": f"{memory.beside_heap_mib}m",
    }
    configured = [part for name, value in given.items() for part in ("--conf", f"{name}={value}")]
    where = ["--master", f"k8s://{access['server']}", "--deploy-mode", "cluster", "--name", "extremes"]
    subprocess.run(
        [str(SPARK / "bin" / "spark-submit"), *where, *configured, "local:///opt/main.py"],
        env=_own_environment() | {"SPARK_HOME": str(SPARK), "KUBECONFIG": os.devnull},
        check=True,
        capture_output=True,
        timeout=300,
    )
    (pod,) = json.loads(kubectl("get", "pods", "-o", "json"))["items"]
    maps = json.loads(kubectl("get", "configmaps", "-o", "json"))["items"]
    (text,) = (each["data"]["spark.properties"] for each in maps if "spark.properties" in each["data"])
    lines = [line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#")]
    return Submitted(pod, {name: value.replace("\\:", ":") for name, _, value in lines})


def _own_environment() -> dict[str, str]:
    """The environment without what a Spark session of this process has put there: spark-submit would pass it on."""
    return {name: value for name, value in os.environ.items() if "SPARK" not in name}


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    return planned("cluster")[-1]


def container_of(pod: dict[str, Any]) -> dict[str, Any]:
    return dict(pod["spec"]["containers"][0])


def test_the_container_has_the_same_name_and_the_pod_is_never_restarted(
    submitted: Submitted, ours: dict[str, Any]
) -> None:
    assert container_of(ours)["name"] == submitted.container["name"]
    assert ours["spec"]["restartPolicy"] == submitted.pod["spec"]["restartPolicy"]
    assert ours["spec"]["serviceAccountName"] == submitted.pod["spec"]["serviceAccountName"]


def test_executors_find_the_same_ports(submitted: Submitted, ours: dict[str, Any]) -> None:
    own = {port["name"]: port["containerPort"] for port in container_of(ours)["ports"]}
    theirs = {port["name"]: port["containerPort"] for port in submitted.container["ports"]}
    assert theirs.keys() - own.keys() == PORTS_LEFT_OUT.keys()
    assert {name: own[name] for name in theirs.keys() & own.keys()} == {"driver-rpc-port": 7078, "blockmanager": 7079}
    assert all(theirs[name] == own[name] for name in theirs.keys() & own.keys())


def test_the_drivers_memory_is_what_spark_would_ask_for(submitted: Submitted, ours: dict[str, Any]) -> None:
    sizes = {"2048Mi": 2048, "2Gi": 2048}
    for kind in ("requests", "limits"):
        own, theirs = (of["resources"][kind]["memory"] for of in (container_of(ours), submitted.container))
        assert sizes[own] == sizes[theirs]


def test_the_address_comes_from_the_pod_in_the_same_way(submitted: Submitted, ours: dict[str, Any]) -> None:
    theirs = {each["name"]: each for each in submitted.container["env"]}
    (own,) = container_of(ours)["env"]
    assert own["valueFrom"]["fieldRef"]["fieldPath"] == "status.podIP"
    assert theirs["SPARK_DRIVER_BIND_ADDRESS"]["valueFrom"]["fieldRef"]["fieldPath"] == "status.podIP"


def test_what_we_leave_out_is_what_we_know_of(submitted: Submitted, ours: dict[str, Any]) -> None:
    environment = {each["name"] for each in submitted.container["env"]}
    assert environment == ENVIRONMENT_LEFT_OUT.keys()
    volumes = {volume["name"] for volume in submitted.pod["spec"]["volumes"] if "projected" not in volume}
    assert volumes == VOLUMES_LEFT_OUT.keys()
    labels = submitted.pod["metadata"]["labels"]
    assert labels.keys() - ours["metadata"]["labels"].keys() == LABELS_LEFT_OUT.keys()
    assert labels["spark-role"] == ours["metadata"]["labels"]["spark-role"]


def test_spark_is_told_the_same_but_for_what_we_know_of(submitted: Submitted) -> None:
    job = JobFile.model_validate_json(planned("cluster")[0]["data"]["job.json"])
    told = settings(job, 8, IN_POD)
    assert submitted.properties.keys() - told.keys() - {"spark.kubernetes.authenticate.submission.oauthToken"} == (
        PROPERTIES_LEFT_OUT.keys()
    )
    for name in ("spark.driver.memory", "spark.driver.port", "spark.kubernetes.container.image"):
        assert told[name] == submitted.properties[name]
    assert told["spark.executor.instances"] == submitted.properties["spark.executor.instances"]
    assert told["spark.blockManager.port"] == submitted.properties["spark.driver.blockManager.port"]
