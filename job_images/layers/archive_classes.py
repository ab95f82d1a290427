"""Archive the classes of a driver's JVM, so that each start maps them from one file: half of what a JVM costs there.

    archive_classes.py ARCHIVE

Runs a query that is built like a driver's, over one row, and has the JVM write down which classes it loads. The archive
is taken where jars, their order and Java are the same.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pyspark.find_spark_home import _find_spark_home
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql.datasource import DataSource, DataSourceStreamReader, InputPartition
from pyspark.sql.streaming.stateful_processor import StatefulProcessor, StatefulProcessorHandle
from pyspark.sql.types import StructType

from streamjob_runtime.jvm import MODULE_OPTIONS, class_path, file_settings, running_jvm

# Compressed pointers, by which a heap of any size that a driver has finds the classes.
_HEAP = "700m"
_SCHEMA = "shard int, block binary"
_ROCKSDB = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"


class OneRow(DataSource):
    """A stream of one row."""

    @classmethod
    def name(cls) -> str:
        """Name for ``readStream.format``."""
        return "one_row"

    def schema(self) -> str:
        """Like that of blocks."""
        return _SCHEMA

    def streamReader(self, schema: StructType) -> "OneRowReader":  # noqa: ARG002, N802 (Spark's signature)
        """Read it."""
        return OneRowReader()


class OneRowReader(DataSourceStreamReader):
    """The row lies before offset 1."""

    def initialOffset(self) -> dict[str, Any]:  # noqa: N802
        """Before it."""
        return {"at": 0}

    def latestOffset(self, *_: object) -> dict[str, Any]:  # noqa: N802
        """Behind it."""
        return {"at": 1}

    def partitions(self, start: dict[str, Any], end: dict[str, Any]) -> Sequence[InputPartition]:
        """One task."""
        return [InputPartition(0)] if start != end else []

    def read(self, partition: InputPartition) -> Iterator[tuple[Any, ...]]:  # noqa: ARG002
        """The row."""
        yield 1, b"block"


class Keeping(StatefulProcessor):
    """Keeps every block in a map."""

    def init(self, handle: StatefulProcessorHandle) -> None:
        """Open the state."""
        self._state = handle.getMapState("blocks", "bucket long", "block binary")

    def handleInputRows(self, key: Any, rows: Iterator[Any], timerValues: Any) -> Iterator[Row]:  # noqa: ARG002, N802, N803
        """Read and write."""
        for row in rows:
            if self._state.getValue((1,)) is None:
                self._state.updateValue((1,), (bytes(row.block),))
            yield Row(shard=row.shard, block=bytes(row.block))

    def close(self) -> None:
        """Nothing to free."""


def main(archive: Path) -> None:
    """Run the query and write the archive."""
    jars = Path(_find_spark_home()) / "jars"
    with tempfile.TemporaryDirectory() as folder:
        classes = Path(folder) / "classes"
        _run_query(Path(folder), classes)
        subprocess.run(  # noqa: S603 (the image's Java, by its PATH)
            [  # noqa: S607
                "java", "-Xshare:dump", "-Xlog:cds=error", "-Xlog:class+path=error", "-XX:+UseSerialGC", f"-Xmx{_HEAP}",
                f"-XX:SharedClassListFile={classes}", f"-XX:SharedArchiveFile={archive}", *MODULE_OPTIONS,
                "-cp", class_path(jars),
            ],
            check=True,
        )  # fmt: skip
    archive.chmod(0o444)


def _run_query(folder: Path, classes: Path) -> None:
    os.environ.update(
        JDK_JAVA_OPTIONS=f"-Xshare:off -XX:DumpLoadedClassList={classes}",
        PYSPARK_PYTHON=sys.executable,
        PYSPARK_DRIVER_PYTHON="none",
        SPARK_LOCAL_IP="127.0.0.1",
    )
    settings = {
        "spark.master": "local[2]",
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": _HEAP,
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        "spark.local.dir": f"{folder}/spark",
        "spark.sql.warehouse.dir": f"{folder}/warehouse",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.streaming.stateStore.providerClass": _ROCKSDB,
        "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
        "spark.sql.streaming.stateStore.rocksdb.boundedMemoryUsage": "true",
        "spark.sql.streaming.noDataMicroBatches.enabled": "false",
        **file_settings(),
    }
    with running_jvm(Path(_find_spark_home()), settings) as jvm:
        session = SparkSession.Builder().config(map=dict(settings)).getOrCreate()
    del os.environ["JDK_JAVA_OPTIONS"]
    session.dataSource.register(OneRow)
    written: list[Row] = []

    def deliver(frame: DataFrame, _: int) -> None:
        written.extend(frame.select("shard", "block").collect())

    query = (
        session.readStream.format("one_row")
        .load()
        .groupBy("shard")
        .transformWithState(Keeping(), outputStructType=_SCHEMA, outputMode="Update", timeMode="None")
        .writeStream.foreachBatch(deliver)
        .outputMode("update")
        .option("checkpointLocation", f"{folder}/checkpoint")
        .start()
    )
    query.processAllAvailable()
    query.lastProgress  # noqa: B018 (its classes)
    query.stop()
    session.stop()
    jvm.communicate()
    if not written:
        raise RuntimeError("the query has written nothing")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
