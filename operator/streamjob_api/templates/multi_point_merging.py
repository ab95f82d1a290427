"""Template multi-point-merging: an expression over several points of one asset."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field

from streamjob_api.base import ApiModel
from streamjob_api.diffs import STATE_BREAKING
from streamjob_api.duration_limits import Latency, between
from streamjob_api.durations import Duration
from streamjob_api.expressions import Expression, value_type
from streamjob_api.names import NameCheck
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault
from streamjob_api.schema_marks import keyed_by, rules
from streamjob_api.templates.policies import (
    MAX_POLICIES,
    ZERO,
    Edge,
    TemplateBlock,
    no_loops,
    unique_outputs,
)

# A year: an older last value says nothing that anyone would merge.
_Age = Annotated[Duration, between("1s", "366d")]


class TriggerMode(StrEnum):
    """What makes a job calculate."""

    POINT = "Point"
    FREQUENCY = "Frequency"


class TriggerInterpolation(StrEnum):
    """Which values the points that did not trigger have."""

    LAST_VALUE = "LastValue"


class Frequency(StrEnum):
    """Periods of a frequency trigger."""

    S1, S5, S10, S30 = "1s", "5s", "10s", "30s"
    M1, M5, M10, M30, H1 = "1m", "5m", "10m", "30m", "1h"


class Trigger(ApiModel):
    """What makes the job calculate."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("every is required with mode Frequency, and only there", "(self.mode == 'Frequency') == has(self.every)"),
            ("interpolation goes with mode Point", "self.mode == 'Point' || !has(self.interpolation)"),
        )
    )

    mode: TriggerMode = Field(
        description="Point: each record of a policy's triggerPoint; Frequency: the clock, every 'every'.",
        examples=["Frequency"],
        json_schema_extra=STATE_BREAKING,
    )
    interpolation: TriggerInterpolation | None = Field(
        default=None,
        description="Mode Point: the other points have their last values (LastValue, the only choice).",
        examples=["LastValue"],
        json_schema_extra=STATE_BREAKING,
    )
    every: Frequency | None = Field(
        default=None,
        description="Mode Frequency: the period, 1s, 5s, 10s, 30s, 1m, 5m, 10m, 30m or 1h; a result's time is the "
        "tick, a multiple of the period.",
        examples=["10m"],
        json_schema_extra=STATE_BREAKING,
    )

    def faults(self) -> Iterator[RuleFault]:
        """A period goes with the clock, an interpolation with points."""
        if self.mode is TriggerMode.FREQUENCY and self.every is None:
            yield RuleFault(f"required with mode Frequency; write one of {', '.join(Frequency)}", ("every",))
        if self.mode is TriggerMode.POINT and self.every is not None:
            yield RuleFault("only with mode Frequency; leave it out or change the mode", ("every",))
        if self.mode is TriggerMode.FREQUENCY and self.interpolation is not None:
            yield RuleFault("only with mode Point; leave it out or change the mode", ("interpolation",))


class MergingPolicy(ApiModel):
    """One calculation: an expression over points and attributes of one model."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("triggerPoint must differ from output", "!has(self.triggerPoint) || self.triggerPoint != self.output"),
            (
                "triggerPoint and output must be points of the same model",
                "!has(self.triggerPoint) || self.triggerPoint.split('::')[0] == self.output.split('::')[0]",
            ),
        )
    )

    trigger_point: PointRef | None = Field(
        default=None,
        description="Point each of whose records calculates once; required with trigger mode Point, and only there.",
        examples=["Meter::A"],
        json_schema_extra=STATE_BREAKING,
    )
    logic: Expression = Field(
        description="Expression over the last values of points and attributes, written ${model::point}.",
        examples=["${Meter::A} - ${Meter::B}"],
        json_schema_extra=STATE_BREAKING,
    )
    max_age: _Age | None = Field(
        default=None,
        description="How old a last value may be, measured from the result's time; an older one counts as missing. "
        "Left out: no limit.",
        examples=["1h"],
        json_schema_extra=STATE_BREAKING,
    )
    output: PointRef = Field(
        description="Point of the results, of the model that the expression reads.",
        examples=["Meter::C"],
        json_schema_extra=STATE_BREAKING,
    )

    def faults(self) -> Iterator[RuleFault]:
        """All that is named is of one model; nothing feeds itself."""
        if self.trigger_point == self.output:
            yield RuleFault(f"'{self.output}' is also the trigger point; name another point", ("output",))
        if self.trigger_point is not None and self.trigger_point.model != self.output.model:
            message = f"'{self.trigger_point}' is of another model than the output '{self.output}'; "
            yield RuleFault(f"{message}name a point of '{self.output.model}'", ("triggerPoint",))
        for fault in value_type(self.logic, lambda _: None).faults:
            yield RuleFault(str(fault), ("logic",))
        if not self.logic.variables:
            yield RuleFault("reads no point; name at least one, as in ${Meter::A}", ("logic",))
        for variable in sorted(self.logic.variables):
            if variable.model != self.output.model:
                message = f"'{variable}' is of another model than the output '{self.output}'; "
                yield RuleFault(f"{message}name a point of '{self.output.model}'", ("logic",))
            if variable == self.output:
                yield RuleFault(f"'{variable}' is the output; an output must not feed its own calculation", ("logic",))


class MultiPointMerging(TemplateBlock):
    """Configuration of the template multi-point-merging."""

    BLOCK: ClassVar[str] = "multiPointMerging"

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "every policy needs a triggerPoint with trigger mode Point, and none has one with Frequency",
                "self.policies.all(policy, has(policy.triggerPoint) == (self.trigger.mode == 'Point'))",
            ),
        )
    )

    trigger: Trigger = Field(description="What makes the job calculate.")
    latency: Latency = Field(
        default=ZERO,
        description="How long a record may wait to be put in order; 0s drops what is out of order. 0s to 1d. "
        "With trigger mode Frequency the latest value counts at once, and it has no effect.",
        examples=["10m"],
        json_schema_extra=STATE_BREAKING,
    )
    policies: list[MergingPolicy] = Field(
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
        """Trigger points go with trigger mode Point; no loops."""
        for number, policy in enumerate(self.policies):
            path = ("policies", number, "triggerPoint")
            if self.trigger.mode is TriggerMode.POINT and policy.trigger_point is None:
                yield RuleFault("required with trigger mode Point; name the point whose records calculate", path)
            if self.trigger.mode is TriggerMode.FREQUENCY and policy.trigger_point is not None:
                yield RuleFault("only with trigger mode Point; leave it out or change trigger.mode", path)
        yield from no_loops(edge for edge in self.edges() if edge.input != edge.output)

    def edges(self) -> Iterator[Edge]:
        """Each output comes from what its expression reads, and from its trigger."""
        for number, policy in enumerate(self.policies):
            trigger = {policy.trigger_point} if policy.trigger_point is not None else set()
            for read in sorted(policy.logic.variables | trigger):
                yield Edge(read, policy.output, f"{self.BLOCK}.policies[{number}].output")

    def check_names(self, names: NameCheck) -> None:
        """Triggers, variables and outputs are there; types fit within each expression and with its output."""
        for number, policy in enumerate(self.policies):
            path = f"{self.BLOCK}.policies[{number}]"
            if policy.trigger_point is not None:
                names.point(policy.trigger_point, f"{path}.triggerPoint")
            result = names.expression(policy.logic, f"{path}.logic")
            if self.trigger.mode is TriggerMode.FREQUENCY:
                names.some_point(policy.logic, f"{path}.logic")
            names.output(policy.output, f"{path}.output", result, "the logic", converts=True)
