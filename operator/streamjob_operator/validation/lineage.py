"""Which jobs of an OU write and read which points: one writer for each point, and no loops.

Kept as an index, so that a verdict costs what its own job's neighbours are, not what the OU has.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TypeVar

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


@dataclass(frozen=True)
class Member:
    """A job, as the lineage of its OU knows it.

    Args:
        rank: age, then name: who of two jobs comes first.
        channel: a job reads what jobs of its own channel write, since each channel has its own topics.
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
        edges = tuple(edge for edge in block.edges() if edge.input not in elsewhere)
        return cls(uid, rank[1], rank, spec.message_channel, inputs, tuple(block.outputs()), edges)

    def path_of(self, output: PointRef) -> str:
        """The field that names an output."""
        paths = (edge.path for edge in self.edges if edge.output == output)
        return f"spec.{next(paths, 'template')}"


@dataclass(frozen=True)
class Step:
    """One point is calculated from another by a job."""

    edge: Edge
    member: Member


Loop = tuple[Step, ...]
_Node = tuple[MessageChannel, PointRef]


class Lineage:
    """The jobs of one OU that reserve their outputs. Drafts are no part of it.

    ``version`` changes whenever a job comes, changes or goes.
    """

    def __init__(self, members: Iterable[Member] = ()) -> None:
        self.version = 0
        self._members: dict[str, Member] = {}
        self._writers: dict[PointRef, dict[str, Member]] = {}
        self._readers: dict[_Node, dict[str, list[Step]]] = {}
        self._consumers: dict[_Node, dict[str, Member]] = {}
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
            self._consumers.setdefault((member.channel, point), {})[member.uid] = member
        for edge in member.edges:
            steps = self._readers.setdefault((member.channel, edge.input), {})
            steps.setdefault(member.uid, []).append(Step(edge, member))

    def drop(self, uid: str) -> None:
        """Forget a job."""
        member = self._members.pop(uid, None)
        if member is None:
            return
        self.version += 1
        for output in member.outputs:
            _forget(self._writers, output, uid)
        for point in member.inputs:
            _forget(self._consumers, (member.channel, point), uid)
        for edge in member.edges:
            _forget(self._readers, (member.channel, edge.input), uid)

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
        return tuple(sorted(point for point in member.inputs if self._is_written(point, member.channel, writes)))

    def loops(self, member: Member) -> list[Loop]:
        """The loops that a job closes with older ones: each shortest one, beginning with a step of the job itself."""
        if not self._can_loop(member):
            return []
        own: dict[PointRef, list[Step]] = {}
        for edge in member.edges:
            own.setdefault(edge.input, []).append(Step(edge, member))
        found: dict[frozenset[Step], Loop] = {}
        for step in (step for steps in own.values() for step in steps):
            way = self._way(step.edge.output, step.edge.input, member, own)
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
        upstream_points = {(member.channel, edge.input) for edge in member.edges}
        if not upstream_points.isdisjoint(node for node, _ in downstream):
            touched |= {uid for _, uid in downstream}
        for writer in (member, *(self._members[uid] for uid in tuple(touched))):
            touched |= {uid for output in writer.outputs for uid in self._consumers.get((writer.channel, output), {})}
        return touched - {member.uid}

    def _is_written(self, point: PointRef, channel: MessageChannel, writes: Callable[[Member], bool]) -> bool:
        return any(writer.channel is channel and writes(writer) for writer in self._writers.get(point, {}).values())

    def _can_loop(self, member: Member) -> bool:
        """Whether anything reads what the job writes, and anything writes what it reads: mostly not."""
        written = {edge.output for edge in member.edges}
        is_read = any((member.channel, output) in self._readers for output in written)
        is_fed = any(edge.input in self._writers or edge.input in written for edge in member.edges)
        return is_read and is_fed

    def _way(self, start: PointRef, end: PointRef, member: Member, own: Mapping[PointRef, list[Step]]) -> Loop | None:
        """The shortest way from one point to another, through older jobs and the job's own steps."""
        came: dict[PointRef, Step | None] = {start: None}
        waiting = deque([start])
        while waiting:
            point = waiting.popleft()
            if point == end:
                return _back(came, end)
            for step in chain(own.get(point, ()), self._older_steps(point, member)):
                if step.edge.output not in came:
                    came[step.edge.output] = step
                    waiting.append(step.edge.output)
        return None

    def _older_steps(self, point: PointRef, member: Member) -> Iterator[Step]:
        """By age, so that the same loop is shown whenever it is looked for."""
        every = self._readers.get((member.channel, point), {}).values()
        older = [steps for steps in every if steps[0].member.rank < member.rank]
        for steps in sorted(older, key=lambda steps: steps[0].member.rank):
            yield from steps

    def _reachable(self, member: Member) -> set[tuple[_Node, str]]:
        """Points downstream of a job, each with the job that writes it, whatever the jobs' age."""
        found: set[tuple[_Node, str]] = set()
        seen = set(member.outputs)
        waiting = deque(member.outputs)
        while waiting:
            point = waiting.popleft()
            for uid, steps in self._readers.get((member.channel, point), {}).items():
                for step in steps:
                    found.add(((member.channel, step.edge.output), uid))
                    if step.edge.output not in seen:
                        seen.add(step.edge.output)
                        waiting.append(step.edge.output)
        return found


def shown(loop: Loop) -> str:
    """``A::x -(job-1)-> A::y -(job-2)-> A::x``; of a very long one the beginning and the end."""
    steps = [f" -({step.member.name})-> {step.edge.output}" for step in loop]
    left_out = len(steps) - _SHOWN_STEPS
    if left_out > 0:
        steps[_SHOWN_STEPS - 1 : -1] = [f" -({left_out} more steps)-> {loop[-2].edge.output}"]
    return f"{loop[0].edge.input}{''.join(steps)}"


def _back(came: dict[PointRef, Step | None], end: PointRef) -> Loop:
    steps: list[Step] = []
    step = came[end]
    while step is not None:
        steps.append(step)
        step = came[step.edge.input]
    return tuple(reversed(steps))


def _forget(index: dict[KeyT, dict[str, ValueT]], key: KeyT, uid: str) -> None:
    known = index.get(key, {})
    known.pop(uid, None)
    if not known:
        index.pop(key, None)
