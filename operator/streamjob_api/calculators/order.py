"""In which order the stages of a pipeline work: each behind those that it reads."""

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from streamjob_api.calculators.stages import SOURCE
from streamjob_api.rule_faults import RuleFault
from streamjob_api.suggestions import did_you_mean

# A stage's name, and the names of those that it reads.
Reads = tuple[str, Sequence[str]]


def reads_of(stages: Any) -> list[Reads]:
    """Return what stages read, as it was written; nothing where any has no name, which may be one that others read."""
    written = [stage for stage in stages if isinstance(stage, Mapping)] if isinstance(stages, list) else []
    reads = [(stage.get("name"), stage.get("from")) for stage in written]
    told = [(name, before if isinstance(before, list) else []) for name, before in reads if isinstance(name, str)]
    return [(name, [*filter(_is_text, before)]) for name, before in told] if len(told) == len(written) else []


def order_faults(reads: Sequence[Reads]) -> Iterator[RuleFault]:
    """Yield a fault for each name that no stage has, and for stages that read each other in a circle."""
    names = {name for name, _ in reads}
    for number, (_, befores) in enumerate(reads):
        for place, before in enumerate(befores):
            if before not in {SOURCE, *names}:
                message = f"there is no stage '{before}'{did_you_mean(before, {SOURCE, *names})}"
                yield RuleFault(message, ("stages", number, "from", place))
    try:
        ordered(reads)
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        yield RuleFault(f"the stages read each other in a circle: {circle}; begin from '{SOURCE}'", ("stages",))


def ordered(reads: Sequence[Reads]) -> list[str]:
    """Return the stages' names, each behind those that it reads.

    Raises:
        CycleError: stages read each other.
    """
    names = {name for name, _ in reads}
    befores = {name: (names & {*before}) - {name} for name, before in reads}
    return [*TopologicalSorter(befores).static_order()]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
