"""A pipeline's stages as a graph: in the order of their work, each with its parameters and what comes to it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from streamjob_api.calculators.conditions import never_coming
from streamjob_api.calculators.flow import Flow
from streamjob_api.calculators.node import Node
from streamjob_api.calculators.order import ordered
from streamjob_api.calculators.own_topics import topic_faults
from streamjob_api.calculators.stages import SOURCE, Stage, parameters_of
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault


@dataclass(frozen=True)
class Graph:
    """A pipeline that nothing is wrong with.

    Attributes:
        nodes: each behind those that it reads.
        inputs: the points that the job reads, in the order of the manifest.
    """

    nodes: tuple[Node, ...]
    inputs: tuple[PointRef, ...]

    @cached_property
    def stateful(self) -> tuple[Node, ...]:
        """The stages that keep anything, by their names."""
        kept = (node for node in self.nodes if node.parameters.keeps_state())
        return tuple(sorted(kept, key=lambda node: node.stage.name))

    @property
    def under_state(self) -> tuple[Node, ...]:
        """The stages that keep anything, and all before them, on which what they keep rests; by their names."""
        names = {node.stage.name for node in self.stateful}
        for node in reversed(self.nodes):
            if node.stage.name in names:
                names.update(node.stage.from_)
        found = (node for node in self.nodes if node.stage.name in names)
        return tuple(sorted(found, key=lambda node: node.stage.name))

    @property
    def results(self) -> Iterator[tuple[Node, PointRef]]:
        """The points that leave the pipeline through the results' topic, with the stages that give them."""
        last = (node for node in self.nodes if node.is_last and node.parameters.topic_written() is None)
        return ((node, point) for node in last for point in node.given.points)

    @property
    def topics_read(self) -> dict[PointRef, str]:
        """The inputs that come through topics of their own, with these."""
        read = ((node.parameters.topic_read(), node.coming.points) for node in self.nodes)
        return {point: topic for topic, points in read if topic is not None for point in points}

    @property
    def topics_written(self) -> tuple[str, ...]:
        """The topics of their own that stages write to."""
        written = (node.parameters.topic_written() for node in self.nodes)
        return tuple(sorted({topic for topic in written if topic is not None}))

    @property
    def numbers(self) -> frozenset[PointRef]:
        """Points of the topic whose values have to be numbers, for a stage needs them or what is made of them."""
        found: set[PointRef] = set()
        for node in self.nodes:
            for point in node.parameters.numbers():
                made = node.coming.of(point)
                if made is not None and made.type is None:
                    found |= made.sources
        return frozenset(found)


@dataclass
class Wiring:
    """Puts stages together; what is wrong with them is collected.

    Attributes:
        faults: their paths begin at the pipeline.
    """

    stages: Sequence[Stage]
    faults: list[RuleFault]

    def graph(self) -> Graph | None:
        """Return the graph; None where there are faults."""
        numbers = {stage.name: number for number, stage in enumerate(self.stages)}
        read = {before for stage in self.stages for before in stage.from_}
        flows: dict[str, Flow] = {SOURCE: Flow(is_open=True)}
        inputs: dict[PointRef, None] = {}
        nodes: list[Node] = []
        for name in ordered([(stage.name, stage.from_) for stage in self.stages]):
            stage = self.stages[numbers[name]]
            own = parameters_of(stage)
            before = Flow.joined(flows[each] for each in stage.from_)
            taken = own.takes()
            coming = before if taken is None else before.drawn(taken)
            if before.is_open and taken is not None:
                inputs |= dict.fromkeys(sorted(taken - {*before.points}))
            flows[stage.name] = own.gives(coming)
            nodes.append(Node(numbers[name], stage, own, coming, flows[stage.name], stage.name not in read))
            self.faults += self._flow_faults(nodes[-1], before)
        self.faults += topic_faults(nodes)
        self.faults += self._result_faults(nodes, inputs)
        return None if self.faults else Graph(tuple(nodes), tuple(inputs))

    def _flow_faults(self, node: Node, before: Flow) -> Iterator[RuleFault]:
        """What a stage works on comes to it, and is of a type that fits."""
        place = ("stages", node.number)
        for point in sorted(node.parameters.takes() or ()):
            if before.of(point) is None:
                yield RuleFault(f"no record of '{point}' comes from {_words(node.stage)}; {before.words}", place)
        if node.stage.precondition is not None:
            yield from _below(place, never_coming(node.stage.precondition, node.coming, "precondition"))
        yield from _below(place, node.parameters.misfits(node.coming))
        for point in sorted(node.parameters.numbers()):
            made = node.coming.of(point)
            if made is not None and made.type is not None and not made.type.is_number:
                yield RuleFault(f"'{point}' comes as {made.type.words}, but a number is needed", place)

    def _result_faults(self, nodes: Sequence[Node], inputs: Mapping[PointRef, None]) -> Iterator[RuleFault]:
        """Something is read; results are known, and none of them is an input of the job."""
        is_open = any(node.is_last and node.given.is_open for node in nodes)
        if not inputs and not is_open:
            yield RuleFault("no stage names a point of the topic; begin with a point-selector", ("stages",))
        for node in nodes:
            place = ("stages", node.number)
            if node.is_last and node.given.is_open:
                message = "gives whatever the topic holds; begin with a point-selector, which names the points"
                yield RuleFault(message, place)
            is_result = node.is_last and node.parameters.topic_written() is None
            for point in sorted(node.given.points) if is_result else ():
                if point in inputs:
                    message = (
                        f"gives results of '{point}', which the job reads; end with a stage that has another output, "
                        "or with trash"
                    )
                    yield RuleFault(message, place)


def _words(stage: Stage) -> str:
    return " and ".join(f"'{name}'" for name in stage.from_)


def _below(place: tuple[str | int, ...], faults: Iterator[RuleFault]) -> Iterator[RuleFault]:
    return (RuleFault(fault.message, (*place, *fault.path)) for fault in faults)
