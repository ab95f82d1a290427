"""The capacity of an OU: who holds it, who waits, in which order.

Recomputed from scratch at every pass, from what jobs hold and what they want; nothing is ever counted up or down.
Standalone and Cluster jobs have a pool each.

The order is: priority, then age, then name. **Nobody overtakes**: when the first of the queue does not fit, those
behind it wait too, even where they would fit. A stream job has no end that could be known, so there is no gap in which
a smaller one could run without holding up a larger one, perhaps for ever. A job that can never fit is no part of the
queue.

CU are taken back in two steps, since somebody may be about to start a driver with them: a pass withdraws the grant, and
the CU count as *leaving*; a later one frees them, when live reads after the withdrawal have shown that nobody holds
them. Who starts a driver writes its intent first and then looks whether the grant is still there: one of the two sees
the other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

from streamjob_api.resources import RunningMode

_NEVER = datetime.max.replace(tzinfo=UTC)
# Enough to tell two jobs of one name apart; short, since a status lists thousands.
_UID_LENGTH = 8


class Holder(NamedTuple):
    """A job, by name and UID: one that is created anew under a name is another holder."""

    name: str
    uid: str

    @classmethod
    def of(cls, name: str, uid: str) -> "Holder":
        """The holder, with as much of its UID as is kept."""
        return cls(name, uid[:_UID_LENGTH])

    @classmethod
    def parse(cls, text: str) -> "Holder":
        """From its written form, ``name/uid``."""
        name, _, uid = text.partition("/")
        return cls(name, uid)

    def __str__(self) -> str:
        return f"{self.name}/{self.uid}"


@dataclass(frozen=True)
class Claim:
    """What one job has to do with a pool.

    Args:
        wanted: CU that it wants to run with; 0 when it does not want to run or may not, or not in this pool.
        live: CU of its live pods.
        intended: CU of its written intent to run a driver.
        granted: CU that it was admitted with before.
        leaving: CU that were withdrawn from it before, and are not free yet.
        is_checked: whether live reads after the withdrawal have shown what it holds.
    """

    holder: Holder
    created: datetime = _NEVER
    priority: int = 0
    wanted: float = 0
    live: float = 0
    intended: float = 0
    granted: float = 0
    leaving: float = 0
    is_checked: bool = False

    @property
    def kept(self) -> float:
        """CU that cannot be taken from it: what runs, what it is about to run, what it was promised and can start with.

        An intent alone counts only as far as it rests on a grant, or a stale one would grant itself. A part of what a
        job needs now would be of no use to it, and two such jobs would wait for each other for ever.
        """
        promised = self.wanted if self.granted >= self.wanted else 0
        return max(self.live, min(self.intended, self.granted + self.leaving), promised)

    @property
    def withdrawn(self) -> float:
        """CU that are no longer its own, but that it may still be about to use."""
        return max(0, self.granted + (0 if self.is_checked else self.leaving) - self.kept)


@dataclass(frozen=True)
class Waiting:
    """A place in the queue, with the numbers that explain it.

    Args:
        wanted: CU that the job wants to run with.
        missing: CU that it does not hold yet.
        place: 1 is the head.
        used: CU that are held, by drivers or for them.
        head: who is first, if that is another.
    """

    wanted: float
    missing: float
    place: int
    total: float
    used: float
    mode: RunningMode = RunningMode.STANDALONE
    priority: int = 0
    head: "Head | None" = None

    @property
    def free(self) -> float:
        """CU that nobody holds; below zero when capacity shrank under running jobs."""
        return self.total - self.used


class Head(NamedTuple):
    """The first of the queue, as those behind it see it."""

    name: str
    missing: float
    priority: int


@dataclass(frozen=True)
class Pool:
    """The outcome of one pass for the jobs of one mode.

    Args:
        admitted: CU by holder.
        leaving: CU by who held them, withdrawn and not free yet.
        live: CU of live pods.
        waiting: the queue, by name.
    """

    total: float = 0
    admitted: Mapping[Holder, float] = field(default_factory=dict)
    leaving: Mapping[Holder, float] = field(default_factory=dict)
    live: float = 0
    waiting: Mapping[str, Waiting] = field(default_factory=dict)

    @cached_property
    def held(self) -> float:
        """CU that are not free."""
        return sum(self.admitted.values()) + sum(self.leaving.values())

    @property
    def queued(self) -> float:
        """CU that queued jobs still need."""
        return sum(waiting.missing for waiting in self.waiting.values())


@dataclass(frozen=True)
class Ledger:
    """The outcome of one pass over an OU."""

    pools: Mapping[RunningMode, Pool] = field(default_factory=dict)

    def pool(self, mode: RunningMode) -> Pool:
        """The pool of a mode."""
        return self.pools.get(mode) or Pool()

    @cached_property
    def waiting(self) -> dict[str, Waiting]:
        """Both queues, by name: a job waits in one of them."""
        return {name: waiting for pool in self.pools.values() for name, waiting in pool.waiting.items()}

    @property
    def holders(self) -> set[str]:
        """Names of the jobs that hold capacity."""
        return {holder.name for pool in self.pools.values() for holder in (*pool.admitted, *pool.leaving)}


def settle(total: float, claims: Iterable[Claim], mode: RunningMode = RunningMode.STANDALONE) -> Pool:
    """Admit in order what fits; claims are of different holders, those that want of different names."""
    claims = list(claims)
    admitted = {claim.holder: kept for claim in claims if (kept := claim.kept) > 0}
    leaving = {claim.holder: withdrawn for claim in claims if (withdrawn := claim.withdrawn) > 0}
    used = sum(admitted.values()) + sum(leaving.values())
    queue: list[Claim] = []
    wanting = [claim for claim in claims if claim.kept < claim.wanted <= total]
    for claim in sorted(wanting, key=_rank):
        missing = claim.wanted - claim.kept
        if queue or used + missing > total:
            queue.append(claim)
        else:
            admitted[claim.holder] = claim.wanted
            used += missing
    live = sum(claim.live for claim in claims)
    return Pool(total, admitted, leaving, live, _places(queue, total, used, mode))


def _rank(claim: Claim) -> tuple[int, datetime, Holder]:
    return (-claim.priority, claim.created, claim.holder)


def _places(queue: list[Claim], total: float, used: float, mode: RunningMode) -> dict[str, Waiting]:
    return {
        claim.holder.name: Waiting(
            wanted=claim.wanted,
            missing=claim.wanted - claim.kept,
            place=place,
            total=total,
            used=used,
            mode=mode,
            priority=claim.priority,
            head=_head(queue[0]) if place > 1 else None,
        )
        for place, claim in enumerate(queue, start=1)
    }


def _head(claim: Claim) -> Head:
    return Head(claim.holder.name, claim.wanted - claim.kept, claim.priority)


def explain(waiting: Waiting) -> str:
    """The sentence that a queued job shows.

    ``needs 2 CU of standalone; 7 of 8 in use, 1 free; 3rd in the queue``, and where it would fit itself
    ``needs 1 CU of standalone; 2 of 8 are free, but meter-a (4 CU, priority 10) is ahead; 2nd in the queue``.
    """
    needs = f"needs {waiting.missing:g} CU of {words(waiting.mode)}"
    place = f"{_ordinal(waiting.place)} in the queue"
    head, free = waiting.head, max(waiting.free, 0)
    if head and waiting.missing <= free:
        why = f"priority {head.priority}" if head.priority != waiting.priority else "older"
        room = f"{free:g} of {waiting.total:g} {'is' if free == 1 else 'are'} free"
        return f"{needs}; {room}, but {head.name} ({head.missing:g} CU, {why}) is ahead; {place}"
    return f"{needs}; {waiting.used:g} of {waiting.total:g} in use, {free:g} free; {place}"


def words(mode: RunningMode) -> str:
    """A pool in a message, as ``spec.capacity`` names it."""
    return mode.value.lower()


def _ordinal(number: int) -> str:
    if number % 100 in {11, 12, 13}:
        return f"{number}th"
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
