"""Machines that match a whole text and find its groups in one pass over its bytes.

A shape (``message_shapes``) is unambiguous: at each byte there is one way to go on, whatever follows. For such an
expression the usual subset construction needs no search and no priorities, and what opens or closes a group can be
written at the steps. Where two ways lead on that would open or close different groups, there is no machine, and the
expression is matched otherwise (``extraction``).

Expressions are those of Rust's crate regex, of which shapes use what Python's parser reads alike.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from re import _constants as op
from re import _parser as parser
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_GROUPS = 32
_MAX_STATES = 4_000
_LOOK = 1 << 15
_ASCII = range(128)
_BEYOND_ASCII = frozenset(range(128, 256))
STATE = np.dtype(
    [(name, np.uint32) for name in ("run_start", "run_length", "run_next", "repeats", "accepts", "end_action")]
)


class NotOnePass(Exception):  # noqa: N818 (named for what was met)
    """An expression that has no machine."""


@dataclass(frozen=True)
class Machine:
    """Tables for ``streamjob_match`` (job_images/native/one_pass.c), state 0 being that of no match.

    Attributes:
        groups: names of the groups, in order.
        steps: ``(states, 256) u32``: the next state, from bit 16 the action, and in bit 15 whether there is an action,
            a run in the next state, or no match.
        states: STATE.
        actions: ``u64``, the slots that an action sets: bit 2g begins group g, bit 2g + 1 ends it; the first is 0.
        runs: bytes that ``run_start`` and ``run_length`` mean.
        first: the state before the first byte.
    """

    groups: tuple[str, ...]
    steps: NDArray[np.uint32]
    states: NDArray[np.void]
    actions: NDArray[np.uint64]
    runs: bytes
    first: int


@lru_cache(maxsize=64)
def machine_of(pattern: str) -> Machine | None:
    """Return the machine of an expression ``^...$``; None where it has none."""
    try:
        tree = parser.parse(pattern)
        groups = tuple(tree.state.groupdict)
        if len(groups) + 1 != tree.state.groups or len(groups) > MAX_GROUPS:
            return None
        graph = _Graph()
        return _Subsets(graph, graph.whole(list(tree))).machine(groups)
    except (NotOnePass, re.error, RecursionError):
        return None


@dataclass(frozen=True)
class _Step:
    """One of ``codes`` leads to node ``to``."""

    codes: frozenset[int]
    to: int


@dataclass(frozen=True)
class _Mark:
    """Sets a slot on the way to node ``to``."""

    slot: int
    to: int


@dataclass
class _Graph:
    """The expression as a graph, built from its end: a step by a byte, a mark, or a choice of nodes; node 0 accepts."""

    nodes: list[_Step | _Mark | tuple[int, ...]] = field(default_factory=lambda: [()])

    def whole(self, items: list[Any]) -> int:
        """Add an anchored expression; return its first node."""
        if items[:1] != [(op.AT, op.AT_BEGINNING)] or items[-1:] != [(op.AT, op.AT_END)]:
            raise NotOnePass
        return self._sequence(items[1:-1], 0, is_certain=True)

    def _add(self, node: _Step | _Mark | tuple[int, ...]) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _sequence(self, items: Iterable[Any], to: int, *, is_certain: bool) -> int:
        for operation, argument in reversed(list(items)):
            to = self._item(operation, argument, to, is_certain=is_certain)
        return to

    def _item(self, operation: Any, argument: Any, to: int, *, is_certain: bool) -> int:
        """Add an element of Python's tree that leads to a node. ``is_certain``: every match goes through it."""
        if operation is op.LITERAL:
            for code in reversed(chr(argument).encode()):
                to = self._add(_Step(frozenset([code]), to))
            return to
        if operation in {op.IN, op.NOT_LITERAL}:
            return self._add(_Step(_ascii(operation, argument), to))
        if operation is op.SUBPATTERN:
            return self._group(argument, to, is_certain=is_certain)
        if operation is op.BRANCH:
            return self._add(tuple(self._sequence(way, to, is_certain=False) for way in argument[1]))
        if operation is op.MAX_REPEAT:
            return self._repeat(argument, to)
        raise NotOnePass

    def _group(self, argument: tuple[Any, ...], to: int, *, is_certain: bool) -> int:
        number, added, removed, inner = argument
        if added or removed or (number is not None and not is_certain):
            raise NotOnePass  # a group that takes part in some matches only
        if number is None:
            return self._sequence(inner, to, is_certain=is_certain)
        end = self._add(_Mark(2 * number - 1, to))
        return self._add(_Mark(2 * number - 2, self._sequence(inner, end, is_certain=True)))

    def _repeat(self, argument: tuple[Any, Any, Any], to: int) -> int:
        least, most, inner = argument
        if most is op.MAXREPEAT:
            loop = self._add(())
            self.nodes[loop] = (self._once(inner, loop, is_any_often=least <= 1), to)
            to = loop
        else:
            for _ in range(most - least):
                to = self._add((self._once(inner, to), to))
        for _ in range(least):
            to = self._once(inner, to, is_any_often=most is op.MAXREPEAT and least == 1)
        return to

    def _once(self, inner: Any, to: int, *, is_any_often: bool = False) -> int:
        """One of some repetitions; any number of letters beyond ASCII are any number of their bytes."""
        if is_any_often and len(inner) == 1 and inner[0][0] in {op.IN, op.NOT_LITERAL}:
            operation, argument = inner[0]
            beyond = _BEYOND_ASCII if _is_negated(operation, argument) else frozenset[int]()
            return self._add(_Step(_ascii(operation, argument, may_be_beyond=True) | beyond, to))
        return self._sequence(inner, to, is_certain=False)


