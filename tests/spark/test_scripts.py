"""A script in a driver: results and its state over a restart, and what becomes of records for which it fails."""

import json
from pathlib import Path

from pyspark.sql import SparkSession

from fixtures.confinement import needs_confinement
from fixtures.driver import DriverProcess
from fixtures.jobs import TestJob, make_job
from fixtures.kafka import KafkaBroker
from fixtures.results import send, texts
from fixtures.spark import running
from streamjob_api.progress import ExitCode

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
MINUTE = 60_000
SUMS = """
def evaluate(records, state, output, error):
    for record in records:
        if record["value"] < 0:
            error.write(record, "it is below zero")
            continue
        1 / (record["value"] - 13)
        state["sum"] = state.get("sum", 0) + record["value"]
        output.write(time=record["time"], value=state["sum"])
"""


def of_script(job: TestJob, script: str) -> TestJob:
    """The job with a pipeline of one script in the place of its windows."""
    parameters = {"inputs": ["Meter::Reading"], "output": "Meter::Sum", "mode": "record", "script": script}
    stage = {"name": "sums", "calculator": "python-evaluator", "from": ["source"], "parameters": parameters}
    job.run_stages(stage, scripts={"maxSeconds": 20})
    return job


@needs_confinement
def test_a_script_that_cannot_be_read_ends_the_driver_before_any_record(kafka: KafkaBroker, tmp_path: Path) -> None:
    job = of_script(make_job(tmp_path, kafka, None), "import not_there\n" + SUMS)
    with DriverProcess.running(job) as driver:
        words = driver.await_end()
    assert (driver.process.returncode, words.reason) == (ExitCode.INVALID_CONFIGURATION, "InvalidConfiguration")
    assert words.message == (
        "spec.pipeline.stages[0]: the script failed: ModuleNotFoundError in line 1; mend the script"
    )


@needs_confinement
def test_a_script_keeps_its_state_over_a_restart_and_what_fails_is_a_dead_letter(
    spark: SparkSession, kafka: KafkaBroker, tmp_path: Path
) -> None:
    job = of_script(make_job(tmp_path, kafka, None), SUMS)
    readings = [("meter-1", 1), ("meter-2", 10), ("meter-1", 2), ("meter-2", -1), ("meter-1", 3), ("meter-3", 13)]
    records = [(asset, "Meter::Reading", START + at * MINUTE, value) for at, (asset, value) in enumerate(readings)]
    with running(spark, job) as run:
        send(kafka, job, records[:2])
        run.read_everything()
    first = run.accounts.counted
    job = job.next_attempt
    with running(spark, job) as run:
        send(kafka, job, records[2:])
        run.read_everything()
    counted = first + run.accounts.counted
    assert (counted["failed"], counted["out"]) == (2, 4)
    sent = [json.loads(message.value() or b"") for message in kafka.read_all(job.file.output_topic)]
    assert {((each["time"] - START) // MINUTE, each["assetId"], each["value"]) for each in sent} == {
        (0, "meter-1", 1),
        (1, "meter-2", 10),
        (2, "meter-1", 3),
        (4, "meter-1", 6),
    }
    letters = kafka.read_all(job.file.dead_letter_topic)
    assert {
        (texts(each)["stage"], texts(each)["detail"], json.loads(each.value() or b"")["value"]) for each in letters
    } == {
        ("sums", "it is below zero", -1),
        ("sums", "the script failed: ZeroDivisionError in line 7", 13),
    }
