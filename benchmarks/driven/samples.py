"""What a driver occupies over time, and how fast that grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import linear_regression, median

from pydantic import TypeAdapter

_SETTLED = 1 / 4  # of the time, after which growth is measured: allocators and caches fill up at first


@dataclass(frozen=True)
class Sample:
    """A look at a driver under a steady load.

    Attributes:
        seconds: since the load has been steady.
        lag: messages that were sent and are not committed.
        pss_mib: proportional set size of all processes.
        working_set_mib: of the cgroup, files in use included; None without a limit.
        by_role: number of processes and their proportional set size, of the JVM, the main process, Spark's helpers.
        checkpoint_mib, scratch_mib: size of the files.
    """

    seconds: float
    messages: int
    lag: int
    cpu_seconds: float
    pss_mib: float
    working_set_mib: float | None
    by_role: Mapping[str, tuple[int, float]]
    checkpoint_mib: float
    scratch_mib: float


SAMPLE = TypeAdapter(Sample)


@dataclass(frozen=True)
class Course:
    """How one size behaved once it had settled: its middle, its highest, and the slope of the line through it."""

    median: float
    highest: float
    per_hour: float


def course(seconds: Sequence[float], sizes: Sequence[float]) -> Course:
    """Least squares over what comes after the first quarter of the time."""
    begin = seconds[0] + (seconds[-1] - seconds[0]) * _SETTLED
    settled = [(at, size) for at, size in zip(seconds, sizes, strict=True) if at >= begin]
    times, values = zip(*settled, strict=True)
    slope = linear_regression(times, values).slope if len(settled) > 1 else 0.0
    return Course(round(median(values), 1), round(max(sizes), 1), round(slope * 3600, 1))


def courses(samples: Sequence[Sample]) -> dict[str, Course]:
    """Of all sizes that were sampled."""
    seconds = [sample.seconds for sample in samples]
    sizes = {
        "pss_mib": [sample.pss_mib for sample in samples],
        "checkpoint_mib": [sample.checkpoint_mib for sample in samples],
        "scratch_mib": [sample.scratch_mib for sample in samples],
    }
    limited = [sample.working_set_mib for sample in samples if sample.working_set_mib is not None]
    if len(limited) == len(samples):
        sizes["working_set_mib"] = limited
    for role in sorted({role for sample in samples for role in sample.by_role} - {"ended"}):
        sizes[f"{role}_mib"] = [sample.by_role.get(role, (0, 0.0))[1] for sample in samples]
    return {name: course(seconds, values) for name, values in sizes.items()}
