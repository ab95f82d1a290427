"""What the policies of all templates share."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from streamjob_api.base import ApiModel
from streamjob_api.durations import Duration
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault

MAX_POLICIES = 200
DAY_MS = 86_400_000
ZERO = Duration.parse("0s")


@dataclass(frozen=True)
class Edge:
    """One point is calculated from another.

    Args:
        path: of the policy, below the job's spec.
    """

    input: PointRef
    output: PointRef
    path: str


class TemplateBlock(ApiModel):
    """The part of a job's spec that configures its template.

    ``BLOCK``: the field of the spec that holds it.
    """

    BLOCK: ClassVar[str]

    def edges(self) -> Iterator[Edge]:
        """Which points the job calculates from which."""
        raise NotImplementedError

    def outputs(self) -> list[PointRef]:
        """The points that the job writes, in the order of the manifest."""
        return list(dict.fromkeys(edge.output for edge in self.edges()))

    def inputs(self) -> list[PointRef]:
        """The points that the job reads, in the order of the manifest."""
        return list(dict.fromkeys(edge.input for edge in self.edges()))


def limited(value: Duration, field: str, *, at_least_ms: int = 0, at_most_ms: int = DAY_MS) -> Iterator[RuleFault]:
    """A duration of a policy or block stays within its limits."""
    if not at_least_ms <= value.milliseconds <= at_most_ms:
        lowest, highest = _short(at_least_ms), _short(at_most_ms)
        yield RuleFault(f"'{value}' is out of range; write {lowest} to {highest}", (field,))


def _short(milliseconds: int) -> str:
    units = (("d", DAY_MS), ("h", 3_600_000), ("m", 60_000), ("s", 1_000))
    for name, size in units:
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{name}"
    return f"{milliseconds}ms" if milliseconds else "0s"


def same_model(of: PointRef, others: Mapping[str, PointRef | None], role: str = "input") -> Iterator[RuleFault]:
    """What a policy names belongs to the model of its input, since results go to the asset that sent the data."""
    for field, ref in others.items():
        if ref is not None and ref.model != of.model:
            yield RuleFault(
                f"'{ref}' is of model '{ref.model}', but the {role} '{of}' of model '{of.model}'; "
                f"name a point of '{of.model}'",
                (field,),
            )


def distinct(refs: Mapping[str, PointRef | None]) -> Iterator[RuleFault]:
    """The points of one policy differ."""
    first: dict[PointRef, str] = {}
    for field, ref in refs.items():
        if ref is None:
            continue
        if ref in first:
            yield RuleFault(f"'{ref}' is also the {_words(first[ref])}; name another point", (field,))
        else:
            first[ref] = field


def unique_outputs(raw: Mapping[str, Any], *fields: str) -> Iterator[RuleFault]:
    """No two policies, as written, have the same output."""
    policies = raw.get("policies")
    if not isinstance(policies, list):
        return
    written = [
        (str(policy[field]), (number, field))
        for number, policy in enumerate(policies)
        if isinstance(policy, Mapping)
        for field in fields
        if isinstance(policy.get(field), str | PointRef)
    ]
    times = Counter(output for output, _ in written)
    seen: set[str] = set()
    for output, place in written:
        if times[output] > 1 and output in seen:
            yield RuleFault(
                f"'{output}' is written by an earlier policy too; name another output", ("policies", *place)
            )
        seen.add(output)


def no_loops(edges: Iterable[Edge]) -> Iterator[RuleFault]:
    """No output of a job finds its way back into its own inputs."""
    edges = list(edges)
    loop = find_loop(edges)
    if loop:
        yield RuleFault(f"a loop: {' -> '.join(map(str, loop))}; an output must not feed its own calculation")


def find_loop(edges: Sequence[Edge]) -> list[PointRef]:
    """The points of a loop, the first one again at its end; empty where there is none."""
    following: dict[PointRef, list[PointRef]] = {}
    for edge in edges:
        following.setdefault(edge.input, []).append(edge.output)
    done: set[PointRef] = set()
    for start, steps in following.items():
        trail: dict[PointRef, Iterator[PointRef]] = {start: iter(steps)} if start not in done else {}
        while trail:
            point = next(reversed(trail))
            step = next(trail[point], None)
            if step is None:
                done.add(point)
                del trail[point]
            elif step in trail:
                points = list(trail)
                return [*points[points.index(step) :], step]
            elif step not in done:
                trail[step] = iter(following.get(step, ()))
    return []


def _words(field: str) -> str:
    """``dailyOutput`` as ``daily output``."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in field)
