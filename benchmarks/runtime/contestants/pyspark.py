"""PySpark, written by hand as its documentation teaches: Spark's own Kafka source, windows and sink."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version

from benchmarks.runtime.contestant import CORES, POINTS, Facts, Work
from benchmarks.runtime.contestants.environments import PROGRAMS, jars_of
from benchmarks.runtime.host_session import HostSession

_POM = PROGRAMS / "spark_kafka.pom.xml"
_STORES = "org.apache.spark.sql.execution.streaming.state"
_MAX_OFFSETS = 500_000
_CONF = {
    "spark.master": f"local[{CORES}]",
    "spark.driver.memory": "2g",
    "spark.driver.extraJavaOptions": "-XX:+UseParallelGC",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": str(CORES),
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.streaming.stateStore.providerClass": f"{_STORES}.RocksDBStateStoreProvider",
    "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
}


class Pyspark:
    """Micro-batches follow each other without pause; each saves state and offsets."""

    facts = Facts(
        key="pyspark",
        title="PySpark by hand",
        versions={"pyspark": version("pyspark"), "connector": version("pyspark")},
        guarantee="at least once; state and offsets saved with each micro-batch",
        settings={
            "cores": str(CORES),
            "shuffle partitions": str(CORES),
            "messages of a micro-batch": f"{_MAX_OFFSETS:,}",
            "state store": "RocksDB, changelog checkpoints",
            "watermark": "1 minute",
            "JVM": "-Xmx2g, parallel collector",
            "sink": "lz4, linger 50 ms",
        },
        backlogs=(0.1, 0.4),
    )

    def prepare(self) -> None:
        jars_of(_POM)

    def start(self, work: Work) -> HostSession:
        jars = sorted(map(str, jars_of(_POM).glob("*.jar")))
        conf = _CONF | {"spark.jars": ",".join(jars), "spark.local.dir": str(work.folder / "spark")}
        return HostSession(
            [
                sys.executable, PROGRAMS / "pyspark_job.py", "--bootstrap-servers", work.bootstrap_servers,
                "--org-id", work.org_id, "--input-topic", work.input_topic, "--output-topic", work.output_topic,
                "--checkpoint", str(work.folder / "checkpoint"), "--conf", json.dumps(conf),
                "--points", json.dumps(POINTS), "--max-offsets", str(_MAX_OFFSETS),
            ],
            work.folder,
            {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"},
        )  # fmt: skip
