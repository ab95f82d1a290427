"""A driver that is asked to stop in the middle of its work finishes the micro-batch; the next attempt goes on."""

from pathlib import Path

from fixtures.driver import DriverProcess
from fixtures.jobs import make_job
from fixtures.kafka import KafkaBroker
from fixtures.redis import RedisServer
from fixtures.results import assert_results_are, emissions, oracle, repetitions, send
from oracles.windows import Record
from streamjob_api.progress import ExitCode

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
RECORDS: list[Record] = [
    (f"meter-{asset:03d}", "Meter::Reading", START + minute * 60_000, (asset * 13 + minute * 7) % 900)
    for minute in range(400)
    for asset in range(100)
]


def test_stopping_in_the_middle_of_the_work_loses_and_doubles_nothing(
    kafka: KafkaBroker, redis_server: RedisServer, tmp_path: Path
) -> None:
    job = make_job(tmp_path, kafka, redis_server, latency="30m", rateLimit=4000)
    send(kafka, job, RECORDS)
    first = DriverProcess(job)
    try:
        first.await_messages(1)
        words = first.terminate()
    finally:
        first.kill()
    assert words.graceful
    assert first.process.returncode == ExitCode.STOPPED
    again = job.next_attempt
    second = DriverProcess(again)
    try:
        second.await_idle()
        second.terminate()
    finally:
        second.kill()
    found = emissions(kafka, again)
    assert_results_are(found, oracle(again, RECORDS))
    assert repetitions(found) == 0
