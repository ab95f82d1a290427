"""What the policies of all templates share."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from streamjob_api.base import ApiModel
from streamjob_api.durations import Duration
from streamjob_api.names import NameCheck
from streamjob_api.points import AttributeRef, PointRef
from streamjob_api.rule_faults import RuleFault

MAX_POLICIES = 200
ZERO = Duration.parse("0s")


@dataclass(frozen=True)
class Edge:
    """One point is calculated from another.

    Args:
        path: of the field that names the output, below the job's spec.
        read_from: the topic that the input comes through; None: one of the OU's.
        written_to: the topic that the output leaves through; None: that of the results.
    """

    input: PointRef
    output: PointRef
    path: str
    read_from: str | None = None
    written_to: str | None = None


class TemplateBlock(ApiModel):
    """The part of a job's spec that configures its template.

    ``BLOCK``: the field of the spec that holds it.
    """

    BLOCK: ClassVar[str]

    def edges(self) -> Iterator[Edge]:
        """Which points the job calculates from which."""
        raise NotImplementedError

    def outputs(self) -> list[PointRef]:
        """The points of the job's results, in the order of the manifest."""
        return list(dict.fromkeys(edge.output for edge in self.edges() if edge.written_to is None))

    def inputs(self) -> list[PointRef]:
        """The points that the job reads, in the order of the manifest."""
        return list(dict.fromkeys(edge.input for edge in self.edges()))

    def topics_read(self) -> Mapping[PointRef, str]:
        """The inputs that come through topics of their own, with these; they are no results of other jobs."""
        return {}

    def topics_written(self) -> tuple[str, ...]:
        """The topics that records leave through beside that of the results."""
        return ()

    def check_names(self, names: NameCheck) -> None:
        """Ask about every point and attribute that the block names."""
        raise NotImplementedError


def same_model(of: PointRef, others: Mapping[str, PointRef | None]) -> Iterator[RuleFault]:
    """What a policy names belongs to the model of its input, since results go to the asset that sent the data."""
    for field, ref in others.items():
        if ref is not None and ref.model != of.model:
            message = f"'{ref}' is of model '{ref.model}', but the input '{of}' of model '{of.model}'"
            what = "an attribute" if isinstance(ref, AttributeRef) else "a point"
            yield RuleFault(f"{message}; name {what} of '{of.model}'", (field,))


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
    """No two policies, as written, have the same output; ``distinct`` tells it of one policy."""
    policies = raw.get("policies")
    first: dict[str, int] = {}
    for number, policy in enumerate(policies if isinstance(policies, list) else ()):
        for field in fields if isinstance(policy, Mapping) else ():
            output = policy.get(field)
            if isinstance(output, str | PointRef) and first.setdefault(str(output), number) != number:
                message = f"'{output}' is written by an earlier policy too; name another output"
                yield RuleFault(message, ("policies", number, field))


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
