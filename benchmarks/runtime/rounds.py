"""Which runs there are, and in which order: each round begins with another contestant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from benchmarks.runtime.contestant import Contestant
from benchmarks.runtime.load import Load
from benchmarks.runtime.runs import Run


@dataclass(frozen=True)
class Turn:
    """One run to make."""

    number: int
    contestant: Contestant
    load: Load

    @classmethod
    def all_of(cls, contestants: Sequence[Contestant], rounds: int, messages: int, meters: int) -> Iterator[Self]:
        """Every turn; a contestant's two backlogs follow each other, the smaller one first in every second round."""
        for number in range(1, rounds + 1):
            first = (number - 1) % len(contestants)
            for contestant in [*contestants[first:], *contestants[:first]]:
                loads = [Load.of(round(messages * share), meters) for share in contestant.facts.backlogs]
                for load in loads if number % 2 else reversed(loads):
                    yield cls(number, contestant, load)

    def is_of(self, run: Run) -> bool:
        """Whether a run is this turn's."""
        wanted = (self.number, self.contestant.facts.key, self.load.meters, self.load.messages)
        return wanted == (run.number, run.contestant, run.meters, run.messages)

    def is_made(self, runs: Sequence[Run]) -> bool:
        """Whether one of the runs is this one, and was not refused."""
        return any(self.is_of(run) and not run.fault for run in runs)

    def __str__(self) -> str:
        return f"round {self.number}, {self.contestant.facts.title}, {self.load.messages:,} messages"
