"""Which jobs of an OU write and read which points: one writer for each point, and no loops.

A point of results has one writer in the OU; in a topic of pipelines' own it may have several, which are looked at for
loops alone. Kept as an index, so that a verdict costs what its own job's neighbours are, not what the OU has.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import NamedTuple, TypeVar

from streamjob_api.points import PointRef
from streamjob_api.stream_job import MessageChannel, StreamJobSpec
from streamjob_api.templates import Edge

# Loops that one message shows.
_SHOWN_LOOPS = 3
# Steps of one loop that it shows; most have two or three.
_SHOWN_STEPS = 12

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")
Rank = tuple[datetime, str]


class Place(NamedTuple):
    """Where jobs hand records of a point to each other: the results of a channel, or a topic of their own."""

    point: PointRef
    channel: MessageChannel | None
    topic: str | None

    def __str__(self) -> str:
        return f"{self.point} in '{self.topic}'" if self.topic else str(self.point)


@dataclass(frozen=True)
class Member:
    """A job, as the lineage of its OU knows it.

    Args:
        rank: age, then name: who of two jobs comes first.
        channel: a job reads what jobs of its own channel write, since each channel has its own topics.
        inputs: those that come through the OU's topics.
    """

    uid: str
    name: str
    rank: Rank
    channel: MessageChannel
    inputs: tuple[PointRef, ...]
    outputs: tuple[PointRef, ...]
    edges: tuple[Edge, ...]

    @classmethod
    def of(cls, uid: str, rank: Rank, spec: StreamJobSpec) -> "Member":
        """The member that a job is."""
        block = spec.block
        elsewhere = block.topics_read()
        inputs = tuple(point for point in block.inputs() if point not in elsewhere)
        return cls(uid, rank[1], rank, spec.message_channel, inputs, tuple(block.outputs()), tuple(block.edges()))

    def path_of(self, output: PointRef) -> str:
        """The field that names an output."""
        paths = (edge.path for edge in self.edges if edge.output == output and edge.written_to is None)
        return f"spec.{next(paths, 'template')}"

    def place(self, point: PointRef, topic: str | None = None) -> Place:
        """Where the job reads or writes a point."""
        return Place(point, self.channel if topic is None else None, topic)

    def steps(self) -> "Iterator[Step]":
        """The edges, as they lead from place to place."""
        for edge in self.edges:
            read, written = self.place(edge.input, edge.read_from), self.place(edge.output, edge.written_to)
            yield Step(read, written, edge.path, self)


@dataclass(frozen=True)
class Step:
    """A job calculates what it writes to one place from what it reads at another.

    Args:
        path: of the field that names the output, below the job's spec.
    """

    read: Place
    written: Place
    path: str
    member: Member


Loop = tuple[Step, ...]


class Lineage:
    """The jobs of one OU that reserve their outputs. Drafts are no part of it.

    ``version`` changes whenever a job comes, changes or goes.
    """

    def __init__(self, members: Iterable[Member] = ()) -> None:
        self.version = 0
        self._members: dict[str, Member] = {}
        self._writers: dict[PointRef, dict[str, Member]] = {}
        self._feeders: dict[Place, dict[str, Member]] = {}
        self._readers: dict[Place, dict[str, list[Step]]] = {}
        self._consumers: dict[Place, dict[str, Member]] = {}
        for member in members:
            self.put(member)

    def put(self, member: Member) -> None:
        """Take in a job, in place of what it was before."""
        self.drop(member.uid)
        self.version += 1
        self._members[member.uid] = member
        for output in member.outputs:
            self._writers.setdefault(output, {})[member.uid] = member
        for point in member.inputs:
            self._consumers.setdefault(member.place(point), {})[member.uid] = member
        for step in member.steps():
            self._feeders.setdefault(step.written, {})[member.uid] = member
            self._readers.setdefault(step.read, {}).setdefault(member.uid, []).append(step)

    def drop(self, uid: str) -> None:
        """Forget a job."""
        member = self._members.pop(uid, None)
        if member is None:
            return
        self.version += 1
        for output in member.outputs:
            _forget(self._writers, output, uid)
        for point in member.inputs:
            _forget(self._consumers, member.place(point), uid)
        for step in member.steps():
            _forget(self._feeders, step.written, uid)
            _forget(self._readers, step.read, uid)

    def member(self, uid: str) -> Member | None:
        """A job that is part of the lineage."""
        return self._members.get(uid)

    def rivals(self, member: Member) -> Iterator[tuple[PointRef, Member]]:
        """Outputs that older jobs write too, each with the oldest of them."""
        for output in member.outputs:
            older = [other for other in self._writers.get(output, {}).values() if other.rank < member.rank]
            if older:
                yield output, min(older, key=lambda other: other.rank)

    def calculated(self, member: Member, writes: Callable[[Member], bool]) -> tuple[PointRef, ...]:
        """Inputs that a job of the same channel writes, itself included, in a stable order.

        Args:
            writes: whether a job counts as the writer of its outputs. That it runs is not asked for: a job that is
                paused for a while must not turn its readers to another topic.
        """
        return tuple(
            sorted(
                point
                for point in member.inputs
                if any(writes(writer) for writer in self._feeders.get(member.place(point), {}).values())
            )
        )

    def loops(self, member: Member) -> list[Loop]:
        """The loops that a job closes with older ones: each shortest one, beginning with a step of the job itself."""
        if not self._can_loop(member):
            return []
        own: dict[Place, list[Step]] = {}
        for step in member.steps():
            own.setdefault(step.read, []).append(step)
        found: dict[frozenset[Step], Loop] = {}
        for step in (step for steps in own.values() for step in steps):
            way = self._way(step.written, step.read, member, own)
            if way is not None:
                found.setdefault(frozenset({step, *way}), (step, *way))
            if len(found) == _SHOWN_LOOPS:
                break
        return list(found.values())

    def neighbours(self, member: Member) -> set[str]:
        """UIDs of the jobs whose verdict may rest on this one.

        Rivals for an output and all on a loop through it: this job may stand in their way. And those that read what it
        or one of these writes: a job that is refused feeds nobody.
        """
        touched = {uid for output in member.outputs for uid in self._writers.get(output, {})}
        downstream = self._reachable(member)
        if not {step.read for step in member.steps()}.isdisjoint(place for place, _ in downstream):
            touched |= {uid for _, uid in downstream}
        for writer in (member, *(self._members[uid] for uid in tuple(touched))):
            touched |= {uid for output in writer.outputs for uid in self._consumers.get(writer.place(output), {})}
        return touched - {member.uid}

    def _can_loop(self, member: Member) -> bool:
        """Whether anything reads what the job writes, and anything writes what it reads: mostly not."""
        steps = list(member.steps())
        written = {step.written for step in steps}
        is_fed = any(step.read in self._feeders or step.read in written for step in steps)
        return is_fed and not written.isdisjoint(self._readers)

    def _way(self, start: Place, end: Place, member: Member, own: Mapping[Place, list[Step]]) -> Loop | None:
        """The shortest way from one place to another, through older jobs and the job's own steps."""
        came: dict[Place, Step | None] = {start: None}
        waiting = deque([start])
        while waiting:
            place = waiting.popleft()
            if place == end:
                return _back(came, end)
            for step in chain(own.get(place, ()), self._older_steps(place, member)):
                if step.written not in came:
                    came[step.written] = step
                    waiting.append(step.written)
        return None

    def _older_steps(self, place: Place, member: Member) -> Iterator[Step]:
        """By age, so that the same loop is shown whenever it is looked for."""
        every = self._readers.get(place, {}).values()
        older = [steps for steps in every if steps[0].member.rank < member.rank]
        for steps in sorted(older, key=lambda steps: steps[0].member.rank):
            yield from steps

    def _reachable(self, member: Member) -> set[tuple[Place, str]]:
        """Places downstream of a job, each with the job that writes there, whatever the jobs' age."""
        found: set[tuple[Place, str]] = set()
        seen = {step.written for step in member.steps()}
        waiting = deque(seen)
        while waiting:
            for uid, steps in self._readers.get(waiting.popleft(), {}).items():
                for step in steps:
                    found.add((step.written, uid))
                    if step.written not in seen:
                        seen.add(step.written)
                        waiting.append(step.written)
        return found


def shown(loop: Loop) -> str:
    """``A::x -(job-1)-> A::y -(job-2)-> A::x``; of a very long one the beginning and the end."""
    steps = [f" -({step.member.name})-> {step.written}" for step in loop]
    left_out = len(steps) - _SHOWN_STEPS
    if left_out > 0:
        steps[_SHOWN_STEPS - 1 : -1] = [f" -({left_out} more steps)-> {loop[-2].written}"]
    return f"{loop[0].read}{''.join(steps)}"


def _back(came: dict[Place, Step | None], end: Place) -> Loop:
    steps: list[Step] = []
    step = came[end]
    while step is not None:
        steps.append(step)
        step = came[step.read]
    return tuple(reversed(steps))


def _forget(index: dict[KeyT, dict[str, ValueT]], key: KeyT, uid: str) -> None:
    known = index.get(key, {})
    known.pop(uid, None)
    if not known:
        index.pop(key, None)
