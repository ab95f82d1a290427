"""Attributes of assets in a real Redis."""

import json
import re
import shlex
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from redis import Redis as Client

from fixtures.eventually import eventually
from fixtures.jobs import make_job
from fixtures.kafka import KafkaBroker
from fixtures.redis import RedisServer
from fixtures.results import at_highest_revision, emissions, send
from fixtures.spark import running
from streamjob_api.connections import Redis
from streamjob_api.points import AttributeRef
from streamjob_runtime import redis_hashes
from streamjob_runtime.attributes import PART, RedisAttributes
from streamjob_runtime.faults import DependencyUnavailable
from streamjob_runtime.redis_hashes import REFRESH_SECONDS
from streamjob_runtime.templates.surroundings import NoScalar
from streamjob_runtime.waiting import DENIED_SECONDS, Interrupted, Waits

DOCS = Path(__file__).parents[2] / "docs"
ORG = "ou-attributes"
DAY, HOUR = 1_767_225_600_000, 3_600_000  # 2026-01-01T00:00:00Z
RATIO, SITE = AttributeRef("Meter", "Ratio"), AttributeRef("Meter", "Site")


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[Client]:
    with redis_server.client() as client:
        for key in client.scan_iter(f"streamjob:attributes:{ORG}:*"):
            client.delete(key)
        yield client


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attributes(redis_server: RedisServer, clock: Clock, client: Client) -> RedisAttributes:
    return RedisAttributes(Redis(url=redis_server.url), ORG, lambda: False, clock=clock)


def give(client: Client, asset: str, **values: Any) -> None:
    for name, value in values.items():
        client.hset(f"streamjob:attributes:{ORG}:{{{asset}}}", f"Meter::{name}", json.dumps(value))


def test_values_come_one_an_asset_in_the_order_asked(attributes: RedisAttributes, client: Client) -> None:
    give(client, "a {odd} Ä", Ratio=2.5, Site="plant-7")
    give(client, "b", Ratio=[1], Other=5)
    found = attributes.read(["b", "a {odd} Ä", "nobody", "b"], [RATIO, SITE])
    assert found == {RATIO: [NoScalar(), 2.5, None, NoScalar()], SITE: [None, "plant-7", None, None]}
    assert attributes.read([], [RATIO]) == {RATIO: []}


def test_more_assets_than_one_round_trip_takes_keep_their_own_values(
    attributes: RedisAttributes, client: Client
) -> None:
    names = [f"m{number}" for number in range(2500)]
    with client.pipeline(transaction=False) as pipeline:
        for number, name in enumerate(names):
            pipeline.hset(f"streamjob:attributes:{ORG}:{{{name}}}", "Meter::Ratio", str(number))
        pipeline.execute()
    assert attributes.read(names, [RATIO])[RATIO] == list(range(2500))


def test_a_change_counts_once_the_value_is_a_minute_old(
    attributes: RedisAttributes, client: Client, clock: Clock
) -> None:
    give(client, "a", Ratio=1)
    assert attributes.read(["a", "later"], [RATIO])[RATIO] == [1, None]
    give(client, "a", Ratio=2)
    give(client, "later", Ratio=3)
    clock.now += REFRESH_SECONDS - 0.001
    assert attributes.read(["a", "later"], [RATIO])[RATIO] == [1, None]
    clock.now += 0.001
    assert attributes.read(["a", "later"], [RATIO])[RATIO] == [2, 3]


def test_what_is_known_is_not_asked_again_and_what_is_not_is_asked_alone(
    attributes: RedisAttributes, client: Client
) -> None:
    def calls() -> int:
        info: Any = client.info("commandstats")
        return int(info.get("cmdstat_hmget", {"calls": 0})["calls"])

    attributes.read(["a", "b"], [RATIO, SITE])
    before = calls()
    attributes.read(["a", "b", "c"], [RATIO, SITE])
    assert calls() == before + 1


def test_no_more_assets_are_kept_than_the_bound(
    attributes: RedisAttributes, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_hashes, "MOST_KEPT", 2)
    for asset in "abc":
        give(client, asset, Ratio=1)
    assert attributes.read(["a", "b", "c"], [RATIO])[RATIO] == [1, 1, 1]
    for asset in "abc":
        give(client, asset, Ratio=2)
    assert attributes.read(["c", "b", "a"], [RATIO])[RATIO] == [1, 1, 2]


def test_the_bound_holds_for_all_bindings_together(
    attributes: RedisAttributes, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_hashes, "MOST_KEPT", 2)
    give(client, "a", Ratio=1, Site=1)
    for refs in ([RATIO], [SITE], [RATIO, SITE]):
        assert attributes.read(["a"], refs)[refs[0]] == [1]
    give(client, "a", Ratio=2, Site=2)
    found = [attributes.read(["a"], refs)[refs[0]] for refs in ([RATIO, SITE], [SITE], [RATIO])]
    assert found == [[1], [1], [2]]


