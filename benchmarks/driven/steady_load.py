"""A steady load for a long time: the state of a whole day, then round after round when its time has come."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.driven.driver_session import DriverSession
from benchmarks.driven.feeder import Feeder
from benchmarks.driven.following import Fault, Follower
from benchmarks.driven.memory_limit import MemoryLimit
from benchmarks.driven.samples import SAMPLE, Sample
from benchmarks.driven.tasks import MINUTE_MS, Meters, Phase, Surroundings, Task, WindowJob, window_task
from fixtures.kafka import KafkaBroker
from localcluster.progress import Step

_PERIOD_MS = 150_000  # four readings in each window of ten minutes
_FILLING_ROUNDS = 28 * 60 * MINUTE_MS // _PERIOD_MS
_SAMPLE_SECONDS = 10.0
_A_DAY = WindowJob(("max",), latency="1d", latency_ms=24 * 60 * MINUTE_MS)


@dataclass(frozen=True)
class Outcome:
    """How it ended.

    Attributes:
        results: records on the results' topic.
        fault: what refuses the measurement; empty where all results are right.
        kills: processes that were ended for want of memory; None without a limit.
    """

    results: int = 0
    fault: str = ""
    kills: int | None = None


def day_task(meters: int, rounds: int, cu: float) -> Task:
    """Ten minutes' maxima with a latency of one day: a backlog that fills the state, then so many rounds."""
    phases = (Phase("filling", _FILLING_ROUNDS, 0), Phase("steady", rounds, 0))
    task = window_task(_A_DAY, Meters(meters, phases, _PERIOD_MS), cu=cu)
    return replace(task, job=replace(task.job, trigger_interval="1s"))  # as a job has it that says nothing


def run(
    task: Task, rate: int, kafka: KafkaBroker, limit: MemoryLimit | None, folder: Path, samples: Path, step: Step
) -> Outcome:
    """Feed a driver at a rate of messages a second, and write a sample of it every ten seconds."""
    feeder = Feeder(kafka, task.stream, task.partitions)
    step.note("filling the topic")
    feeder.send(range(task.phases[0].rounds))
    document = task.job.document(feeder.org_id, kafka.bootstrap_servers, folder / "driver", None)
    driver = DriverSession(document, folder / "driver", limit)
    try:
        watch = _Watch(driver, Follower(driver, step), feeder, limit, samples)
        watch.follower.until(feeder.sent_messages)
        _steadily(watch, task, rate, step)
        feeder.send(task.stream.all_rounds[-1:])
        watch.follower.until(feeder.sent_messages)
        results, fault = task.verdict(Surroundings(kafka, None, driver), task.stream)
    except Fault as refused:
        results, fault = 0, str(refused)
    finally:
        driver.stop()
    return Outcome(results, fault, limit.kills() if limit else None)


@dataclass(frozen=True)
class _Watch:
    """A driver, what feeds it, and where samples of it go."""

    driver: DriverSession
    follower: Follower
    feeder: Feeder
    limit: MemoryLimit | None
    samples: Path

    def sample(self, seconds: float) -> None:
        by_role = self.driver.memory_mib_by_role()
        committed = self.follower.committed
        sample = Sample(
            seconds=round(seconds, 1),
            messages=committed,
            lag=self.feeder.sent_messages - committed,
            cpu_seconds=round(self.driver.cpu_seconds(), 2),
            pss_mib=round(sum(size for _, size in by_role.values()), 1),
            working_set_mib=round(self.limit.working_set_mib(), 1) if self.limit else None,
            by_role={role: (count, round(size, 1)) for role, (count, size) in by_role.items()},
            checkpoint_mib=round(self.driver.checkpoint_mib(), 1),
            scratch_mib=round(self.driver.scratch_mib(), 1),
        )
        with self.samples.open("ab") as file:
            file.write(SAMPLE.dump_json(sample) + b"\n")


def _steadily(watch: _Watch, task: Task, rate: int, step: Step) -> None:
    """Send each round when its time has come; the driver is looked at meanwhile."""
    filling, steady = task.phases
    began, sampled = time.monotonic(), 0
    for number in range(steady.rounds):
        due = number * task.stream.meters / rate
        while (seconds := time.monotonic() - began) < due:
            if seconds >= sampled * _SAMPLE_SECONDS:
                watch.sample(seconds)
                sampled += 1
            watch.follower.wait(min(0.25, due - seconds))
        watch.feeder.send([filling.rounds + number])
        step.note(f"{seconds / 60:.1f} minutes at the steady rate")
