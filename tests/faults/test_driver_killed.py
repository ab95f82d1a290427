"""A driver that is killed again and again, at every point of a micro-batch, loses and doubles nothing."""

import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from fixtures.driver import DriverProcess
from fixtures.eventually import eventually
from fixtures.jobs import TestJob, make_job
from fixtures.kafka import KafkaBroker
from fixtures.redis import RedisServer
from fixtures.results import (
    Emission,
    assert_results_are,
    at_highest_revision,
    emissions,
    oracle,
    origin_message,
    repetitions,
)
from oracles.windows import Record
from streamjob_api.points import PointRef
from streamjob_runtime.input_topics import input_topics

INJECTION = Path(__file__).parent / "injection"
# Each point three times: in the first micro-batch of an attempt (often a replay), and in a later one.
CRASHES = [
    *["offsets-logged:1", "reading:1", "folding:1", "before-writes:1", "writing-kafka:1", "before-redis:1"],
    *["before-commit:1", "query-started:1", "offsets-logged:2", "reading:5", "folding:9", "before-writes:2"],
    *["writing-kafka:2", "before-redis:2", "before-commit:2", "offsets-logged:3", "reading:3", "folding:30"],
    *["before-writes:3", "writing-kafka:3", "before-redis:3", "before-commit:3"],
]
# A micro-batch writes the results' topic, Redis, the stage's topic: between each two of these, and within each topic.
CRASHES_OF_OWN_TOPICS = [
    *["reading:1", "writing-kafka:1", "before-writes:2", "writing-kafka:2", "before-commit:1", "writing-kafka:4"],
    *["before-redis:2", "before-commit:2"],
]
START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
ASSETS, MINUTES = 40, 1500


def readings(seed: int) -> list[Record]:
    """A value a minute of each asset, out of order by up to 40 minutes."""
    chance = random.Random(seed)  # noqa: S311 (repeatable)
    records: list[tuple[float, Record]] = []
    for minute in range(MINUTES):
        for asset in range(ASSETS):
            point = "Meter::Power" if chance.random() < 0.3 else "Meter::Reading"
            record = (f"meter-{asset:03d}", point, START + minute * 60_000, chance.randrange(-20, 1020))
            records.append((minute + chance.uniform(0, 40), record))
    return [record for _, record in sorted(records, key=lambda pair: pair[0])]


def as_template(job: TestJob, kafka: KafkaBroker) -> TestJob:
    return job


def as_pipeline(job: TestJob, kafka: KafkaBroker) -> TestJob:
    return job.of_calculators


def with_own_topics(job: TestJob, kafka: KafkaBroker) -> TestJob:
    """The same pipeline; readings come through a topic of their own, and their highest values leave through one."""
    readings, highest = f"readings-{job.file.org_id}", f"highest-{job.file.org_id}"
    for topic in (readings, highest):
        kafka.create_topic(topic, 4, **{"retention.ms": "-1"})
    job = job.of_calculators
    stages: list[dict[str, Any]] = job.document["spec"]["pipeline"]["stages"]
    for stage in stages:
        if stage["parameters"]["input"] == "Meter::Reading":
            stage["from"] = ["readings"]
    (last,) = (stage["name"] for stage in stages if stage["parameters"]["output"] == "Meter::Max")
    source = {"topic": readings, "points": ["Meter::Reading"]}
    stages += [
        {"name": "readings", "calculator": "kafka-source", "from": ["source"], "parameters": source},
        {"name": "highest", "calculator": "kafka-sink", "from": [last], "parameters": {"topic": highest}},
    ]
    job.document["pipelines"] = {"topics": [readings, highest]}
    return job


@pytest.mark.parametrize(
    ("formed", "crashes"),
    [(as_template, CRASHES), (as_pipeline, CRASHES[:13]), (with_own_topics, CRASHES_OF_OWN_TOPICS)],
    ids=["template", "pipeline", "own-topics"],
)
def test_a_driver_killed_again_and_again_gives_what_the_oracle_gives(
    kafka: KafkaBroker,
    redis_server: RedisServer,
    tmp_path: Path,
    formed: Callable[[TestJob, KafkaBroker], TestJob],
    crashes: list[str],
) -> None:
    job, records = make_job(tmp_path, kafka, redis_server, latency="15m"), readings(seed=11)
    if formed is not as_template:  # what a filter leaves out moves no window, but what a threshold leaves out does
        for policy in job.windows["policies"]:
            policy.pop("threshold", None)
    wanted = oracle(job, records)
    job = formed(job, kafka)
    feed = Feed(kafka, job, records)
    for crash in crashes:
        run_into(crash, job, feed)
        job = job.next_attempt
    feed.send_rest()
    calm = DriverProcess(job)
    try:
        idle = calm.await_idle(within_seconds=400)
        calm.terminate()
    finally:
        calm.kill()
    assert idle.lag == dict.fromkeys(input_topics(job.file), 0)
    found, beside = emissions(kafka, job), written_beside(kafka, job)
    print(f"{len(crashes)} kills, {len(wanted.results)} results, {len(found)} and {len(beside)} messages, ", end="")
    print(f"{repetitions(found)} and {repetitions(beside)} identical repetitions, {wanted.late} late records")
    assert_results_are([*found, *beside], wanted)
    best, held = at_highest_revision(found), redis_server.latest(job.file.org_id)
    newest = {(asset, point): at for asset, point, at in sorted(best, key=lambda key: key[2])}
    assert {key: (value["time"], value["value"]) for key, value in held.items()} == {
        key: (at, best[(*key, at)].value) for key, at in newest.items()
    }


def written_beside(kafka: KafkaBroker, job: TestJob) -> list[Emission]:
    """What stages have written to topics of their own; the results' topic has none of it."""
    found = [each for topic in job.file.spec.block.topics_written() for each in emissions(kafka, job, topic)]
    assert {each.key[1] for each in found} == ({"Meter::Max"} if found else set())
    in_order = sorted(found, key=lambda each: each.key)  # by partition as they were written, a key's in one
    assert all(one.revision <= next_.revision for one, next_ in pairwise(in_order) if one.key == next_.key)
    return found


class Feed:
    """A gateway that sends a few records again and again, so that an attempt meets several micro-batches."""

    def __init__(self, kafka: KafkaBroker, job: TestJob, records: list[Record]) -> None:
        self._kafka, self._records, self._sent = kafka, records, 0
        self._raw, self._own = job.file.input_topic, job.file.spec.block.topics_read()

    def send(self, count: int) -> None:
        some = self._records[self._sent : self._sent + count]
        for topic in {self._raw, *self._own.values()}:
            self._kafka.produce(topic, map(origin_message, (record for record in some if self._topic(record) == topic)))
        self._sent += count

    def _topic(self, record: Record) -> str:
        """The topic that the job reads the record's point from."""
        return self._own.get(PointRef.parse(record[1]), self._raw)

    def send_rest(self) -> None:
        """All that is left; there is some, so that the last attempt has work, too."""
        assert self._sent < len(self._records)
        self.send(len(self._records))


def run_into(crash: str, job: TestJob, feed: Feed) -> None:
    """Start an attempt, feed it and let it die at its point."""
    driver = DriverProcess(job, PYTHONPATH=str(INJECTION), STREAMJOB_CRASH=crash)

    def is_dead() -> bool:
        feed.send(8)
        return driver.process.poll() is not None

    try:
        eventually(is_dead, within_seconds=400)
    finally:
        driver.kill()
    assert driver.process.returncode == -9, f"{crash} was not reached: {driver.end_of_log()}"
