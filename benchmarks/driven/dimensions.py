"""The dimensions along which a job may grow, one at a time; everything else stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from benchmarks.driven.streams import Padding
from benchmarks.driven.tasks import BACKLOG, HOUR_MS, IN_STEP, MINUTE_MS, Meters, Phase, Task, WindowJob, window_task

# Sizes of windows in minutes; each divides a day.
_SIZES = (10, 12, 15, 16, 18, 20, 24, 30, 32, 36, 40, 45, 48, 60, 72, 80, 90, 96, 120, 144)
_AGGREGATIONS = ("max", "min", "sum", "avg", "cnt")
_ONE_MAXIMUM = WindowJob(aggregations=("max",))
_DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True)
class Effort:
    """How much is sent.

    Attributes:
        messages: of one measurement, about; more where the dimension itself needs more.
        meters: where the dimension says nothing else.
        is_quick: few messages, sent in step, so that even they are several micro-batches; less to be trusted.
    """

    messages: int
    meters: int
    cu: float
    is_quick: bool = False

    def phases(self, meters: int, *, least_rounds: int = 14, warm: float = 1 / 3) -> tuple[Phase, ...]:
        """One phase of about so many messages."""
        rounds = max(least_rounds, round(self.messages / meters))
        at_once = max(1, rounds // 14) if self.is_quick else None
        return (Phase(BACKLOG, rounds, round(rounds * warm), at_once),)


@dataclass(frozen=True)
class Point:
    """A place on a dimension: how it is called, where it lies on the axis, and what is measured."""

    label: str
    x: float
    task: Task
    phase: str = BACKLOG


@dataclass(frozen=True)
class Dimension:
    """What grows; ``points`` from where costs are compared to where it has grown."""

    title: str
    points: Callable[[Effort], list[Point]]


def _assets(effort: Effort) -> list[Point]:
    """Ten minutes' maxima of readings each 100 s; 14 rounds of the million, of which two close a window."""
    counts = (1_000, 10_000, 30_000) if effort.is_quick else (1_000, 10_000, 100_000, 1_000_000)
    return [
        Point(
            f"{count:,}",
            count,
            window_task(_ONE_MAXIMUM, Meters(count, effort.phases(count, warm=1 / 7), 100_000), cu=effort.cu),
        )
        for count in counts
    ]


def _latency(effort: Effort) -> list[Point]:
    """Maxima of an hour, six readings in each; with a latency of a day 24 of them are open once a day has gone by."""
    meters = max(100, effort.meters // 10) if effort.is_quick else effort.meters
    (phase,) = effort.phases(meters, least_rounds=216)
    phases = (replace(phase, warm=150),)  # 25 hours; the rest, eleven at least, is measured
    jobs = {"0": ("0s", 0), "1 h": ("1h", HOUR_MS), "1 d": ("1d", _DAY_MS)}
    return [
        Point(
            label,
            latency_ms / HOUR_MS,
            window_task(
                WindowJob(("max",), (60,), latency=latency, latency_ms=latency_ms),
                Meters(meters, phases, 10 * MINUTE_MS),
                cu=effort.cu,
            ),
        )
        for label, (latency, latency_ms) in jobs.items()
    ]


def _policies(effort: Effort) -> list[Point]:
    """Aggregations of one input over windows of 10 minutes, of 10 and 12, of 20 sizes; a reading each 10 s."""
    jobs = (_ONE_MAXIMUM, WindowJob(_AGGREGATIONS, _SIZES[:2]), WindowJob(_AGGREGATIONS, _SIZES))
    meters = Meters(effort.meters, effort.phases(effort.meters), 10_000)
    return [Point(str(len(job.policies)), len(job.policies), window_task(job, meters, cu=effort.cu)) for job in jobs]


def _sized(paddings: Mapping[str, Padding], effort: Effort) -> list[Point]:
    """The same micro-batches of messages of all sizes: as many as 10 KB allow, ten of each meter."""
    phases = effort.phases(effort.meters) if effort.is_quick else (Phase(BACKLOG, 60, 20, at_once=10),)
    points = []
    for label, padding in paddings.items():
        task = window_task(_ONE_MAXIMUM, Meters(effort.meters, phases, 10_000, padding), cu=effort.cu)
        points.append(Point(label, task.stream.message_bytes, task))
    return points


def _message_size(effort: Effort) -> list[Point]:
    """Messages with ever more points, of which the job reads one."""
    bare = Padding(points=0, is_bare=True)
    longer = {"200 B": Padding(3), "1 KB": Padding(55), "10 KB": Padding(605)}
    return _sized({"100 B": bare} | longer, effort)


def _message_text(effort: Effort) -> list[Point]:
    """Messages with an ever longer text, which the job does not read."""
    return _sized({"200 B": Padding(3), "1 KB": Padding(3, 800), "10 KB": Padding(3, 9_800)}, effort)


def _partitions(effort: Effort) -> list[Point]:
    meters = Meters(effort.meters, effort.phases(effort.meters), 10_000)
    return [
        Point(str(count), count, window_task(_ONE_MAXIMUM, meters, cu=effort.cu, partitions=count))
        for count in (1, 4, 16)
    ]


def _per_key(effort: Effort) -> list[Point]:
    """Micro-batches of 50 records of each asset, then of one."""
    meters = max(100, effort.meters // 10) if effort.is_quick else effort.meters
    many, few = Phase(BACKLOG, 50 * 8, 50 * 3, at_once=50), Phase(IN_STEP, 40, 10, at_once=1)
    task = window_task(_ONE_MAXIMUM, Meters(meters, (many, few), 10_000), cu=effort.cu)
    return [Point("50", 1 / 50, task, BACKLOG), Point("1", 1.0, task, IN_STEP)]


DIMENSIONS: Mapping[str, Dimension] = {
    "assets": Dimension("assets", _assets),
    "latency": Dimension("latency", _latency),
    "policies": Dimension("policies of the job", _policies),
    "message-size": Dimension("message size, by more points", _message_size),
    "message-text": Dimension("message size, by a longer text", _message_text),
    "partitions": Dimension("partitions", _partitions),
    "per-key": Dimension("records per key and micro-batch", _per_key),
}
