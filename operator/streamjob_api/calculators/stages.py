"""One stage of a pipeline, as a manifest has it."""

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from streamjob_api import forms
from streamjob_api.base import ApiModel
from streamjob_api.calculators.catalogue import calculator_of, catalogue
from streamjob_api.calculators.conditions import condition_faults
from streamjob_api.calculators.parameters import StageParameters, parsed
from streamjob_api.diffs import RESTART, STATE_BREAKING
from streamjob_api.expressions import Expression
from streamjob_api.rule_faults import RuleFault, listed_twice
from streamjob_api.schema_marks import ANY_FIELDS, SET, rules
from streamjob_api.suggestions import did_you_mean

MAX_PARAMETERS = 50
# All parameters of all stages have to fit into a ConfigMap.
MAX_PARAMETERS_LENGTH = 16_384
MAX_PARAMETERS_DEPTH = 20
SOURCE = "source"  # the stage that every pipeline begins with

StageName = Annotated[str, StringConstraints(pattern=forms.LABEL.pattern, min_length=1, max_length=63)]
CalculatorName = Annotated[str, StringConstraints(pattern=forms.CALCULATOR.pattern, min_length=1, max_length=127)]

Quality = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]


class OnRecordError(StrEnum):
    """What happens with a record that a stage cannot handle."""

    DISCARD = "Discard"
    SEND_TO_ERROR = "SendToError"
    STOP_PIPELINE = "StopPipeline"


class Stage(ApiModel):
    """One step of a pipeline: a calculator, where its records come from, and its parameters."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("a stage cannot be named source, which is the topic", f"self.name != '{SOURCE}'"),
            ("a stage cannot read itself", "!(self.name in self.from)"),
        )
    )

    name: StageName = Field(
        description="Name of the stage, for 'from' of later ones; 'source' is taken by the topic.",
        examples=["select"],
        json_schema_extra=STATE_BREAKING,
    )
    calculator: CalculatorName = Field(
        description="Name of the calculator; one of another package is named package/calculator.",
        examples=["point-selector"],
        json_schema_extra=STATE_BREAKING,
    )
    from_: list[StageName] = Field(
        alias="from",
        min_length=1,
        max_length=10,
        description="Stages whose records this one gets; 'source' is the topic.",
        examples=[["source"]],
        json_schema_extra=SET | STATE_BREAKING,
    )
    parameters: dict[str, Any] = Field(
        default={},
        max_length=MAX_PARAMETERS,
        description="Parameters of the calculator, as its page describes them.",
        examples=[{"points": ["Meter::A"]}],
        json_schema_extra=ANY_FIELDS | STATE_BREAKING,
    )
    qualities: list[Quality] = Field(
        default=[],
        max_length=20,
        description="Only records of these qualities enter the stage; the others are counted as filteredQuality. A "
        "record without one has quality 0. Empty: records of any quality enter.",
        examples=[[0, 192]],
        json_schema_extra=SET | RESTART,
    )
    precondition: Expression | None = Field(
        default=None,
        description="Only records for which this expression is true enter the stage; the others count as failing ones.",
        examples=["${Meter::A} > 0"],
        json_schema_extra=STATE_BREAKING,
    )
    on_record_error: OnRecordError = Field(
        default=OnRecordError.SEND_TO_ERROR,
        description="What happens with a record that the stage cannot handle. Discard: it is counted; SendToError: it "
        "goes to the dead letters; StopPipeline: the job fails.",
        json_schema_extra=RESTART,
    )

    def faults(self) -> Iterator[RuleFault]:
        """A stage is not the source and does not read itself."""
        yield from self._large_parameters()
        if self.precondition is not None:
            yield from condition_faults(self.precondition, "precondition")
        if self.name == SOURCE:
            yield RuleFault("'source' is the topic's own name; choose another name", ("name",))
        for number, before in enumerate(self.from_):
            if before == self.name:
                yield RuleFault(f"'{before}' is the stage itself; name an earlier stage", ("from", number))
        yield from listed_twice("from", self.from_)
        yield from listed_twice("qualities", self.qualities)
        yield from self._parameter_faults()

    def _parameter_faults(self) -> Iterator[RuleFault]:
        calculator = calculator_of(self.calculator)
        if calculator is None:
            nearest = did_you_mean(self.calculator, catalogue())
            message = f"there is no calculator '{self.calculator}'{nearest or '; see the list of calculators'}"
            yield RuleFault(message, ("calculator",))
        elif not [*self._large_parameters()]:
            _, faults = parsed(calculator, self.parameters)
            yield from (RuleFault(fault.message, ("parameters", *fault.path)) for fault in faults)

    def _large_parameters(self) -> Iterator[RuleFault]:
        if _depth(self.parameters) > MAX_PARAMETERS_DEPTH:
            yield RuleFault(f"nested more than {MAX_PARAMETERS_DEPTH} levels deep; write them flatter", ("parameters",))
        elif len(json.dumps(self.parameters)) > MAX_PARAMETERS_LENGTH:
            message = f"longer than {MAX_PARAMETERS_LENGTH} characters as JSON; keep large data in a service"
            yield RuleFault(message, ("parameters",))


def parameters_of(stage: Stage) -> StageParameters:
    """Return the parameters of a valid stage."""
    calculator = calculator_of(stage.calculator)
    if calculator is None:
        raise TypeError("a valid stage has a calculator")
    return calculator.model_validate(stage.parameters, by_alias=True, by_name=False)


def _depth(value: Any) -> int:
    """How many lists and mappings a value has inside each other; counting ends soon after the limit."""
    depth, level = 0, [value]
    while level and depth <= MAX_PARAMETERS_DEPTH:
        inner = [each for each in level if isinstance(each, Mapping | list)]
        level = [part for each in inner for part in (each.values() if isinstance(each, Mapping) else each)]
        depth += bool(inner)
    return depth
