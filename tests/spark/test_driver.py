"""The driver as a process: its endpoints, its exit codes, its end when asked."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from fixtures.driver import DriverProcess
from fixtures.eventually import eventually
from fixtures.jobs import TestJob
from fixtures.kafka import KafkaBroker
from fixtures.results import assert_results_are, emissions, oracle, send
from oracles.windows import Record
from streamjob_api.progress import MAX_PROGRESS_BYTES, DriverState, ExitCode, LastWords, Progress
from streamjob_runtime.checkpoint import claim, layout_of
from streamjob_runtime.marker import Marker

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z


def readings(assets: int, minutes: int, first_minute: int = 0) -> list[Record]:
    return [
        (f"meter-{asset:03d}", "Meter::Reading", START + (first_minute + minute) * 60_000, (asset * 7 + minute) % 90)
        for minute in range(minutes)
        for asset in range(assets)
    ]


def conforms(document: bytes, model: type[Progress] | type[LastWords]) -> None:
    schema = model.model_json_schema(mode="serialization")
    Draft202012Validator(schema).validate(json.loads(document))


def test_a_driver_waits_for_its_topic_tells_what_it_does_and_stops_when_asked(kafka: KafkaBroker, job: TestJob) -> None:
    records, topic = readings(20, 61), job.file.input_topic
    kafka.delete_topic(topic)
    with DriverProcess.running(job) as driver:
        eventually(lambda: waits_for(driver), until=lambda seen: seen == "TopicMissing", within_seconds=60)
        status, body = driver.get("/readyz")
        assert status == 503
        assert topic in json.loads(body)["message"]
        kafka.create_topic(topic, 4, **{"retention.ms": "-1"})
        # by then the broker tells of all partitions: of fewer, keys would come through others
        eventually(lambda: waits_for(driver), until=lambda seen: seen not in {"", "TopicMissing"}, within_seconds=60)
        send(kafka, job, records)
        driver.await_messages(len(records))
        progress = driver.await_idle()
        assert progress.state is DriverState.RUNNING
        assert progress.lag == {topic: 0}
        wanted = oracle(job, records)
        assert progress.totals.out == len(wanted.results)
        assert progress.totals.records == len(records)
        assert progress.watermark is not None
        assert progress.watermark.timestamp() * 1000 == records[-1][2]
        assert_endpoints(driver, len(wanted.results))
        words = driver.terminate(within_seconds=20)
    assert driver.process.returncode == ExitCode.STOPPED
    assert words.model_dump(exclude={"message"}) == {
        "reason": "Stopped",
        "attempt": 1,
        "batchId": progress.batch_id,
        "graceful": True,
    }
    assert_results_are(emissions(kafka, job), wanted)


def waits_for(driver: DriverProcess) -> str:
    """The reason for which it waits; of a driver that goes on, its state."""
    progress = driver.progress()
    return "" if progress is None else progress.reason or progress.state


def assert_endpoints(driver: DriverProcess, results: int) -> None:
    status, body = driver.get("/progress")
    assert status == 200
    assert len(body) <= MAX_PROGRESS_BYTES
    conforms(body, Progress)
    assert driver.get("/healthz") == (200, b"ok\n")
    status, body = driver.get("/readyz")
    assert (status, json.loads(body)["ready"]) == (200, True)
    status, body = driver.get("/metrics")
    assert f"streamjob_results_total {results:.1f}" in body.decode().splitlines()
    status, body = driver.get("/results")
    last = json.loads(body)
    assert last.keys() == {"Meter::Max", "Meter::Min", "Meter::CntHour"}
    assert all(0 < len(records) <= 100 for records in last.values())
    assert driver.get("/nothing")[0] == 404


@pytest.mark.parametrize(
    ("spoil", "code", "reason"),
    [
        pytest.param("job file", ExitCode.INVALID_CONFIGURATION, "InvalidConfiguration", id="invalid job file"),
        pytest.param("marker", ExitCode.FENCED, "Fenced", id="a later attempt was here"),
        pytest.param("window", ExitCode.CHECKPOINT_INCOMPATIBLE, "CheckpointIncompatible", id="other windows"),
        pytest.param("offsets", ExitCode.CHECKPOINT_INCOMPATIBLE, "CheckpointDamaged", id="truncated offsets"),
    ],
)
def test_what_trying_again_would_not_cure_ends_with_its_own_code(
    job: TestJob, spoil: str, code: ExitCode, reason: str
) -> None:
    checkpoint = Path(job.file.checkpoint_path)
    Marker.of(job.file).raise_to_own()
    claim(job.file, layout_of(job.file))
    again = job.next_attempt
    match spoil:
        case "job file":
            again.document["spec"]["timeWindowAggregation"]["policies"][0]["windowSize"] = "7 minutes"
        case "marker":
            (checkpoint.parent / "attempt").write_text("9\n")
        case "window":
            again.document["spec"]["timeWindowAggregation"]["policies"][0]["windowSize"] = "15m"
        case "offsets":
            (checkpoint / "offsets").mkdir()
            (checkpoint / "metadata").write_text("{}")
            (checkpoint / "offsets" / "0").write_text('v1\n{"batchWaterm')
    with DriverProcess.running(again) as driver:
        words = driver.await_end()
        assert (driver.process.returncode, words.reason) == (code, reason)
        assert not words.graceful
        conforms(words.model_dump_json().encode(), LastWords)
