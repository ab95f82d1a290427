"""Template time-window-aggregation: extremes, averages, sums and counts of event-time windows."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from streamjob_api.base import ApiModel
from streamjob_api.data_types import ValueType
from streamjob_api.diffs import STATE_BREAKING
from streamjob_api.duration_limits import Latency, WindowLength
from streamjob_api.intervals import UNBOUNDED, Interval
from streamjob_api.names import NameCheck
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault
from streamjob_api.schema_marks import keyed_by, rules
from streamjob_api.templates.policies import (
    MAX_POLICIES,
    ZERO,
    Edge,
    TemplateBlock,
    distinct,
    no_loops,
    same_model,
    unique_outputs,
)


class WindowType(StrEnum):
    """The form of a window."""

    TUMBLING = "Tumbling"
    SLIDING = "Sliding"


class Aggregation(StrEnum):
    """What is calculated over the values of a window."""

    MAX = "max"
    MIN = "min"
    AVG = "avg"
    SUM = "sum"
    CNT = "cnt"
    COUNT = "count"

    @property
    def canonical(self) -> "Aggregation":
        """``count`` is an alias of ``cnt``."""
        return Aggregation.CNT if self is Aggregation.COUNT else self

    def result(self, of: ValueType | None) -> ValueType | None:
        """The type of the results, of values of this type."""
        if self.canonical is Aggregation.CNT:
            return ValueType.INT
        return of if self in {Aggregation.MAX, Aggregation.MIN} else ValueType.DOUBLE


class WindowInterpolation(StrEnum):
    """What happens with a value outside its threshold."""

    IGNORE = "Ignore"


class Duplicates(StrEnum):
    """What a second record of the same asset, point and time does."""

    KEEP_ALL = "KeepAll"
    REPLACE_SAME_TIME = "ReplaceSameTime"


class WindowPolicy(ApiModel):
    """One calculation: an input point, aggregated over windows into an output point of the same asset."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("output must differ from input", "self.input != self.output"),
            (
                "input and output must be points of the same model",
                "self.input.split('::')[0] == self.output.split('::')[0]",
            ),
        )
    )

    input: PointRef = Field(
        description="Point to aggregate; numeric.",
        examples=["ElectricMeter::Reading"],
        json_schema_extra=STATE_BREAKING,
    )
    threshold: Interval = Field(
        default=UNBOUNDED,
        description="Values that take part; round brackets exclude the bound, square ones include it.",
        examples=["[0, 100)"],
        json_schema_extra=STATE_BREAKING,
    )
    interpolation: WindowInterpolation = Field(
        default=WindowInterpolation.IGNORE,
        description="What happens with a value outside the threshold. Ignore: it takes no part.",
        json_schema_extra=STATE_BREAKING,
    )
    aggregation: Aggregation = Field(
        description="max, min, avg, sum or cnt (count is an alias) of the window's valid values.",
        examples=["max"],
        json_schema_extra=STATE_BREAKING,
    )
    window_size: WindowLength = Field(
        description="Length of the windows, anchored at 1970-01-01T00:00:00Z: whole seconds, 1s to 1d.",
        examples=["10m"],
        json_schema_extra=STATE_BREAKING,
    )
    slide: WindowLength | None = Field(
        default=None,
        description="Distance between the starts of sliding windows; required with windowType Sliding, and only there. "
        "It divides windowSize.",
        examples=["1m"],
        json_schema_extra=STATE_BREAKING,
    )
    output: PointRef = Field(
        description="Point of the results, of the input's model; a result's time is its window's start.",
        examples=["ElectricMeter::MaxReading10Min"],
        json_schema_extra=STATE_BREAKING,
    )

    def faults(self) -> Iterator[RuleFault]:
        """A slide divides its window; points of one model."""
        if self.slide is not None and self.window_size.milliseconds % self.slide.milliseconds:
            message = f"'{self.slide}' does not divide windowSize '{self.window_size}'; write a divisor of it"
            yield RuleFault(message, ("slide",))
        yield from distinct({"input": self.input, "output": self.output})
        yield from same_model(self.input, {"output": self.output})


class TimeWindowAggregation(TemplateBlock):
    """Configuration of the template time-window-aggregation."""

    BLOCK: ClassVar[str] = "timeWindowAggregation"

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "every policy needs a slide with windowType Sliding, and none has one with Tumbling",
                "self.policies.all(p, has(p.slide) == (has(self.windowType) && self.windowType == 'Sliding'))",
            ),
        )
    )

    window_type: WindowType = Field(
        default=WindowType.TUMBLING,
        description="Form of the windows. Tumbling: one after the other; Sliding: overlapping, one every 'slide'.",
        json_schema_extra=STATE_BREAKING,
    )
    latency: Latency = Field(
        default=ZERO,
        description="How long after a window's end late records still change its result; 0s ignores them. 0s to 1d.",
        examples=["1d"],
        json_schema_extra=STATE_BREAKING,
    )
    duplicates: Duplicates = Field(
        default=Duplicates.KEEP_ALL,
        description="What a second record of the same asset, point and time does. KeepAll: it counts too; "
        "ReplaceSameTime: it replaces the first. Results of other jobs always replace.",
        json_schema_extra=STATE_BREAKING,
    )
    policies: list[WindowPolicy] = Field(
        min_length=1,
        max_length=MAX_POLICIES,
        description="The calculations of the job, each with an output of its own.",
        json_schema_extra=keyed_by("output") | STATE_BREAKING,
    )

    @classmethod
    def faults_of_form(cls, raw: Mapping[str, Any]) -> Iterator[RuleFault]:
        """Outputs are unique."""
        return unique_outputs(raw, "output")

    def faults(self) -> Iterator[RuleFault]:
        """Slides go with sliding windows; no loops."""
        for number, policy in enumerate(self.policies):
            path = ("policies", number, "slide")
            if self.window_type is WindowType.SLIDING and policy.slide is None:
                yield RuleFault("required with windowType Sliding; write a divisor of windowSize, as in 1m", path)
            if self.window_type is WindowType.TUMBLING and policy.slide is not None:
                yield RuleFault("only with windowType Sliding; leave it out or change windowType", path)
        yield from no_loops(self.edges())

    def edges(self) -> Iterator[Edge]:
        """Each output comes from its policy's input."""
        for number, policy in enumerate(self.policies):
            yield Edge(policy.input, policy.output, f"{self.BLOCK}.policies[{number}].output")

    def check_names(self, names: NameCheck) -> None:
        """Inputs are numeric; outputs are of the input's point type and can hold the results."""
        for number, policy in enumerate(self.policies):
            path = f"{self.BLOCK}.policies[{number}]"
            source = names.numeric_point(policy.input, f"{path}.input")
            result = policy.aggregation.result(source.data_type.value_type if source else None)
            output = names.output(policy.output, f"{path}.output", result, policy.aggregation)
            if source:
                why = f"the input '{policy.input}' of {source.type}"
                names.of_type(output, policy.output, f"{path}.output", source.type, why)
