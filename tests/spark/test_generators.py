"""Records that a driver makes for assets which have sent nothing, of their latest values in a real Redis."""

import json
from collections import Counter
from pathlib import Path

from pyspark.sql import SparkSession

from fixtures.eventually import eventually
from fixtures.jobs import make_job
from fixtures.kafka import KafkaBroker
from fixtures.redis import RedisServer
from fixtures.spark import running
from streamjob_api.connections import Redis
from streamjob_api.points import PointRef
from streamjob_runtime.latest_values import RedisLatestValues
from streamjob_runtime.sinks.redis import latest_key
from streamjob_runtime.templates.surroundings import LatestValue

# So many that each of a driver's shards has some.
ASSETS = [f"m{number}" for number in range(20)]
START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
LEVEL = "Meter::Level"


def told(value: float) -> str:
    return json.dumps({"time": START, "value": value, "quality": 0, "rev": "1-1"})


def test_listed_assets_have_records_of_their_latest_values(
    spark: SparkSession, kafka: KafkaBroker, redis_server: RedisServer, tmp_path: Path
) -> None:
    job = make_job(tmp_path, kafka, redis_server)
    parameters = {
        "points": ["Meter::Reading"],
        "every": "1s",
        "assets": {"ids": ASSETS},
        "output": "Meter::Made",
        "value": {"latest": LEVEL},
    }
    stage = {"name": "made", "calculator": "record-generator", "from": ["source"], "parameters": parameters}
    job.run_stages(stage)
    with redis_server.client() as client:
        for number, asset in enumerate(ASSETS[1:]):
            client.hset(latest_key(job.file.org_id, asset), LEVEL, told(number))

        def made() -> list[tuple[str, int, float]]:
            sent = [json.loads(message.value() or b"") for message in kafka.read_all(job.file.output_topic)]
            return [(each["assetId"], each["time"], each["value"]) for each in sent]

        def has_all(found: list[tuple[str, int, float]], value: float) -> bool:
            return {asset for asset, _, each in found if each >= value} == {*ASSETS[1:]}

        with running(spark, job) as run:
            first = eventually(made, until=lambda found: has_all(found, 0), within_seconds=300)
            for asset in ASSETS[1:]:
                client.hset(latest_key(job.file.org_id, asset), LEVEL, told(100))
            found = eventually(made, until=lambda found: has_all(found, 100), within_seconds=300)
    assert {(asset, value) for asset, _, value in first} >= {(asset, n) for n, asset in enumerate(ASSETS[1:])}
    assert set(Counter((asset, time) for asset, time, _ in found).values()) == {1}
    assert run.accounts.counted["missing"] >= 1


def test_latest_values_are_read_anew_each_time(redis_server: RedisServer) -> None:
    values = RedisLatestValues(Redis(url=redis_server.url), "ou-latest", lambda: False)
    with redis_server.client() as client:
        for level in (1.0, 2.0):
            client.hset(latest_key("ou-latest", "m1"), LEVEL, told(level))
            assert values.read(["nobody", "m1"], PointRef.parse(LEVEL)) == [None, LatestValue(START, level)]
        client.set(latest_key("ou-latest", "text"), "x")
        assert values.read(["text", "m1"], PointRef.parse(LEVEL)) == [None, LatestValue(START, 2.0)]
