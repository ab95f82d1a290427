"""Kafka or Redis away for two minutes: the driver waits, says so, and goes on without loss or double."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.driver import DriverProcess
from fixtures.eventually import eventually
from fixtures.jobs import make_job
from fixtures.kafka import KafkaBroker
from fixtures.redis import RedisServer
from fixtures.results import assert_results_are, emissions, oracle, repetitions, send
from oracles.windows import Record

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
OUTAGE_SECONDS = float(os.environ.get("STREAMJOB_OUTAGE_SECONDS", "120"))


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[KafkaBroker]:
    """A broker that only this test stops."""
    folder = tmp_path / "kafka"
    folder.mkdir()
    broker = KafkaBroker(folder)
    broker.start()
    yield broker
    broker.process.kill()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that only this test stops."""
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(folder)
    server.start()
    yield server
    server.process.kill()


def readings(first_minute: int, minutes: int) -> list[Record]:
    return [
        (f"meter-{asset:03d}", "Meter::Reading", START + minute * 60_000, (asset * 13 + minute * 7) % 900)
        for minute in range(first_minute, first_minute + minutes)
        for asset in range(100)
    ]


@pytest.mark.parametrize("way", ["killed", "frozen"])
@pytest.mark.parametrize("server", ["kafka", "redis"])
def test_an_outage_of_two_minutes_is_waited_out(
    own_kafka: KafkaBroker, own_redis: RedisServer, tmp_path: Path, server: str, way: str
) -> None:
    job = make_job(tmp_path, own_kafka, own_redis, rateLimit=500)
    before, after = readings(0, 200), readings(200, 50)
    send(own_kafka, job, before)
    away = own_kafka if server == "kafka" else own_redis
    driver = DriverProcess(job)
    try:
        driver.await_messages(2000)  # in the middle of the work
        began = time.monotonic()
        (away.process.kill if way == "killed" else away.process.suspend)()
        told = await_reason(driver, f"{server.title()}Unreachable")
        print(f"{server} {way}: told after {time.monotonic() - began:.1f} s: {told}")
        time.sleep(max(0.0, began + OUTAGE_SECONDS - time.monotonic()))
        assert reason(driver) == f"{server.title()}Unreachable"
        (away.start if way == "killed" else away.process.resume)()
        ready_after = time.monotonic()
        eventually(lambda: driver.get("/readyz")[0], until=lambda status: status == 200, within_seconds=60)
        print(f"ready again after {time.monotonic() - ready_after:.1f} s")
        send(own_kafka, job, after)
        driver.await_messages(len(before) + len(after), within_seconds=180)
        driver.await_idle()
        driver.terminate()
    finally:
        driver.kill()
    found = emissions(own_kafka, job)
    print(f"{len(found)} messages, {repetitions(found)} identical repetitions")
    assert_results_are(found, oracle(job, [*before, *after]))


def test_a_driver_stops_when_asked_although_kafka_is_away(
    own_kafka: KafkaBroker, own_redis: RedisServer, tmp_path: Path
) -> None:
    job = make_job(tmp_path, own_kafka, own_redis, rateLimit=500)
    records = readings(0, 200)
    send(own_kafka, job, records)
    driver = DriverProcess(job)
    try:
        driver.await_messages(2000)
        own_kafka.process.kill()
        await_reason(driver, "KafkaUnreachable")
        words = driver.terminate(within_seconds=60)
        assert (driver.process.returncode, words.reason) == (0, "Stopped")
    finally:
        driver.kill()
    own_kafka.start()
    again = DriverProcess(job := job.next_attempt)
    try:
        again.await_idle()
        again.terminate()
    finally:
        again.kill()
    assert_results_are(emissions(own_kafka, job), oracle(job, records))


def reason(driver: DriverProcess) -> str:
    status, body = driver.get("/readyz")
    return str(json.loads(body)["reason"]) if status in {200, 503} else ""


def await_reason(driver: DriverProcess, wanted: str) -> str:
    eventually(lambda: reason(driver), until=lambda seen: seen == wanted, within_seconds=30)
    return str(json.loads(driver.get("/readyz")[1])["message"])
