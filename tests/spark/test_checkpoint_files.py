"""How the files of a checkpoint are made, and that it does not matter who made them."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from pyspark.sql import SparkSession

from fixtures.jobs import make_job
from fixtures.kafka import KafkaBroker
from fixtures.results import assert_results_are, emissions, oracle, send
from fixtures.spark import running
from oracles.windows import Record
from streamjob_runtime.jvm import OWN_CLASSES

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
_MANAGER = "spark.sql.streaming.checkpointFileManagerClass"
_OF_SPARK = "org.apache.spark.sql.execution.streaming.checkpointing.FileContextBasedCheckpointFileManager"


def readings(minute: int) -> list[Record]:
    return [(f"m{meter}", "Meter::Reading", START + minute * 60_000, minute + meter) for meter in range(4)]


def faults_of_ended_children(spark: SparkSession) -> int:
    """Page faults of the processes that the JVM has started and that have ended: each has some."""
    jvm = spark.sparkContext._gateway.proc.pid  # type: ignore[union-attr]
    return int(Path(f"/proc/{jvm}/stat").read_text().rpartition(")")[2].split()[8])


def test_no_process_is_started_for_the_files_of_a_micro_batch(
    spark: SparkSession, kafka: KafkaBroker, tmp_path: Path
) -> None:
    assert OWN_CLASSES.exists(), "make setup compiles them"
    job = make_job(tmp_path, kafka, None)
    with running(spark, job) as run:
        send(kafka, job, readings(0))
        run.read_everything()
        faults = [faults_of_ended_children(spark)]
        for minute in (20, 40, 60):
            send(kafka, job, readings(minute))
            run.read_everything()
            faults.append(faults_of_ended_children(spark))
        # every micro-batch makes files; now and then Spark removes the local folder of a state by ``rm``
        assert 0 in [after - before for before, after in pairwise(faults)]
    checkpoint = Path(job.file.checkpoint_path)
    made = [path for folder in ("offsets", "commits", "state") for path in (checkpoint / folder).rglob("[!.]*")]
    files = [path for path in made if path.is_file()]
    assert {path.suffix for path in files} >= {"", ".changelog"}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o644}
    assert {path.stat().st_mode & 0o777 for path in made if path.is_dir()} == {0o755}
    assert [path for path in files if not path.with_name(f".{path.name}.crc").exists()] == []
    assert list(checkpoint.rglob("*.tmp*")) == []


@contextmanager
def files_of_spark(spark: SparkSession) -> Iterator[None]:
    """Meanwhile checkpoints are written as without our classes."""
    own = spark.conf.get(_MANAGER)
    assert own is not None
    spark.conf.set(_MANAGER, _OF_SPARK)
    try:
        yield
    finally:
        spark.conf.set(_MANAGER, own)


def test_a_checkpoint_goes_on_whoever_wrote_it(spark: SparkSession, kafka: KafkaBroker, tmp_path: Path) -> None:
    job = make_job(tmp_path, kafka, None)
    records = [*readings(0), *readings(5), *readings(20)]
    with files_of_spark(spark), running(spark, job) as run:
        send(kafka, job, records[:4])
        run.read_everything()
    job = job.next_attempt
    with running(spark, job) as run:
        send(kafka, job, records[4:8])
        run.read_everything()
    job = job.next_attempt
    with files_of_spark(spark), running(spark, job) as run:
        send(kafka, job, records[8:])
        run.read_everything()
    assert_results_are(emissions(kafka, job), oracle(job, records))
