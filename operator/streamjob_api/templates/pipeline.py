"""Template pipeline: packaged calculators, wired by names into a graph."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar

from pydantic import Field

from streamjob_api.calculators import Graph, Stage
from streamjob_api.calculators.foreign import Foreign
from streamjob_api.calculators.graph import Wiring
from streamjob_api.calculators.order import order_faults, reads_of
from streamjob_api.diffs import STATE_BREAKING
from streamjob_api.faults import path_text
from streamjob_api.names import NameCheck
from streamjob_api.permissions import Permissions
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault
from streamjob_api.schema_marks import keyed_by
from streamjob_api.templates.policies import Edge, TemplateBlock

MAX_STAGES = 50


class Pipeline(TemplateBlock):
    """Configuration of the template pipeline."""

    BLOCK: ClassVar[str] = "pipeline"

    stages: list[Stage] = Field(
        min_length=1,
        max_length=MAX_STAGES,
        description="The stages, wired by 'from' into a graph without cycles. What those give that no other one reads "
        "are the job's results. A change of a stage that keeps no state, and stands before none that does, is Restart.",
        json_schema_extra=keyed_by("name") | STATE_BREAKING,
    )

    @classmethod
    def faults_of_form(cls, raw: Mapping[str, Any]) -> Iterator[RuleFault]:
        """Names are unique, and stages read stages that there are."""
        stages = raw.get("stages")
        named = [
            (str(stage["name"]), number)
            for number, stage in enumerate(stages if isinstance(stages, list) else ())
            if isinstance(stage, Mapping) and isinstance(stage.get("name"), str)
        ]
        times = Counter(name for name, _ in named)
        for name, number in named:
            if times[name] > 1 and (name, number) != next(each for each in named if each[0] == name):
                yield RuleFault(f"'{name}' is the name of an earlier stage; choose another", ("stages", number, "name"))
        yield from order_faults(reads_of(stages))

    def faults(self) -> Iterator[RuleFault]:
        """Stages get what their calculators work on."""
        wiring = Wiring(self.stages, [])
        wiring.graph()
        yield from wiring.faults

    @cached_property
    def graph(self) -> Graph:
        """The stages in the order of their work."""
        graph = Wiring(self.stages, []).graph()
        if graph is None:
            raise TypeError("a valid pipeline has a graph")
        return graph

    def not_installed(self) -> Iterator[str]:
        """What keeps the pipeline from being run here: calculators whose packages are installed elsewhere at best."""
        for node in self.graph.nodes:
            if isinstance(node.parameters, Foreign):
                name = node.stage.calculator
                path = f"spec.{self.BLOCK}.stages[{node.number}].calculator"
                yield f"{path}: '{name}' is of the package '{name.partition('/')[0]}', which is not installed here"

    def not_allowed(self, allowed: Permissions) -> Iterator[str]:
        """What stages do that the OU's StreamResource does not allow."""
        for node in self.graph.nodes:
            for fault in node.parameters.check_allowed(allowed):
                path = path_text((self.BLOCK, "stages", node.number, "parameters", *fault.path), "spec")
                yield f"{path}: {fault.message}"

    def edges(self) -> Iterator[Edge]:
        """What leaves the pipeline comes from the points of the topics that it is made of."""
        read = self.graph.topics_read
        for node in (node for node in self.graph.nodes if node.is_last):
            topic, place = node.parameters.topic_written(), f"{self.BLOCK}.stages[{node.number}]"
            path = place if topic is None else f"{place}.parameters.topic"
            for output, made in node.given.points.items():
                for source in sorted(made.sources):
                    yield Edge(source, output, path, read.get(source), topic)

    def inputs(self) -> list[PointRef]:
        """All points that are read, whether results are made of them or not."""
        return list(self.graph.inputs)

    def topics_read(self) -> Mapping[PointRef, str]:
        """The points of stages that read topics."""
        return self.graph.topics_read

    def topics_written(self) -> tuple[str, ...]:
        """The topics of stages that write."""
        return self.graph.topics_written

    def check_names(self, names: NameCheck) -> None:
        """Inputs and results are there, and of types that fit; what only stages know of, no thing model needs."""
        unasked, numbers = {*self.graph.inputs}, self.graph.numbers
        for node in self.graph.nodes:
            path = f"{self.BLOCK}.stages[{node.number}]"
            for point in sorted(unasked & (node.parameters.takes() or frozenset())):
                (names.numeric_point if point in numbers else names.point)(point, path)
            unasked -= node.parameters.takes() or frozenset()
            node.parameters.check_names(names, f"{path}.parameters")
        for node, output in self.graph.results:
            made = node.given.points[output]
            kind = made.type or (names.common_type(made.sources) if made.is_typed else None)
            names.output(output, f"{self.BLOCK}.stages[{node.number}]", kind, "the stage")
