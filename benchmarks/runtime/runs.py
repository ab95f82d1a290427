"""The runs that were made, a JSON line each: a benchmark that broke off goes on, tables are made of nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One contestant on one backlog.

    Attributes:
        number: of the round of all contestants that it belongs to, from 1.
        meters, messages: the load, closing readings included.
        seconds, cpu_seconds: from the start of its process until all results were on their topic.
        peak_mib: the most that it occupied, proportional set size.
        broker_cpu_seconds: what the broker took meanwhile; in no other figure.
        fault: what refuses the run; empty where all results are there and right.
    """

    contestant: str
    number: int
    meters: int
    messages: int
    seconds: float
    cpu_seconds: float
    peak_mib: int
    broker_cpu_seconds: float
    results: int
    repeated: int
    fault: str


class RunsFile:
    """A file of runs."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, run: Run) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(asdict(run)) + "\n")

    def read(self) -> list[Run]:
        """All runs, in the order in which they were made."""
        return list(self._read()) if self._path.exists() else []

    def _read(self) -> Iterator[Run]:
        for line in self._path.read_text().splitlines():
            # the last line of a run that broke off may be half a line
            if line.endswith("}"):
                yield Run(**json.loads(line))
