"""A job on the cluster while Kafka and Redis go away and its driver dies: it says so, and every result is right."""

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Producer
from redis import Redis

from demo import comparison, expected, gateway, meters, results
from demo.run import policy_of
from demo.stage import Stage, create_topic
from fixtures.eventually import eventually
from images.delivery import deliver
from localcluster.providers import Cluster
from localcluster.state import state_folder

JOB = "meter-extremes-10min"
OUTAGE_SECONDS = float(os.environ.get("STREAMJOB_OUTAGE_SECONDS", "120"))
WEEK = meters.Week(meters=50, days=2)

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
def stage(cluster: Cluster) -> Iterator[Stage]:
    images = deliver(cluster, ("operator", "runtime", "kafka", "redis"))
    stage = Stage(cluster, images, "ou-faults", "oFaults", 39094, "streamjob-faults", "streamjob-faults")
    stage.remove_ou()
    stage.install_operator()
    stage.install_platform()
    yield stage
    stage.remove_ou()
    stage.remove_operator()


def ready(stage: Stage) -> dict[str, Any]:
    shown = json.loads(stage.cluster.kubectl("-n", stage.namespace, "get", "streamjob", JOB, "-o", "json"))
    conditions = {condition["type"]: condition for condition in shown["status"]["conditions"]}
    return dict(conditions["Ready"]) | {"attempt": shown["status"]["attempt"]}


def away(stage: Stage, name: str, reason: str) -> None:
    """Take a server away for two minutes; the condition says so meanwhile, and is well again afterwards."""
    scale = ("-n", stage.namespace, "scale", f"statefulset/{name}")
    began = time.monotonic()
    stage.cluster.kubectl(*scale, "--replicas=0")
    told = eventually(lambda: ready(stage), until=lambda seen: seen["reason"] == reason, within_seconds=90)
    print(f"{name}: told after {time.monotonic() - began:.0f} s: {told['message']}")
    assert told["status"] == "False"
    time.sleep(max(0.0, began + OUTAGE_SECONDS - time.monotonic()))
    stage.cluster.kubectl(*scale, "--replicas=1")
    well = eventually(lambda: ready(stage), until=lambda seen: seen["status"] == "True", within_seconds=180)
    assert well["attempt"] == told["attempt"], "the driver was to wait, not to be replaced"


def settled(stage: Stage) -> None:
    """Wait until the driver has read everything."""
    eventually(
        lambda: stage.progress(JOB),
        until=lambda seen: bool(seen) and seen["idle"] and seen["batchId"] >= 0 and sum(seen["lag"].values()) == 0,
        within_seconds=300,
    )


def test_outages_and_a_killed_driver_change_no_result(stage: Stage) -> None:
    readings = meters.readings(WEEK, meters.fetch(state_folder(os.environ).root / "data"))
    stage.apply("streamresource.yaml")
    job = stage.apply("streamjob.yaml")
    quarter = readings.height // 4
    with stage.kafka() as bootstrap:
        create_topic(bootstrap, stage.origin_topic, 4)
        stage.wait_until_ready(JOB)
        producer = Producer({"bootstrap.servers": bootstrap})
        encoded = gateway.messages(readings, stage.org_id)

        def send(part: int) -> None:
            length = quarter if part < 3 else None
            gateway.send(producer, stage.origin_topic, encoded.slice(part * quarter, length), 10_000, lambda _: None)

        send(0)
        away(stage, "kafka", "KafkaUnreachable")
        send(1)
        settled(stage)
        stage.cluster.kubectl("-n", stage.namespace, "scale", "statefulset/redis", "--replicas=0")
        send(2)
        away(stage, "redis", "RedisUnreachable")
        attempt = ready(stage)["attempt"]
        driver = f"{JOB}-{attempt}-driver"
        stage.cluster.kubectl("-n", stage.namespace, "delete", "pod", driver, "--grace-period=1", "--wait=false")
        send(3)
        eventually(
            lambda: ready(stage),
            until=lambda seen: seen["attempt"] == attempt + 1 and seen["status"] == "True",
            within_seconds=240,
        )
        wanted = comparison.expected_frame(expected.expect(readings, policy_of(job)))

        def compared() -> comparison.Comparison:
            print(f"{time.strftime('%T')} {stage.progress(JOB)}")
            records = results.read_topic(bootstrap, stage.cal_topic, lambda _: None)
            return comparison.compare(wanted, results.highest_revisions(records), records.height)

        found = eventually(compared, until=lambda seen: seen.equal == seen.expected, within_seconds=300)
    print(f"{found.equal} of {found.expected} results equal, {found.repeated} records replaced or repeated")
    assert found.holds, found.differing.head(20)
    with stage.redis() as port:
        latest = results.read_latest(Redis(port=port), stage.org_id, wanted["asset"].unique().sort().to_list())
    held = comparison.compare(comparison.latest_expected(wanted), latest, latest.height)
    assert held.holds, held.differing.head(20)
