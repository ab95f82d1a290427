"""What the templates energy-by-meter-reading, energy-by-instant-power and energy-by-average-power have in common."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import Field

from streamjob_api.base import ApiModel, Bool
from streamjob_api.data_types import ValueType
from streamjob_api.diffs import STATE_BREAKING
from streamjob_api.duration_limits import Latency
from streamjob_api.names import NameCheck
from streamjob_api.points import AttributeRef, PointRef
from streamjob_api.rule_faults import RuleFault
from streamjob_api.templates.policies import (
    ZERO,
    Edge,
    TemplateBlock,
    distinct,
    no_loops,
    same_model,
    unique_outputs,
)
from streamjob_api.thing_models import PointType
from streamjob_api.timezones import TimeZone


class DetailInterval(StrEnum):
    """Intervals of the detailed output: divisors of a day."""

    M1, M5, M10, M15, M30, H1 = "1m", "5m", "10m", "15m", "30m", "1h"


class Midnight(StrEnum):
    """Where the energy of an interval across midnight goes."""

    ATTRIBUTE_TO_END = "AttributeToEnd"
    PROPORTIONAL = "Proportional"


DETAILS_TOGETHER = ("detailedOutput and interval go together", "has(self.detailedOutput) == has(self.interval)")
_NOT_DETAILED = "!has(self.detailedOutput) || !(self.detailedOutput in [self.input, self.dailyOutput])"
OUTPUTS_DIFFER = (
    "dailyOutput and detailedOutput must differ from the input and from each other",
    f"self.input != self.dailyOutput && ({_NOT_DETAILED})",
)


_ONE_MODEL = "input and outputs must be points of the same model"


def of_one_model(*fields: str, message: str = _ONE_MODEL) -> tuple[str, str]:
    """A CEL rule: what is named, where it is named, is of the input's model."""
    return message, " && ".join(
        f"(!has(self.{field}) || self.{field}.split('::')[0] == self.input.split('::')[0])" for field in fields
    )


class EnergyPolicy(ApiModel):
    """What the policies of all three energy templates share."""

    input: PointRef = Field(
        description="Point to integrate; numeric.",
        examples=["ElectricMeter::Reading"],
        json_schema_extra=STATE_BREAKING,
    )
    daily_output: PointRef = Field(
        description="Point of the day's total, of type PI and of the input's model; its time is the day's local 00:00.",
        examples=["ElectricMeter::EnergyDay"],
        json_schema_extra=STATE_BREAKING,
    )
    detailed_output: PointRef | None = Field(
        default=None,
        description="Point of the energy of each 'interval', of type PI and of the input's model. Together with "
        "'interval', or neither.",
        examples=["ElectricMeter::Energy30Min"],
        json_schema_extra=STATE_BREAKING,
    )
    interval: DetailInterval | None = Field(
        default=None,
        description="Interval of the detailed output: 1m, 5m, 10m, 15m, 30m or 1h.",
        examples=["30m"],
        json_schema_extra=STATE_BREAKING,
    )
    midnight: Midnight = Field(
        default=Midnight.ATTRIBUTE_TO_END,
        description="Where the energy between two records on both sides of midnight goes. AttributeToEnd: to the new "
        "day; Proportional: to both days, by time.",
        json_schema_extra=STATE_BREAKING,
    )
    running_total: Bool = Field(
        default=False,
        description="Whether the day's total so far is written too, after each micro-batch that adds to it.",
        json_schema_extra=STATE_BREAKING,
    )

    def outputs(self) -> dict[str, PointRef]:
        """The points that are written, by the field that names them."""
        named = {"dailyOutput": self.daily_output, "detailedOutput": self.detailed_output}
        return {field: output for field, output in named.items() if output is not None}

    def attributes(self) -> dict[str, AttributeRef]:
        """The attributes that are read, by the field that names them."""
        return {}

    def faults(self) -> Iterator[RuleFault]:
        """Details go with an interval; the points differ and are of one model."""
        if self.detailed_output is not None and self.interval is None:
            yield RuleFault("required with detailedOutput; write one of 1m, 5m, 10m, 15m, 30m, 1h", ("interval",))
        if self.interval is not None and self.detailed_output is None:
            yield RuleFault("required with interval; name a point, or leave interval out", ("detailedOutput",))
        yield from distinct({"input": self.input, **self.outputs()})
        yield from same_model(self.input, self.outputs())


class EnergyBlock(TemplateBlock):
    """What the three energy templates share."""

    timezone: TimeZone | None = Field(
        default=None,
        description="Time zone of the days. Left out: the StreamResource's.",
        examples=["Asia/Kolkata"],
        json_schema_extra=STATE_BREAKING,
    )
    latency: Latency = Field(
        default=ZERO,
        description="How long a record may wait to be put in order; 0s drops what is out of order. 0s to 1d.",
        examples=["10m"],
        json_schema_extra=STATE_BREAKING,
    )
    # Each template has policies of its own kind.
    policies: Sequence[EnergyPolicy]

    @classmethod
    def faults_of_form(cls, raw: Mapping[str, Any]) -> Iterator[RuleFault]:
        """Outputs are unique."""
        return unique_outputs(raw, "dailyOutput", "detailedOutput")

    def faults(self) -> Iterator[RuleFault]:
        """No loops."""
        yield from no_loops(self.edges())

    def edges(self) -> Iterator[Edge]:
        """Each output comes from its policy's input."""
        for number, policy in enumerate(self.policies):
            for field, output in policy.outputs().items():
                yield Edge(policy.input, output, f"{self.BLOCK}.policies[{number}].{field}")

    def check_names(self, names: NameCheck) -> None:
        """Inputs and attributes are numeric; outputs are doubles of type PI."""
        for number, policy in enumerate(self.policies):
            path = f"{self.BLOCK}.policies[{number}]"
            names.numeric_point(policy.input, f"{path}.input")
            for field, attribute in policy.attributes().items():
                names.numeric_attribute(attribute, f"{path}.{field}")
            for field, output in policy.outputs().items():
                point = names.output(output, f"{path}.{field}", ValueType.DOUBLE, "an energy")
                names.of_type(point, output, f"{path}.{field}", PointType.PI, "an energy needs PI")
