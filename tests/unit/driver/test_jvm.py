"""The command line of a driver's JVM, and what it answers."""

import os
import struct
from pathlib import Path

import pytest

from streamjob_runtime import jvm
from streamjob_runtime.jvm import JvmEnded, class_path, command, file_settings, running_jvm

SETTINGS = {
    "spark.driver.memory": "700m",
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -Xss1m",
    "spark.app.name": "ou/job",
}


def java(folder: Path, script: str) -> str:
    """A PATH with a Java that does what a script says."""
    program = folder / "java"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


@pytest.fixture
def own_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a jar of our own is looked for."""
    (tmp_path / "own").mkdir()
    monkeypatch.setattr(jvm, "OWN_CLASSES", tmp_path / "own" / "streamjob.jar")
    return jvm.OWN_CLASSES


def test_the_class_path_is_in_the_order_of_names_with_the_api_of_logging_first(
    tmp_path: Path, own_classes: Path
) -> None:
    for name in ("spark-core.jar", "slf4j-api-2.0.17.jar", "avro.jar", "zstd.jar", "notes.txt"):
        (tmp_path / name).touch()
    spark = ["slf4j-api-2.0.17.jar", "avro.jar", "spark-core.jar", "zstd.jar"]
    assert [Path(part).name for part in class_path(tmp_path).split(os.pathsep)] == spark
    own_classes.touch()
    assert [Path(part).name for part in class_path(tmp_path).split(os.pathsep)] == [*spark, "streamjob.jar"]


def test_spark_is_told_of_our_classes_where_they_are(own_classes: Path) -> None:
    assert file_settings() == {}
    own_classes.touch()
    told = file_settings()
    assert told.pop("spark.hadoop.fs.file.impl") == "streamjob.InProcessLocalFileSystem"
    assert list(told) == ["spark.sql.streaming.checkpointFileManagerClass"]


def test_heap_and_flags_are_the_settings(tmp_path: Path) -> None:
    told = command(tmp_path, SETTINGS)
    assert told[:4] == ["java", "-Xmx700m", "-XX:+UseSerialGC", "-Xss1m"]
    assert told[-3:] == ["--conf", "spark.app.name=ou/job", "pyspark-shell"]


def test_pyspark_is_told_where_the_jvm_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = tmp_path / "answer"
    answer.write_bytes(struct.pack(">ii", 4711, 6) + b"secret")
    draft = '"$_PYSPARK_DRIVER_CONN_INFO_PATH.draft"'
    script = f'cp {answer} {draft}; mv {draft} "$_PYSPARK_DRIVER_CONN_INFO_PATH"'
    monkeypatch.setenv("PATH", java(tmp_path, script))
    with running_jvm(tmp_path, SETTINGS) as process:
        assert (os.environ["PYSPARK_GATEWAY_PORT"], os.environ["PYSPARK_GATEWAY_SECRET"]) == ("4711", "secret")
    process.communicate()
    assert "PYSPARK_GATEWAY_SECRET" not in os.environ


def test_a_jvm_that_ends_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", java(tmp_path, "exit 3"))
    with pytest.raises(JvmEnded, match="ended with 3"), running_jvm(tmp_path, SETTINGS):
        pass
