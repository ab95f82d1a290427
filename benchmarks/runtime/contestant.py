"""What the harness asks of a contestant: to do the same work as all others, as a process of its own.

The work: read ``Work.input_topic`` from its beginning, keep 0 <= Reading < 1e6, take max, min, sum and count of each
asset's ten-minute tumbling windows by event time, and write four records of ``docs/messages.md`` ("Results") for each
closed window to ``Work.output_topic``, keyed by asset::

    {"orgId": <org_id>, "modelId": "ElectricMeter", "modelIdPath": "/ElectricMeter", "assetId": "mtr000001",
     "pointId": "MaxReading10Min", "time": <window's start, epoch ms>, "value": 42.5, "quality": 0,
     "attr": {"windowAggregator": {"calType": "max", "calMode": "final"}}}

The points are those of ``POINTS``; a count is an integer. Delivery is at least once with durable state, saved every
``SAVED_EVERY_SECONDS`` or with each micro-batch. Nobody stops by himself: the harness does that when all results are
there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

MODEL = "ElectricMeter"
INPUT_POINT = "Reading"
WINDOW_MS = 600_000
LOWEST, BEYOND = 0.0, 1e6
POINTS = {"max": "MaxReading10Min", "min": "MinReading10Min", "sum": "SumReading10Min", "cnt": "CntReading10Min"}
"""``calType`` of a result to its ``pointId``."""
SAVED_EVERY_SECONDS = 10
CORES = 2


@dataclass(frozen=True)
class Work:
    """One run of one contestant.

    Attributes:
        org_id: the OU's id, which is in each result.
        input_topic: ``MEASURE_POINT_ORIGIN_<org_id>``, 4 partitions, full before the contestant starts.
        output_topic: a new, empty topic of 4 partitions.
        folder: a new, empty folder for state and logs on a local disk.
    """

    bootstrap_servers: str
    org_id: str
    input_topic: str
    output_topic: str
    folder: Path


class Running(Protocol):
    """A contestant at work."""

    def cpu_seconds(self) -> float:
        """User and system time of everything it has started so far, ended processes included."""
        ...

    def memory_mib(self) -> float:
        """What it occupies now: proportional set size of all its processes."""
        ...

    def complaint(self) -> str | None:
        """Why it is not at work any more, with the end of its log; None while it is."""
        ...

    def stop(self) -> None:
        """End all of it; also when it has ended by itself."""
        ...


@dataclass(frozen=True)
class Facts:
    """What the docs say of a contestant.

    Attributes:
        key: its name in the benchmark's JSON.
        title: its name in tables.
        versions: of what it consists of.
        guarantee: what holds after a crash, in one sentence.
        settings: what was set otherwise than by default, and to what.
        backlogs: the share of ``--messages`` of its small and its large run; slow ones get less.
        is_floor: it has no state that survives, and no place among the contestants.
        writes_results: false only of the floor that reads and does nothing else.
    """

    key: str
    title: str
    versions: Mapping[str, str]
    guarantee: str
    settings: Mapping[str, str]
    backlogs: tuple[float, float] = (0.2, 1.0)
    is_floor: bool = False
    writes_results: bool = field(default=True)


class Contestant(Protocol):
    """One engine, set up as a good engineer of that engine would."""

    @property
    def facts(self) -> Facts: ...

    def prepare(self) -> None:
        """Fetch and build what it needs, kept in the state folder; not measured."""
        ...

    def start(self, work: Work) -> Running:
        """Start it; the clock runs from the return on."""
        ...