def _is_negated(operation: Any, argument: Any) -> bool:
    return operation is op.NOT_LITERAL or argument[0][0] is op.NEGATE


def _ascii(operation: Any, argument: Any, *, may_be_beyond: bool = False) -> frozenset[int]:
    """The ASCII codes of a class; one that holds letters beyond them has no machine where their bytes would count."""
    members = [(op.LITERAL, argument)] if operation is op.NOT_LITERAL else argument
    codes = frozenset(code for member in members for code in _codes(*member))
    if not _is_negated(operation, argument):
        return codes
    if not may_be_beyond:
        raise NotOnePass
    return frozenset(_ASCII) - codes


def _codes(operation: Any, argument: Any) -> Iterable[int]:
    if operation is op.NEGATE:
        return ()
    low, high = (argument, argument) if operation is op.LITERAL else argument if operation is op.RANGE else (0, 999)
    if high >= len(_ASCII):
        raise NotOnePass
    return range(low, high + 1)


_Ways = dict[int, tuple[frozenset[int], int]]  # byte to the next nodes and the slots set on the way


@dataclass
class _Subsets:
    """The states of a machine: sets of nodes from which a text may go on, numbered from 1."""

    graph: _Graph
    first: int
    numbers: dict[frozenset[int], int] = field(default_factory=dict)
    actions: dict[int, int] = field(default_factory=lambda: {0: 0})

    def machine(self, groups: tuple[str, ...]) -> Machine:
        """Number all states and write the tables."""
        first = self._number(frozenset([self.first]))
        rows, ends = [np.zeros(256, np.uint32)], [(0, 0)]
        waiting = list(self.numbers)
        for subset in waiting:  # grows on the way
            ways, end = self._ways(subset)
            row = np.zeros(256, np.uint32)
            for code, (to, slots) in ways.items():
                if to not in self.numbers:
                    waiting.append(to)
                row[code] = self._number(to) | self.actions.setdefault(slots, len(self.actions)) << 16
            rows.append(row)
            ends.append((0, 0) if end is None else (1, self.actions.setdefault(end, len(self.actions))))
        steps = np.stack(rows)
        states = np.zeros(len(rows), STATE)
        states["accepts"], states["end_action"] = np.array(ends, np.uint32).T
        states["repeats"] = (steps == np.arange(len(rows), dtype=np.uint32)[:, None]).any(axis=1)
        states["repeats"][0] = 0
        runs = _write_runs(steps, states)
        steps[(steps == 0) | (steps >= 1 << 16) | (states["run_length"][steps & 0xFFFF] > 0)] |= _LOOK
        return Machine(groups, steps, states, np.array(list(self.actions), np.uint64), runs, first)

    def _number(self, subset: frozenset[int]) -> int:
        if len(self.numbers) >= _MAX_STATES:
            raise NotOnePass
        return self.numbers.setdefault(subset, len(self.numbers) + 1)

    def _ways(self, subset: frozenset[int]) -> tuple[_Ways, int | None]:
        """Where each byte leads, and what the end of the text sets, if it may be here."""
        ways: _Ways = {}
        ends: set[int] = set()
        for node, slots in {way for start in subset for way in self._reached(start, 0, set())}:
            step = self.graph.nodes[node]
            if not isinstance(step, _Step):
                ends.add(slots)
                continue
            for code in step.codes:
                others, other_slots = ways.get(code, (frozenset[int](), slots))
                if slots != other_slots:
                    raise NotOnePass
                ways[code] = (others | {step.to}, slots)
        if len(ends) > 1:
            raise NotOnePass
        return ways, ends.pop() if ends else None

    def _reached(self, node: int, slots: int, seen: set[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Yield the steps, and the end, that can be reached without a byte, with the slots set on the way."""
        if (node, slots) in seen:
            return
        seen.add((node, slots))
        match self.graph.nodes[node]:
            case _Mark(slot=slot, to=to):
                yield from self._reached(to, slots | 1 << slot, seen)
            case tuple(choices) if node:
                for choice in choices:
                    yield from self._reached(choice, slots, seen)
            case _:
                yield node, slots


def _write_runs(steps: NDArray[np.uint32], states: NDArray[np.void]) -> bytes:
    """Note what must follow a state as it is, and return it: steps by one byte that neither set a slot nor may end."""
    only = ((steps != 0).sum(axis=1) == 1) & (states["accepts"] == 0) & (steps.max(axis=1) < 1 << 16)
    codes, following = steps.argmax(axis=1).tolist(), steps.max(axis=1).tolist()
    runs = bytearray()
    for first in np.flatnonzero(only).tolist():
        passed: dict[int, None] = {}
        now = first
        while only[now] and now not in passed and not states["run_length"][now]:
            passed[now] = None
            now = following[now]
        for number, state in enumerate(passed):
            states["run_start"][state], states["run_length"][state] = len(runs), len(passed) - number
            states["run_next"][state] = now
            runs.append(codes[state])
    return bytes(runs)
