"""One measurement: feed a driver phase by phase, watch it, judge its results; and the file of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.driven.driver_session import DriverSession
from benchmarks.driven.feeder import Feeder
from benchmarks.driven.following import Fault, Follower, Mark, Steady, steady
from benchmarks.driven.tasks import Surroundings, Task
from fixtures.kafka import KafkaBroker
from fixtures.redis import RedisServer
from localcluster.progress import Step


@dataclass(frozen=True)
class Measurement:
    """What one driver took.

    Attributes:
        name: of the measurement, such as ``assets/10000``.
        phases: the cost of each phase by its name; none where the results are not right.
        start_seconds, start_cpu_seconds: until the first micro-batch was committed.
        peak_mib: the most that all processes occupied, proportional set size.
        checkpoint_mib: size of the checkpoint at the end.
        results: records on the results' topic.
        fault: what refuses the measurement; empty where all results are right.
    """

    name: str
    meters: int
    cu: float
    partitions: int
    message_bytes: int
    phases: Mapping[str, Steady]
    start_seconds: float = 0.0
    start_cpu_seconds: float = 0.0
    peak_mib: int = 0
    checkpoint_mib: float = 0.0
    results: int = 0
    fault: str = ""


class Measurements:
    """A file with a JSON line for each measurement: what broke off goes on where it was."""

    _adapter = TypeAdapter(Measurement)

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, measurement: Measurement) -> None:
        with self._path.open("ab") as file:
            file.write(self._adapter.dump_json(measurement) + b"\n")

    def read(self) -> dict[str, Measurement]:
        """The last one of each name, without those that were refused."""
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        # the last line of a run that was killed may be half a line
        made = [self._adapter.validate_json(line) for line in lines if line.endswith("}")]
        return {each.name: each for each in made if not each.fault}


@contextmanager
def servers(folder: Path, *, with_redis: bool) -> Iterator[tuple[KafkaBroker, RedisServer | None]]:
    """A broker, and Redis where it is needed, ended at the end."""
    kafka, redis = KafkaBroker(folder), RedisServer(folder) if with_redis else None
    try:
        kafka.start()
        if redis:
            redis.start()
            redis.client().config_set("appendonly", "no")  # as it is by default: a disk is not what is measured
        yield kafka, redis
    finally:
        kafka.process.kill()
        if redis:
            redis.process.kill()


def measure(
    name: str, task: Task, kafka: KafkaBroker, redis: RedisServer | None, folder: Path, step: Step
) -> Measurement:
    """Run a task with a driver of its own in a folder of its own, which stays."""
    stream = task.stream
    feeder = Feeder(kafka, stream, task.partitions)
    about = (name, stream.meters, task.job.cu, task.partitions, stream.message_bytes)
    if task.phases[0].at_once is None:
        feeder.send(range(task.phases[0].rounds))
    redis_url = redis.url if redis and task.needs_redis else None
    if redis and task.fill:
        task.fill(redis, feeder.org_id, stream)
    document = task.job.document(feeder.org_id, kafka.bootstrap_servers, folder, redis_url)
    driver = DriverSession(document, folder)
    follower = Follower(driver, step)
    try:
        _feed(task, feeder, follower)
        checkpoint = driver.checkpoint_mib()
        results, fault = task.verdict(Surroundings(kafka, redis, driver), stream)
        phases = {} if fault else _costs(task, follower.marks)
    except Fault as refused:
        return Measurement(*about, {}, fault=str(refused))
    finally:
        driver.stop()
        feeder.delete_topics()
    first = follower.marks[0]
    return Measurement(
        *about, phases, round(first.seconds, 1), round(first.cpu_seconds, 1), round(follower.peak_mib),
        round(checkpoint, 1), results, fault,
    )  # fmt: skip


def _feed(task: Task, feeder: Feeder, follower: Follower) -> None:
    """Send what is not there yet, phase by phase, and wait until it is committed."""
    first = 0
    for phase in task.phases:
        if phase.at_once is not None:
            follower.in_step(feeder, phase.batches(first))
        elif first:
            feeder.send(range(first, first + phase.rounds))
        first += phase.rounds
        follower.until(first * task.stream.meters)
    feeder.send(task.stream.all_rounds[first:])
    follower.until(feeder.sent_messages)


def _costs(task: Task, marks: list[Mark]) -> dict[str, Steady]:
    meters, first, costs = task.stream.meters, 0, {}
    for phase in task.phases:
        after, until = first + phase.warm, first + phase.rounds
        costs[phase.name] = steady(marks, after * meters, until * meters, meters)
        first = until
    return costs
