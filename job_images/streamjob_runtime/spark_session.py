"""The Spark session of a driver: settings, and why each differs from Spark's default."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from pyspark import SparkContext
from pyspark.find_spark_home import _find_spark_home
from pyspark.sql import SparkSession

from streamjob_api.job_file import POD_IP, JobFile
from streamjob_api.memory import memory_of
from streamjob_runtime.cluster_settings import EXECUTOR_SCRATCH, cluster_settings
from streamjob_runtime.jvm import file_settings, running_jvm
from streamjob_runtime.source import PointsSource
from streamjob_runtime.state_layout import task_threads
from streamjob_runtime.worker_environment import FOR_WORKERS

LOGGING = Path(__file__).with_name("log4j2.properties")
_LOOPBACK = "127.0.0.1"
_ROCKSDB = "spark.sql.streaming.stateStore.rocksdb"


def start_session(job: JobFile, partitions: int) -> SparkSession:
    """Start the JVM and the session; takes seconds.

    Args:
        partitions: of the state (``state_layout``).
    """
    _prepare_environment(job)
    told = settings(job, partitions, os.environ)
    session = _session(told)
    session.dataSource.register(PointsSource)
    return session


def _session(told: Mapping[str, str]) -> SparkSession:
    """A session of a JVM of its own; where the process has one already, of that."""
    builder = SparkSession.Builder().config(map=dict(told))
    if SparkContext._gateway is not None:
        return builder.getOrCreate()
    with running_jvm(Path(_find_spark_home()), told) as jvm:
        session = builder.getOrCreate()
    session.sparkContext._gateway.proc = jvm  # type: ignore[union-attr]  # where pyspark keeps one that it has started
    return session


def _prepare_environment(job: JobFile) -> None:
    """What the JVM and the Python workers inherit."""
    os.environ.update(
        FOR_WORKERS,
        PYSPARK_PYTHON=sys.executable,
        # a program that is not there: Spark looks for data sources in its Python, and knows ours
        PYSPARK_DRIVER_PYTHON="none",
        SPARK_LOCAL_IP=os.environ[POD_IP] if job.executors else _LOOPBACK,
        # a container's user id need not be in /etc/passwd, where Hadoop would look for its name
        HADOOP_USER_NAME="streamjob",
        SPARK_USER="streamjob",
    )


def settings(job: JobFile, partitions: int, environment: Mapping[str, str]) -> dict[str, str]:
    """All settings of the session."""
    if job.executors is None:
        return _settings(job, partitions)
    told = cluster_settings(job, job.executors, environment, java_options(EXECUTOR_SCRATCH))
    return _settings(job, partitions) | told


def _settings(job: JobFile, partitions: int) -> dict[str, str]:
    """Those of a Standalone job."""
    cu, memory = job.spec.resources.driver_cu, memory_of(job.spec.resources.driver_cu)
    scratch = job.scratch_dir
    return {
        "spark.master": f"local[{task_threads(cu)}]",
        "spark.app.name": f"{job.job.namespace}/{job.job.name}",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": _LOOPBACK,
        "spark.driver.bindAddress": _LOOPBACK,
        "spark.driver.memory": f"{memory.heap_mib}m",
        "spark.driver.extraJavaOptions": java_options(scratch),
        "spark.local.dir": f"{scratch}/spark",
        "spark.sql.warehouse.dir": f"{scratch}/warehouse",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(partitions),
        # one task would read what several partitions hold; and blocks are large
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "64",
        # a few rows in a micro-batch: generated code costs more to compile than it saves
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.streaming.stateStore.providerClass": (
            "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
        ),
        f"{_ROCKSDB}.changelogCheckpointing.enabled": "true",
        f"{_ROCKSDB}.boundedMemoryUsage": "true",
        f"{_ROCKSDB}.maxMemoryUsageMB": str(memory.rocksdb_mib),
        "spark.sql.streaming.minBatchesToRetain": "10",
        "spark.sql.streaming.noDataMicroBatches.enabled": "false",
        "spark.sql.streaming.metricsEnabled": "false",
        # a poll of the source: a message to its process and, five times a second at most, to a broker
        "spark.sql.streaming.pollingDelay": "50ms",
        "spark.cleaner.periodicGC.interval": "30min",
        "spark.shuffle.compress": "false",  # blocks are compressed already
        # A range that is read again, after an executor is lost, is cut into other blocks, which mean the same for each
        # shard; Spark would take other bytes for other data, and give the micro-batch up.
        "spark.sql.shuffle.orderIndependentChecksum.enabled": "false",
        "spark.sql.shuffle.orderIndependentChecksum.enableFullRetryOnMismatch": "false",
        "spark.python.daemon.module": "streamjob_runtime.worker_daemon",
        # the workers that read and those that hold state differ in this alone, for which Spark would keep two daemons
        "spark.sql.execution.pyspark.udf.simplifiedTraceback.enabled": "false",
        "spark.python.worker.faulthandler.enabled": "true",
        "spark.task.maxFailures": "4",
        **file_settings(),
    }


def java_options(scratch_dir: str) -> str:
    """JVM flags: few threads, little start-up work, nothing written outside of the scratch folder."""
    return " ".join(
        [
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            "-XX:MaxMetaspaceSize=256m",
            "-XX:ReservedCodeCacheSize=96m",
            "-Xss1m",
            f"-Djava.io.tmpdir={scratch_dir}",
            f"-Dlog4j2.configurationFile={LOGGING.as_uri()}",
            "-Dlog4j2.disable.jmx=true",
            "-Duser.timezone=UTC",
        ]
    )
