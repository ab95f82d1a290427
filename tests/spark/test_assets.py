"""Assets and trees in a real Redis, and a lookup of them by a driver."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from redis import Redis as Client

from fixtures.jobs import make_job
from fixtures.kafka import KafkaBroker
from fixtures.redis import RedisServer
from fixtures.results import send
from fixtures.spark import running
from streamjob_api.connections import Redis
from streamjob_runtime.assets import RedisAssets, asset_key
from streamjob_runtime.templates.surroundings import Asset

DOCS = Path(__file__).parents[2] / "docs"
ORG = "ou-assets"
START = 1_767_225_600_000  # 2026-01-01T00:00:00Z


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[Client]:
    with redis_server.client() as client:
        for key in client.scan_iter(f"streamjob:asset:{ORG}:*"):
            client.delete(key)
        yield client


def test_assets_come_in_the_order_asked_and_what_is_no_hash_is_none(redis_server: RedisServer, client: Client) -> None:
    client.hset(asset_key(ORG, "a {odd} Ä"), "tags", '{"region": "north"}')
    client.hset(asset_key(ORG, "b"), "other", "x")
    client.set(asset_key(ORG, "text"), "x")
    found = RedisAssets(Redis(url=redis_server.url), ORG, lambda: False).read(["b", "text", "a {odd} Ä", "nobody"])
    assert found == [None, None, Asset(tags={"region": "north"}), None]


def test_the_documented_command_makes_an_asset_known(redis_server: RedisServer, client: Client) -> None:
    written = (DOCS / "messages.md").read_text().replace("\\\n", "")
    (command,) = re.findall(r"^\$ redis-cli (HSET 'streamjob:asset:.*)$", written, re.MULTILINE)
    client.execute_command(*shlex.split(command))  # type: ignore[no-untyped-call]
    assert RedisAssets(Redis(url=redis_server.url), "o1", lambda: False).read(["mtr00001"]) == [
        Asset(
            "Meter",
            "Hall 3",
            "Europe/Berlin",
            {"region": "north"},
            {"grid": "feeder-1"},
            {"grid": ("sub-1", "sub-2")},
        )
    ]


def test_a_driver_puts_what_redis_knows_beside_records(
    spark: SparkSession, kafka: KafkaBroker, redis_server: RedisServer, tmp_path: Path
) -> None:
    job = make_job(tmp_path, kafka, redis_server)
    lookup = {"input": "Meter::Reading", "output": "Meter::Placed", "tree": "grid"}
    stage = {"name": "up", "calculator": "parent-lookup", "from": ["source"], "parameters": lookup}
    job.run_stages(stage)
    with redis_server.client() as client:
        client.hset(asset_key(job.file.org_id, "m1"), "parents", '{"grid": "f1"}')
    with running(spark, job) as run:
        send(kafka, job, [(name, "Meter::Reading", START, 5) for name in ("m1", "m2")])
        run.read_everything()
    sent = [json.loads(message.value() or b"") for message in kafka.read_all(job.file.output_topic)]
    assert {each["assetId"]: each["attr"]["tslParentLookup"] for each in sent} == {"m1": {"parent": "f1"}, "m2": None}
    assert run.accounts.by_reason("stage") == {"unknownAsset": 1}
