"""The capacity of an OU: who holds it, who waits, in which order.

Recomputed from scratch at every pass, from what jobs hold and what they want; nothing is ever counted up or down.

The order is: priority, then age, then name. **Nobody overtakes**: when the first of the queue does not fit, those
behind it wait too, even where they would fit, or a large job would wait for ever beside a stream of small ones. A job
that can never fit is no part of the queue.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Claim:
    """What one job has to do with the capacity.

    Args:
        wanted: CU that it wants to run with; 0 when it does not want to run or may not.
        held: CU that its live pods or its written intent take already.
        granted: CU that it was admitted with before.
    """

    name: str
    uid: str
    created: datetime
    priority: int = 0
    wanted: float = 0
    held: float = 0
    granted: float = 0

    @property
    def kept(self) -> float:
        """CU that cannot be taken from it: what runs, and what it was promised if it can start with that.

        A part of what it needs now would be of no use to it, and two such jobs would wait for each other for ever.
        """
        return max(self.held, self.wanted if self.granted >= self.wanted else 0)


@dataclass(frozen=True)
class Waiting:
    """A place in the queue, with the numbers that explain it."""

    wanted: float
    missing: float
    place: int  # 1: the head
    total: float
    used: float

    @property
    def free(self) -> float:
        """CU that nobody holds; below zero when capacity shrank under running jobs."""
        return self.total - self.used


@dataclass(frozen=True)
class Ledger:
    """The outcome of one pass."""

    total: float
    admitted: dict[str, tuple[str, float]] = field(default_factory=dict)  # name: (uid, CU)
    waiting: dict[str, Waiting] = field(default_factory=dict)

    @property
    def used(self) -> float:
        """CU that jobs hold."""
        return sum(cu for _, cu in self.admitted.values())

    @property
    def queued(self) -> float:
        """CU that queued jobs still need."""
        return sum(waiting.missing for waiting in self.waiting.values())


def settle(total: float, claims: Iterable[Claim]) -> Ledger:
    """Admit in order what fits; claims are of different names."""
    claims = list(claims)
    admitted = {claim.name: (claim.uid, claim.kept) for claim in claims if claim.kept > 0}
    used = sum(cu for _, cu in admitted.values())
    queue: list[Claim] = []
    for claim in sorted(claims, key=lambda claim: (-claim.priority, claim.created, claim.name)):
        missing = claim.wanted - claim.kept
        if missing <= 0 or claim.wanted > total:
            continue
        if queue or used + missing > total:
            queue.append(claim)
        else:
            admitted[claim.name] = (claim.uid, claim.wanted)
            used += missing
    waiting = {
        claim.name: Waiting(claim.wanted, claim.wanted - claim.kept, place, total, used)
        for place, claim in enumerate(queue, start=1)
    }
    return Ledger(total, admitted, waiting)


def explain(waiting: Waiting) -> str:
    """The sentence that a queued job shows: ``needs 2 CU of standalone; 7 of 8 in use, 1 free; 3rd in the queue``."""
    return (
        f"needs {waiting.missing:g} CU of standalone; {waiting.used:g} of {waiting.total:g} in use, "
        f"{max(waiting.free, 0):g} free; {_ordinal(waiting.place)} in the queue"
    )


def _ordinal(number: int) -> str:
    if number % 100 in {11, 12, 13}:
        return f"{number}th"
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
