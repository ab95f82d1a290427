"""What is measured: a job, the meters that feed it, and what must come of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.driven.driver_session import DriverSession, JobSpec
from benchmarks.driven.oracles import Window, windows
from benchmarks.driven.results import difference, read_results
from benchmarks.driven.streams import MODEL, Numbers, Padding, Stream, Values, noise
from fixtures.kafka import KafkaBroker
from fixtures.redis import RedisServer

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
LOWEST, BEYOND = 0.0, 1000.0
_PLAIN = Padding()


@dataclass(frozen=True)
class Surroundings:
    """Where a measurement's results are looked for."""

    kafka: KafkaBroker
    redis: RedisServer | None
    driver: DriverSession

    @property
    def org_id(self) -> str:
        return self.driver.job.org_id

    @property
    def topic(self) -> str:
        return self.driver.job.output_topic


Verdict = Callable[[Surroundings, Stream], tuple[int, str]]
"""How many results there are, and what is wrong with them; empty where nothing is."""


@dataclass(frozen=True)
class Task:
    """One driver on one stream.

    Attributes:
        phases: one after the other; they have the stream's rounds, but for the closing one.
        needs_redis: whether the job is given one.
        fill: what puts into Redis, before the job begins, what it reads there of an OU and the stream's assets.
    """

    job: JobSpec
    stream: Stream
    verdict: Verdict
    phases: tuple[Phase, ...]
    partitions: int = 4
    needs_redis: bool = False
    fill: Callable[[RedisServer, str, Stream], None] | None = None


@dataclass(frozen=True)
class Phase:
    """A part of a measurement, with a figure of its own.

    Attributes:
        warm: rounds at its beginning that are not measured.
        at_once: rounds that are sent together, when the ones before are under way, so that they are a micro-batch;
            None: all are sent at the beginning of the phase, and the job takes as many as it may.
    """

    name: str
    rounds: int
    warm: int
    at_once: int | None = None

    def batches(self, first: int) -> list[range]:
        """The rounds to send together, of a phase that begins with round ``first``."""
        step = self.at_once or self.rounds
        return [
            range(begin, min(begin + step, first + self.rounds)) for begin in range(first, first + self.rounds, step)
        ]


BACKLOG, IN_STEP = "backlog", "in_step"


@dataclass(frozen=True)
class WindowJob:
    """A job of windows; the stream's length follows from what is asked."""

    aggregations: tuple[str, ...] = ("max", "min", "sum", "cnt")
    minutes: tuple[int, ...] = (10,)
    slide_minutes: int | None = None
    latency: str = "0s"
    latency_ms: int = 0

    @property
    def policies(self) -> list[Window]:
        return [
            Window(kind, size * MINUTE_MS, (self.slide_minutes or size) * MINUTE_MS, f"{kind.title()}{size}Min")
            for size in self.minutes
            for kind in self.aggregations
        ]

    def spec(self, cu: float) -> JobSpec:
        policies = [
            {
                "input": f"{MODEL}::Reading",
                "threshold": f"[{LOWEST:g}, {BEYOND:g})",
                "aggregation": policy.aggregation,
                "windowSize": f"{policy.size_ms // 1000}s",
                "output": f"{MODEL}::{policy.output}",
                **({"slide": f"{policy.slide_ms // 1000}s"} if self.slide_minutes else {}),
            }
            for policy in self.policies
        ]
        kind = "Sliding" if self.slide_minutes else "Tumbling"
        block = {"windowType": kind, "latency": self.latency, "policies": policies}
        return JobSpec("time-window-aggregation", {"timeWindowAggregation": block}, cu)

    def closing_ms(self, rounds: int, period_ms: int) -> int:
        """When the closing round is, so that every window with a reading is final."""
        return rounds * period_ms + 2 * max(self.minutes) * MINUTE_MS + self.latency_ms

    def verdict(self, at: Surroundings, stream: Stream) -> tuple[int, str]:
        found = read_results(at.kafka, at.topic)
        return len(found), difference(found, windows(stream, self.policies, LOWEST, BEYOND))


@dataclass(frozen=True)
class Meters:
    """How many meters send how often."""

    count: int
    phases: tuple[Phase, ...]
    period_ms: int = MINUTE_MS
    padding: Padding = _PLAIN

    @property
    def rounds(self) -> int:
        return sum(phase.rounds for phase in self.phases)

    def stream(self, values: Callable[[Numbers, int], Values], closing_ms: int | None = None) -> Stream:
        return Stream(values, self.count, self.rounds, self.period_ms, closing_ms=closing_ms, padding=self.padding)


def window_task(job: WindowJob, meters: Meters, *, cu: float, partitions: int = 4) -> Task:
    """A window job whose closing round makes every window with a reading final."""
    stream = meters.stream(noise, job.closing_ms(meters.rounds, meters.period_ms))
    return Task(job.spec(cu), stream, job.verdict, meters.phases, partitions)
