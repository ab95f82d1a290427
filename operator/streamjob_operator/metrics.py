"""What ``/metrics`` says: read off when Prometheus asks, so that nothing is left over of what is gone.

Only what cannot be read off afterwards is counted as it happens: turns and starts.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from streamjob_api.status import Condition
from streamjob_operator.key_queue import KeyQueue
from streamjob_operator.observed import Job, Key, Pod
from streamjob_operator.world import World

PREFIX = "streamjob_operator_"
_TURN_BUCKETS = (0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_START_BUCKETS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800)


@dataclass(frozen=True)
class Reading:
    """One metric as it is now.

    Args:
        value: a number, or numbers by the values of the labels.
    """

    kind: str  # gauge | counter
    name: str
    help: str
    value: float | Mapping[Any, float]
    labels: tuple[str, ...] = ()

    @property
    def family(self) -> Metric:
        """As Prometheus wants it."""
        made = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        if not isinstance(self.value, Mapping):
            return made(PREFIX + self.name, self.help, value=self.value)
        family = made(PREFIX + self.name, self.help, labels=self.labels)
        for labels, number in self.value.items():
            family.add_metric(labels, number)
        return family


class _Readings(Collector):
    def __init__(self, read: Callable[[], Iterable[Reading]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        return (reading.family for reading in self._read())


@dataclass
class Metrics:
    """The operator's registry."""

    world: World
    queue: KeyQueue[Key]
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self._turns = Histogram(
            PREFIX + "turn_seconds", "Turns.", ["kind"], registry=self.registry, buckets=_TURN_BUCKETS
        )
        self._created = Histogram(
            PREFIX + "job_to_pod_seconds",
            "From a job's creation to its first driver pod's: the operator's part of a start, and the queue's.",
            registry=self.registry,
            buckets=_START_BUCKETS,
        )
        self._ready = Histogram(
            PREFIX + "pod_to_ready_seconds",
            "From a driver pod's creation to its readiness: the cluster's and the driver's part of a start.",
            registry=self.registry,
            buckets=_START_BUCKETS,
        )
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.read(self._of_world)
        self.read(self._of_queue)

    def read(self, source: Callable[[], Iterable[Reading]]) -> None:
        """Take in what this tells whenever Prometheus asks."""
        # describe() would ask at once, when there is nothing to tell yet
        self.registry.register(_Readings(source))

    def turn(self, kind: str, since: float) -> None:
        """Note a turn that began at this monotonic time."""
        self._turns.labels(kind).observe(time.monotonic() - since)

    def saw_pod(self, job: Job | None, before: Pod | None, after: Pod) -> None:
        """Note a driver's start, where this is the news."""
        if before is None and job is not None and job.uid == after.job_uid and after.attempt == 1:
            self._created.observe((after.created - job.created).total_seconds())
        if after.ready and after.ready_since and (before is None or not before.was_ready):
            self._ready.observe((after.ready_since - after.created).total_seconds())

    def _of_queue(self) -> Iterable[Reading]:
        yield Reading("gauge", "queue_length", "Keys that wait for their turn.", len(self.queue))
        yield Reading("gauge", "queue_age_seconds", "How long the first of them has waited.", self.queue.oldest_seconds)
        yield Reading(
            "gauge", "longest_turn_seconds", "Age of the oldest turn under way.", self.queue.longest_turn_seconds
        )
        yield Reading("gauge", "keys_failing", "Keys whose last turn failed.", self.queue.failing)

    def _of_world(self) -> Iterable[Reading]:
        jobs = [job for namespace in self.world.namespaces() for job in self.world.jobs(namespace)]
        yield Reading("gauge", "jobs", "StreamJobs known.", len(jobs))
        yield Reading(
            "gauge", "jobs_judged", "StreamJobs that this process has judged at least once.", len(self.world.judged)
        )
        yield Reading(
            "gauge",
            "jobs_by_reason",
            "StreamJobs by what their condition Ready says.",
            {key: float(count) for key, count in Counter(map(_said, jobs)).items()},
            ("namespace", "ready", "reason"),
        )
        restarts = {(job.key.namespace, job.key.name): float(job.status.restarts.total) for job in jobs}
        yield Reading(
            "counter",
            "job_restarts",
            "Drivers that ended unasked.",
            {key: count for key, count in restarts.items() if count},
            ("namespace", "job"),
        )
        yield Reading("gauge", "capacity_cu", "CU of OUs.", self._capacity(), ("namespace", "pool", "use"))

    def _capacity(self) -> dict[tuple[str, ...], float]:
        return {
            (resource.namespace, pool, use): number
            for resource in self.world.all_resources()
            for pool, numbers in (("standalone", resource.status.standalone), ("cluster", resource.status.cluster))
            for use, number in numbers.model_dump().items()
        }


def _said(job: Job) -> tuple[str, str, str]:
    ready: Condition | None = next((each for each in job.status.conditions if each.type == "Ready"), None)
    return (job.key.namespace, ready.status, ready.reason) if ready else (job.key.namespace, "Unknown", "")
