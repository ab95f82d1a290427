"""What must be on the topic of results when a contestant is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from benchmarks.runtime.load import Load, expected_results
from benchmarks.runtime.verdict import Verdict, judge

Records = Sequence[tuple[bytes, bytes]]


class Goal(Protocol):
    """Says when it is worth looking, and what was found."""

    @property
    def least_records(self) -> int: ...

    def judge(self, records: Records) -> Verdict: ...


@dataclass(frozen=True)
class AllResults:
    """Each result of the closed windows, at least once."""

    wanted: pl.DataFrame
    org_id: str

    @classmethod
    def of(cls, load: Load, org_id: str) -> AllResults:
        return cls(expected_results(load), org_id)

    @property
    def least_records(self) -> int:
        return len(self.wanted)

    def judge(self, records: Records) -> Verdict:
        return judge(records, self.wanted, self.org_id)


@dataclass(frozen=True)
class AllRead:
    """For a floor that calculates nothing: each of its processes says how many messages it has read."""

    messages: int
    least_records: int = 1

    def judge(self, records: Records) -> Verdict:
        read = sum(int(value) for _, value in records)
        too_many = f"{read} messages were read, of {self.messages}" if read > self.messages else ""
        return Verdict(len(records), 0, max(0, self.messages - read), too_many)
