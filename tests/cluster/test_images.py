"""The shipped images, asked from inside a pod that is as confined as the real ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest

from fixtures.eventually import eventually
from images.delivery import deliver
from localcluster.providers import Cluster

PYTHON = "/opt/streamjob/venv/bin/python"
QUESTIONS = """
import ctypes, importlib.util, json, os, pathlib, shutil, sys
code = pathlib.Path("/opt/streamjob/code")
def is_writable(folder):
    try:
        (pathlib.Path(folder) / "probe").touch()
    except OSError:
        return False
    return True
print(json.dumps({
    "user": os.getuid(),
    "writable": [folder for folder in ("/", "/opt/streamjob/code", "/etc", "/tmp") if is_writable(folder)],
    "tools": [tool for tool in ("gcc", "cc", "zig", "make", "pip", "pip3", "uv", "curl", "git") if shutil.which(tool)],
    "libraries": [str(path.relative_to(code)) for path in code.rglob("*.so") if ctypes.CDLL(str(path))],
    "found": [name for name in sys.argv[1:] if importlib.util.find_spec(name)],
    "packages": sorted(path.name for path in code.iterdir()),
    "uncompiled": [str(path) for path in code.rglob("*.py")
                   if not pathlib.Path(importlib.util.cache_from_source(str(path))).exists()],
    "python": sys.executable,
    "workers": os.environ.get("PYSPARK_PYTHON"),
}))
"""
MODULES = (
    "streamjob_api",
    "streamjob_operator",
    "streamjob_runtime",
    "kopf",
    "kubernetes",
    "pyspark",
    "polars",
    "pytest",
    "ziglang",
)


def pod(name: str, image: str, user: int, command: list[str]) -> dict[str, Any]:
    container = {
        "name": "main",
        "image": image,
        "command": command,
        "resources": {"requests": {"cpu": "200m"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": user,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        },
    }


@pytest.fixture(scope="module")
def images(cluster: Cluster) -> dict[str, str]:
    return deliver(cluster, ("operator", "runtime"))


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[str]:
    name = f"images-{uuid4().hex[:8]}"
    cluster.create_namespace(name)
    cluster.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


def answer(cluster: Cluster, namespace: str, image: str, user: int, command: list[str]) -> str:
    """What a command prints in a confined pod of an image."""
    name = f"ask-{uuid4().hex[:8]}"
    cluster.kubectl("-n", namespace, "apply", "-f", "-", input=json.dumps(pod(name, image, user, command)))
    phase = ("-n", namespace, "get", "pod", name, "-o", "jsonpath={.status.phase}")
    ended = eventually(
        lambda: cluster.kubectl(*phase), until=lambda seen: seen in {"Succeeded", "Failed"}, within_seconds=600
    )  # a new cluster pulls a gigabyte first
    said = cluster.kubectl("-n", namespace, "logs", name)
    assert ended == "Succeeded", said
    return said


@pytest.fixture(scope="module")
def operator(cluster: Cluster, namespace: str, images: Mapping[str, str]) -> dict[str, Any]:
    said = answer(cluster, namespace, images["operator"], 65532, [PYTHON, "-c", QUESTIONS, *MODULES])
    facts: dict[str, Any] = json.loads(said)
    return facts


@pytest.fixture(scope="module")
def runtime(cluster: Cluster, namespace: str, images: Mapping[str, str]) -> dict[str, Any]:
    said = answer(cluster, namespace, images["runtime"], 185, [PYTHON, "-c", QUESTIONS, *MODULES])
    facts: dict[str, Any] = json.loads(said)
    return facts


def test_the_operators_image_holds_no_spark_and_no_data_libraries(operator: dict[str, Any]) -> None:
    assert operator["found"] == ["streamjob_api", "streamjob_operator", "kopf", "kubernetes"]


def test_the_runtimes_image_holds_no_kubernetes_client(runtime: dict[str, Any]) -> None:
    assert runtime["found"] == ["streamjob_api", "streamjob_runtime", "pyspark", "polars"]


@pytest.mark.parametrize("image", ["operator", "runtime"])
def test_nothing_but_the_scratch_folder_can_be_written(image: str, request: pytest.FixtureRequest) -> None:
    assert request.getfixturevalue(image)["writable"] == ["/tmp"]  # noqa: S108


@pytest.mark.parametrize("image", ["operator", "runtime"])
def test_no_tool_to_build_or_fetch_with_is_there(image: str, request: pytest.FixtureRequest) -> None:
    assert request.getfixturevalue(image)["tools"] == []


@pytest.mark.parametrize("image", ["operator", "runtime"])
def test_our_code_is_compiled(image: str, request: pytest.FixtureRequest) -> None:
    facts = request.getfixturevalue(image)
    assert facts["packages"] == ["streamjob_api", "streamjob_calculators", f"streamjob_{image}"]
    assert facts["uncompiled"] == []


def test_the_library_of_c_is_in_the_runtimes_image_alone(operator: dict[str, Any], runtime: dict[str, Any]) -> None:
    assert runtime["libraries"] == ["streamjob_runtime/libstreamjob.so"]
    assert operator["libraries"] == []


def test_python_workers_run_the_interpreter_with_the_dependencies(runtime: dict[str, Any]) -> None:
    assert runtime["workers"] == runtime["python"] == PYTHON


SPARK = """
from pyspark.sql import SparkSession
spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.sql.shuffle.partitions", "1").config("spark.driver.memory", "512m").getOrCreate())
numbers = spark.range(10).selectExpr("id", "cast(id % 2 as string) collate UNICODE_CI as parity")
numbers.groupBy("parity").count().write.format("orc").save("/tmp/orc")
counted = spark.read.format("orc").load("/tmp/orc").mapInPandas(lambda frames: frames, "parity string, count long")
print("counted", sorted(row["count"] for row in counted.collect()))
"""


def test_spark_still_works_without_the_jars_that_were_removed(
    cluster: Cluster, namespace: str, images: Mapping[str, str]
) -> None:
    """Its data sources are found by a service loader, which fails as a whole when one class is missing."""
    said = answer(cluster, namespace, images["runtime"], 185, [PYTHON, "-c", SPARK])
    assert "counted [5, 5]" in said.splitlines()


ARCHIVE = """
import pathlib, subprocess, pyspark
from streamjob_runtime.jvm import CLASS_ARCHIVE, MODULE_OPTIONS, class_path
jars = class_path(pathlib.Path(pyspark.__file__).parent / "jars")
subprocess.run(["java", "-Xshare:on", f"-XX:SharedArchiveFile={CLASS_ARCHIVE}", "-XX:+UseSerialGC", "-Xmx300m",
                *MODULE_OPTIONS, "-cp", jars, "-version"], check=True)
print("mapped")
"""


def test_the_archive_of_classes_fits_the_jvm_and_its_jars(
    cluster: Cluster, namespace: str, images: Mapping[str, str]
) -> None:
    """A driver whose archive does not fit starts without it, and nobody would see but the clock."""
    said = answer(cluster, namespace, images["runtime"], 185, [PYTHON, "-c", ARCHIVE])
    assert "mapped" in said.splitlines()
