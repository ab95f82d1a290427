"""What Spark is told of executors, what becomes of an executor's pod, and how memory and state are shared out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streamjob_api.job_file import JobFile
from streamjob_api.memory import MIB_PER_CU, memory_of
from streamjob_api.resources import Resources
from streamjob_runtime.checkpoint import layout_of
from streamjob_runtime.executor import executor_command
from streamjob_runtime.faults import CheckpointDamaged
from streamjob_runtime.jvm import OWN_CLASSES
from streamjob_runtime.memory import messages_per_batch
from streamjob_runtime.spark_session import settings
from streamjob_runtime.state_layout import STANDALONE, StateLayout

ENVIRONMENT = {
    "STREAMJOB_POD_IP": "10.1.2.3",
    "KUBERNETES_SERVICE_HOST": "10.96.0.1",
    "KUBERNETES_SERVICE_PORT": "443",
}
TOLD = {
    "driverPod": "job-2-driver",
    "namePrefix": "job-2",
    "image": "runtime:1",
    "imagePullPolicy": "Always",
    "cpuRequest": "200m",
    "cpuLimit": "2000m",
}


def resources(workers: int, worker: float, master: float = 1) -> Resources:
    sizes = {"master": {"cu": master}, "workers": workers, "worker": {"cu": worker}}
    return Resources.model_validate({"mode": "Cluster", **sizes})


def cluster_job(folder: Path, sizes: dict[str, Any], executors: dict[str, Any] | None = None) -> JobFile:
    identity = {"namespace": "ou", "name": "job", "uid": "u", "created": "2026-01-01T00:00:00Z"}
    policy = {"input": "M::P", "aggregation": "max", "windowSize": "1m", "output": "M::Max"}
    return JobFile.model_validate(
        {
            "job": {**identity, "attempt": 2, "epoch": 0, "generation": 1},
            "orgId": "o",
            "spec": {
                "template": {"name": "time-window-aggregation", "version": "1.0"},
                "timeWindowAggregation": {"policies": [policy]},
                "resources": sizes,
            },
            "kafka": {"bootstrapServers": "kafka:9092"},
            "checkpointDir": str(folder),
            **({"executors": executors} if executors else {}),
        }
    )


CLUSTER: dict[str, Any] = {"mode": "Cluster", "master": {"cu": 1}, "workers": 3, "worker": {"cu": 2}}


@pytest.fixture
def told(tmp_path: Path) -> dict[str, str]:
    return settings(cluster_job(tmp_path, CLUSTER, TOLD), 8, ENVIRONMENT)


def test_executors_are_as_many_and_as_large_as_the_spec_says(told: dict[str, str]) -> None:
    assert (told["spark.executor.instances"], told["spark.executor.cores"]) == ("3", "2")
    heap, beside = (told[f"spark.executor.{name}"] for name in ("memory", "memoryOverhead"))
    assert int(heap.removesuffix("m")) + int(beside.removesuffix("m")) == 2 * MIB_PER_CU
    assert told["spark.kubernetes.executor.request.cores"] == "200m"
    assert told["spark.kubernetes.executor.limit.cores"] == "2000m"


def test_the_driver_is_reached_at_its_pods_address_and_owns_its_executors(told: dict[str, str]) -> None:
    assert told["spark.master"] == "k8s://https://10.96.0.1:443"
    assert told["spark.driver.host"] == told["spark.driver.bindAddress"] == "10.1.2.3"
    assert told["spark.kubernetes.driver.pod.name"] == "job-2-driver"
    assert told["spark.kubernetes.executor.podNamePrefix"] == "job-2"


def test_an_ipv6_api_server_is_written_in_brackets(tmp_path: Path) -> None:
    environment = ENVIRONMENT | {"KUBERNETES_SERVICE_HOST": "fd00::1"}
    told = settings(cluster_job(tmp_path, CLUSTER, TOLD), 8, environment)
    assert told["spark.master"] == "k8s://https://[fd00::1]:443"


def test_the_memory_of_state_is_a_workers_and_the_heap_of_the_driver_the_masters(told: dict[str, str]) -> None:
    assert told["spark.driver.memory"] == f"{memory_of(1).heap_mib}m"
    assert told["spark.sql.streaming.stateStore.rocksdb.maxMemoryUsageMB"] == str(memory_of(2).rocksdb_mib)
    assert told["spark.sql.shuffle.partitions"] == "8"


def test_a_standalone_job_needs_nothing_of_its_environment(tmp_path: Path) -> None:
    told = settings(cluster_job(tmp_path, {"mode": "Standalone", "cu": 2}), STANDALONE, {})
    assert told["spark.master"] == "local[2]"
    assert not [name for name in told if "kubernetes" in name]


@pytest.mark.parametrize("cu", [1, 1.5, 2, 4, 64])
def test_a_pods_memory_is_shared_out_as_a_whole(cu: float) -> None:
    memory = memory_of(cu)
    assert memory.heap_mib + memory.beside_heap_mib == int(cu * MIB_PER_CU)
    # the JVM's code, threads and buffers, RocksDB, and half a GiB for Python's processes
    assert memory.beside_heap_mib - 250 - memory.rocksdb_mib > 512 * cu


def test_workers_read_as_much_as_the_master_can_take_the_results_of() -> None:
    assert messages_per_batch(Resources()) == 800_000
    assert messages_per_batch(resources(workers=3, worker=1)) == 3 * 800_000
    assert messages_per_batch(resources(workers=100, worker=4)) == 4 * 800_000
    assert messages_per_batch(resources(workers=100, worker=4, master=3)) == 12 * 800_000


@pytest.mark.parametrize(
    ("sizes", "partitions"),
    [
        (Resources(), 2),
        (Resources(cu=2), 2),
        (Resources(cu=3), STANDALONE),
        (Resources(cu=4), STANDALONE),
        (resources(1, 1), 4),
        (resources(3, 2), 8),
        (resources(8, 1), 8),
        (resources(9, 1), 16),
        (resources(100, 64), 64),
    ],
)
def test_state_has_a_partition_for_each_core_and_never_more_than_shards(sizes: Resources, partitions: int) -> None:
    assert StateLayout.new(sizes) == StateLayout(partitions, partitions)


def test_a_checkpoint_keeps_its_partitions_whatever_the_size(tmp_path: Path) -> None:
    larger = {**CLUSTER, "workers": 30}
    assert layout_of(cluster_job(tmp_path, larger)) == StateLayout(64, 64)
    folder = Path(cluster_job(tmp_path, larger).checkpoint_path)
    folder.mkdir(parents=True)
    (folder / "streamjob-identity.json").write_text(json.dumps({"shufflePartitions": 8, "shards": 64}))
    for sizes in (CLUSTER, larger, {"mode": "Standalone", "cu": 1}):
        assert layout_of(cluster_job(tmp_path, sizes)) == StateLayout(8, 64)


@pytest.mark.parametrize(
    "found",
    [
        "{}",
        "[]",
        '{"shufflePartitions": "8"}',
        '{"shufflePartitions": 65}',
        '{"shufflePartitions": 8, "shards": 4}',
        "{",
    ],
)
def test_a_checkpoint_that_names_no_partitions_is_damaged(tmp_path: Path, found: str) -> None:
    job = cluster_job(tmp_path, CLUSTER)
    Path(job.checkpoint_path).mkdir(parents=True)
    (Path(job.checkpoint_path) / "streamjob-identity.json").write_text(found)
    with pytest.raises(CheckpointDamaged, match=r"shuffle partitions|is no JSON"):
        layout_of(job)


def test_an_executor_is_the_jvm_that_spark_asks_for() -> None:
    environment = {
        "SPARK_JAVA_OPT_10": "-Dten",
        "SPARK_JAVA_OPT_2": "-Dtwo=a b",
        "SPARK_JAVA_OPT_X": "no option",
        "SPARK_EXECUTOR_MEMORY": "700m",
        "SPARK_DRIVER_URL": "spark://driver",
        "SPARK_EXECUTOR_ID": "3",
        "SPARK_EXECUTOR_CORES": "2",
        "SPARK_APPLICATION_ID": "app",
        "SPARK_EXECUTOR_POD_IP": "10.0.0.9",
        "SPARK_RESOURCE_PROFILE_ID": "0",
        "SPARK_EXECUTOR_POD_NAME": "job-2-exec-3",
    }
    command = executor_command(environment, Path("/jars"))
    assert command[:7] == ["java", "-Dtwo=a b", "-Dten", "-Xms700m", "-Xmx700m", "-cp", f"/jars/*:{OWN_CLASSES}"]
    options = dict(zip(command[8::2], command[9::2], strict=True))
    assert options["--driver-url"] == "spark://driver"
    assert (options["--executor-id"], options["--cores"], options["--podName"]) == ("3", "2", "job-2-exec-3")
