"""A driver that is killed again and again, at every point of a micro-batch, loses and doubles nothing."""

import random
from pathlib import Path

import pytest

from fixtures.driver import DriverProcess
from fixtures.eventually import eventually
from fixtures.jobs import TestJob, make_job
from fixtures.kafka import KafkaBroker
from fixtures.redis import RedisServer
from fixtures.results import assert_results_are, at_highest_revision, emissions, oracle, repetitions, send
from oracles.windows import Record

INJECTION = Path(__file__).parent / "injection"
# Each point three times: in the first micro-batch of an attempt (often a replay), and in a later one.
CRASHES = [
    *["offsets-logged:1", "reading:1", "folding:1", "before-writes:1", "writing-kafka:1", "before-redis:1"],
    *["before-commit:1", "query-started:1", "offsets-logged:2", "reading:5", "folding:9", "before-writes:2"],
    *["writing-kafka:2", "before-redis:2", "before-commit:2", "offsets-logged:3", "reading:3", "folding:30"],
    *["before-writes:3", "writing-kafka:3", "before-redis:3", "before-commit:3"],
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


@pytest.mark.parametrize(
    ("is_pipeline", "crashes"), [(False, CRASHES), (True, CRASHES[:13])], ids=["template", "pipeline"]
)
def test_a_driver_killed_again_and_again_gives_what_the_oracle_gives(
    kafka: KafkaBroker, redis_server: RedisServer, tmp_path: Path, is_pipeline: bool, crashes: list[str]
) -> None:
    job, records = make_job(tmp_path, kafka, redis_server, latency="15m"), readings(seed=11)
    if is_pipeline:  # what a filter leaves out moves no window, but what a threshold leaves out does
        for policy in job.windows["policies"]:
            policy.pop("threshold", None)
    wanted = oracle(job, records)
    job = job.of_calculators if is_pipeline else job
    feed = Feed(kafka, job, records)
    for crash in crashes:
        run_into(crash, job, feed)
        job = job.next_attempt
    feed.send_rest()
    calm = DriverProcess(job)
    try:
        calm.await_idle(within_seconds=400)
        calm.terminate()
    finally:
        calm.kill()
    found = emissions(kafka, job)
    print(f"{len(crashes)} kills, {len(wanted.results)} results, {len(found)} messages, ", end="")
    print(f"{repetitions(found)} identical repetitions, {wanted.late} late records")
    assert_results_are(found, wanted)
    best, held = at_highest_revision(found), redis_server.latest(job.file.org_id)
    newest = {(asset, point): at for asset, point, at in sorted(wanted.results, key=lambda key: key[2])}
    assert {key: (value["time"], value["value"]) for key, value in held.items()} == {
        key: (at, best[(*key, at)].value) for key, at in newest.items()
    }


class Feed:
    """A gateway that sends a few records again and again, so that an attempt meets several micro-batches."""

    def __init__(self, kafka: KafkaBroker, job: TestJob, records: list[Record]) -> None:
        self._kafka, self._job, self._records, self._sent = kafka, job, records, 0

    def send(self, count: int) -> None:
        send(self._kafka, self._job, self._records[self._sent : self._sent + count])
        self._sent += count

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
