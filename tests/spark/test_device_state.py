"""A device-state job on real Spark, Kafka and Redis, by the wall clock: silence, a crash, sites over all shards."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from pyspark.sql import DataFrame, SparkSession

from fixtures.eventually import eventually
from fixtures.jobs import TestJob, make_job
from fixtures.kafka import KafkaBroker
from fixtures.redis import RedisServer
from fixtures.results import texts
from fixtures.spark import running
from oracles.device_state import Key, Moment, Reading, Value, expected
from streamjob_runtime.delivery import Delivery

SILENCE_MS = 3000
BLOCK: dict[str, Any] = {
    "points": ["Gateway::Signal", "Gateway::Mode"],
    "offlineAfter": f"{SILENCE_MS}ms",
    "connectionOutput": "Gateway::Connection",
    "siteAttribute": "Gateway::Site",
    "siteOutput": "Gateway::SiteState",
}
GATEWAYS = [f"gateway-{number:02d}" for number in range(12)]
SITES: dict[str, Any] = {name: f"plant-{number % 3}" for number, name in enumerate(GATEWAYS[:-1])}
START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
Results = dict[Key, tuple[Value, dict[str, int]]]


class Crash(Exception):  # noqa: N818
    """A driver's end at an unlucky moment."""


def crashing_when(asked: list[bool]) -> Callable[[Delivery], Callable[[DataFrame, int], None]]:
    """Deliver, and crash before the micro-batch is committed, once that is asked for."""

    def crashing(delivery: Delivery) -> Callable[[DataFrame, int], None]:
        def deliver(frame: DataFrame, batch_id: int) -> None:
            delivery(frame, batch_id)
            if asked:
                raise Crash

        return deliver

    return crashing


def message(reading: Reading) -> tuple[str, bytes]:
    asset, point, time_ms, value = reading
    fields = {"modelId": "Gateway", "assetId": asset, "pointId": point.partition("::")[2]}
    return asset, json.dumps({**fields, "time": time_ms, "value": value}).encode()


def send(kafka: KafkaBroker, job: TestJob, readings: Iterable[Reading]) -> None:
    kafka.produce(job.file.input_topic, map(message, readings))


def results(kafka: KafkaBroker, job: TestJob) -> Results:
    """The results at their highest revision."""
    best: dict[Key, tuple[list[int], tuple[Value, dict[str, int]]]] = {}
    for found in kafka.read_all(job.file.output_topic):
        record = json.loads(found.value() or b"")
        revision = [int(part) for part in texts(found)["streamjob-revision"].split(".")]
        key = (record["assetId"], f"{record['modelId']}::{record['pointId']}", record["time"])
        if key not in best or revision >= best[key][0]:
            best[key] = (revision, (record["value"], record["attr"]["deviceState"]))
    return {key: value for key, (_, value) in best.items()}


def changes(found: Results, value: str) -> dict[str, list[int]]:
    """When each gateway came to a connection."""
    times: dict[str, list[int]] = {}
    for (asset, _, time_ms), (connection, _) in sorted(found.items()):
        if connection == value:
            times.setdefault(asset, []).append(time_ms)
    return times


def moments(rounds: Iterable[Iterable[Reading]], came: Mapping[str, list[int]]) -> list[Moment]:
    """The micro-batches that the rounds came in, by the clock that each gateway's return tells, and looks in time."""
    batches: dict[int, list[Reading]] = {}
    for number, readings in enumerate(rounds):
        for reading in readings:
            batches.setdefault(came[reading[0]][number], []).append(reading)
    looks = {now + SILENCE_MS for now in batches} - batches.keys()
    return [Moment(now, batches.get(now, []), SITES) for now in sorted({*batches, *looks})]


def hashes(redis_server: RedisServer, job: TestJob, kind: str) -> dict[str, dict[str, str]]:
    """What Redis holds of devices or sites, without revisions."""
    prefix = f"streamjob:{kind}:{job.file.org_id}:{{"
    with redis_server.client() as client:
        found = {str(key): cast("dict[str, str]", client.hgetall(key)) for key in client.scan_iter(f"{prefix}*")}
    return {
        key.removeprefix(prefix).removesuffix("}"): {name: text for name, text in fields.items() if name != "rev"}
        for key, fields in found.items()
    }


def test_connections_and_sites_equal_the_oracle_over_silence_and_a_crash(
    spark: SparkSession, kafka: KafkaBroker, redis_server: RedisServer, tmp_path: Path
) -> None:
    job = make_job(tmp_path, kafka, redis_server)
    del job.document["spec"]["timeWindowAggregation"]
    job.document["spec"] |= {"template": {"name": "device-state", "version": "1.0"}, "deviceState": BLOCK}
    with redis_server.client() as client:
        for asset, site in SITES.items():
            client.hset(f"streamjob:attributes:{job.file.org_id}:{{{asset}}}", "Gateway::Site", json.dumps(site))
    first: list[Reading] = [(name, "Gateway::Signal", START + 60_000, number) for number, name in enumerate(GATEWAYS)]
    first += [(GATEWAYS[0], "Gateway::Mode", START, "auto"), (GATEWAYS[1], "Gateway::Mode", START, True)]
    # Older than the latest value, which it leaves as it is; its gateway comes back nevertheless.
    second: list[Reading] = [(name, "Gateway::Signal", START, -1.5) for name in GATEWAYS[:7]]
    send(kafka, job, first)
    asked: list[bool] = []
    with running(spark, job, crashing_when(asked)) as run:
        run.read_everything()
        assert changes(results(kafka, job), "online").keys() == set(GATEWAYS)
        assert run.accounts.totals(0).attribute_missing == 1
        eventually(lambda: len(changes(results(kafka, job), "offline")), until=lambda count: count == len(GATEWAYS))
        asked.append(True)
        send(kafka, job, second)
        with pytest.raises(Exception, match="Crash"):
            run.query.processAllAvailable()
    again = job.next_attempt
    with running(spark, again) as run:
        eventually(
            lambda: changes(results(kafka, again), "offline"),
            until=lambda times: sorted(map(len, times.values())) == [1] * 5 + [2] * 7,
        )
        run.read_everything()
    found = results(kafka, again)
    wanted = expected(moments([first, second], changes(found, "online")), BLOCK)
    assert found == wanted.results
    assert hashes(redis_server, again, "state") == {
        asset: {"connection": "offline", "since": str(device.since), "lastSeen": str(device.last_seen)}
        for asset, device in wanted.devices.items()
    }
    assert hashes(redis_server, again, "site") == {
        site: {"online": str(online), "offline": str(offline), "since": str(since)}
        for site, (online, offline, since) in wanted.sites.items()
    }
    latest = redis_server.latest(again.file.org_id)
    assert {key: (latest[key]["time"], latest[key]["value"]) for key in wanted.latest} == wanted.latest