def test_a_key_that_is_no_hash_spoils_no_other_asset(attributes: RedisAttributes, client: Client) -> None:
    give(client, "a", Ratio=1)
    client.set(f"streamjob:attributes:{ORG}:{{text}}", "5")
    assert attributes.read(["text", "a"], [RATIO])[RATIO] == [NoScalar(), 1]


def test_a_read_waits_until_redis_is_back(redis_server: RedisServer, client: Client) -> None:
    give(client, "a", Ratio=7)
    attributes = RedisAttributes(Redis(url=redis_server.url), ORG, lambda: False)
    redis_server.process.kill()
    found: list[Any] = []
    reading = threading.Thread(target=lambda: found.append(attributes.read(["a"], [RATIO])))
    reading.start()
    try:
        reading.join(0.5)
        wait = attributes.waits.current()
        assert wait is not None
        assert wait.reason == "RedisUnreachable"
    finally:
        redis_server.start()
    reading.join(30)
    assert (found, attributes.waits.current()) == ([{RATIO: [7]}], None)


def test_a_wish_to_stop_ends_a_read_that_waits() -> None:
    nowhere = RedisAttributes(Redis(url="redis://127.0.0.1:1/0"), ORG, lambda: True)
    with pytest.raises(Interrupted):
        nowhere.read(["a"], [RATIO])


def test_who_is_denied_for_minutes_gives_up_with_the_reason(
    redis_server: RedisServer, client: Client, clock: Clock, tmp_path: Path
) -> None:
    client.acl_setuser("reader", enabled=True, passwords=["+pass"], keys=["latest:*"], categories=["+@all"])
    (tmp_path / "username").write_text("reader")
    (tmp_path / "password").write_text("pass")
    waits = Waits(clock)
    attributes = RedisAttributes(Redis(url=redis_server.url), ORG, lambda: False, tmp_path, waits=waits)
    waits.report(PART, "RedisDenied", "as before")
    clock.now += DENIED_SECONDS + 1
    with pytest.raises(DependencyUnavailable, match="RedisDenied: "):
        attributes.read(["a"], [RATIO])
    client.acl_setuser("reader", enabled=True, keys=[f"streamjob:attributes:{ORG}:*"], categories=["+@all"])
    allowed = RedisAttributes(Redis(url=redis_server.url), ORG, lambda: False, tmp_path)
    assert allowed.read(["a"], [RATIO]) == {RATIO: [None]}
    client.acl_deluser("reader")


def test_the_documented_command_gives_an_asset_its_attributes(redis_server: RedisServer, client: Client) -> None:
    (written,) = re.findall(
        r"^\$ redis-cli (HSET 'streamjob:attributes:.*)$", (DOCS / "messages.md").read_text(), re.MULTILINE
    )
    _, key, *fields = shlex.split(written)
    client.delete(key)
    for name, value in zip(fields[::2], fields[1::2], strict=True):
        client.hset(key, name, value)
    org, asset = re.fullmatch(r"streamjob:attributes:(.*):\{(.*)\}", key).groups()  # type: ignore[union-attr]
    attributes = RedisAttributes(Redis(url=redis_server.url), org, lambda: False)
    ratio, site = map(AttributeRef.parse, fields[::2])
    assert attributes.read([asset], [ratio, site]) == {ratio: [40], site: ["plant-7"]}
    client.delete(key)


def test_a_job_waits_for_redis_and_calculates_with_what_it_then_holds(
    spark: SparkSession, kafka: KafkaBroker, redis_server: RedisServer, tmp_path: Path
) -> None:
    job = make_job(tmp_path, kafka, redis_server)
    policy = {"input": "Meter::Reading", "slopeThreshold": "[0, 50]", "scaleAttribute": "Meter::Ratio"}
    del job.document["spec"]["timeWindowAggregation"]
    job.document["spec"] |= {
        "template": {"name": "energy-by-meter-reading", "version": "1.0"},
        "energyByMeterReading": {"policies": [{**policy, "dailyOutput": "Meter::Day"}]},
    }
    with redis_server.client() as client:
        client.hset(f"streamjob:attributes:{job.file.org_id}:{{a}}", "Meter::Ratio", "40")
    records = [(name, "Meter::Reading", DAY + hour * HOUR + HOUR // 2, 5 * hour) for hour in range(30) for name in "ab"]
    with running(spark, job) as run:
        redis_server.process.kill()
        try:
            send(kafka, job, records)
            eventually(lambda: run.query.status["isTriggerActive"], until=bool)
        finally:
            redis_server.start()
        run.read_everything()
        totals = run.accounts.totals(0)
    assert (totals.records, totals.attribute_invalid) == (60, 0)
    assert totals.attribute_missing >= 1  # once a micro-batch
    found = {key: emission.value for key, emission in at_highest_revision(emissions(kafka, job)).items()}
    assert found == {("a", "Meter::Day", DAY): 40 * 5 * 23, ("b", "Meter::Day", DAY): 5 * 23}
