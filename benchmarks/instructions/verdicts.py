"""What counts say beside those that were accepted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.instructions.baseline import Baseline
from benchmarks.instructions.callgrind import Counts
from benchmarks.instructions.versions import Versions

ACCEPT = "make instructions-accept"


@dataclass(frozen=True)
class Verdict:
    """What became of one function.

    Attributes:
        name: the function.
        instructions: the least of its counts; None: it is not counted any more.
        accepted: the baseline's; None: it has none.
        spread: how far its counts lie apart, as a part of the least.
        tolerance: how far they may rise, or fall unsaid, as a part of the accepted.
    """

    name: str
    instructions: int | None
    accepted: int | None
    spread: float
    tolerance: float

    @property
    def factor(self) -> float | None:
        """The count beside the accepted one."""
        return None if self.instructions is None or not self.accepted else self.instructions / self.accepted

    @property
    def is_slower(self) -> bool:
        """Whether it costs more than is tolerated."""
        return self.factor is not None and self.factor > 1 + self.tolerance

    @property
    def is_faster(self) -> bool:
        """Whether it costs so much less that the baseline would let most of it be lost again."""
        return self.factor is not None and self.factor < 1 - self.tolerance

    @property
    def fault(self) -> str | None:
        """What is wrong and what to do, if anything is."""
        if self.instructions is None:
            return f"{self.name} is in the baseline and is not counted any more; {ACCEPT} forgets it"
        if self.accepted is None:
            return f"{self.name} is not in the baseline; {ACCEPT} takes it in"
        if self.is_slower:
            return (
                f"{self.name} takes {self.instructions:,} instructions, accepted are {self.accepted:,}: "
                f"{self.factor:.2f} times as many, tolerated are {1 + self.tolerance:.2f}. "
                f"If it is worth that, accept it: {ACCEPT}"
            )
        return None


def judge(counts: Counts, baseline: Baseline, tolerance: float) -> Iterator[Verdict]:
    """Yield a verdict for each function that was counted or is in the baseline."""
    for name in [*counts, *(set(baseline.instructions) - set(counts))]:
        counted = counts.get(name, ())
        spread = max(counted) / min(counted) - 1 if counted else 0.0
        least = min(counted) if counted else None
        yield Verdict(name, least, baseline.instructions.get(name), spread, tolerance)


def differences(here: Versions, accepted: Versions) -> dict[str, tuple[str, str]]:
    """Return which versions differ, by name: the baseline's and the one here."""
    names = accepted.keys() | here.keys()
    both = {name: (accepted.get(name, "none"), here.get(name, "none")) for name in sorted(names)}
    return {name: pair for name, pair in both.items() if pair[0] != pair[1]}


def not_comparable(different: Mapping[str, tuple[str, str]]) -> str:
    """Say that nothing was compared, and why."""
    listed = "; ".join(f"{name} {here} (baseline: {accepted})" for name, (accepted, here) in different.items())
    return f"Nothing was compared: the baseline is of other versions: {listed}. To renew it: {ACCEPT}"
