"""Templates energy-by-meter-reading, energy-by-instant-power and energy-by-average-power: a day's energy."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field

from streamjob_api.base import ApiModel, Bool, Number
from streamjob_api.data_types import ValueType
from streamjob_api.diffs import STATE_BREAKING
from streamjob_api.duration_limits import Latency, between
from streamjob_api.durations import Duration
from streamjob_api.intervals import UNBOUNDED, Interval
from streamjob_api.names import NameCheck
from streamjob_api.points import AttributeRef, PointRef
from streamjob_api.rule_faults import RuleFault
from streamjob_api.schema_marks import keyed_by, rules, unit
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
from streamjob_api.thing_models import PointType
from streamjob_api.timezones import TimeZone

# Seven days: a silence that is longer is not bridged by any documented rule.
_Gap = Annotated[Duration, between("1s", "7d")]


class DetailInterval(StrEnum):
    """Intervals of the detailed output: divisors of a day."""

    M1, M5, M10, M15, M30, H1 = "1m", "5m", "10m", "15m", "30m", "1h"


class PowerInterpolation(StrEnum):
    """What happens with a power outside its threshold."""

    IGNORE = "Ignore"
    LAST_VALUE = "LastValue"


class Midnight(StrEnum):
    """Where the energy of an interval across midnight goes."""

    ATTRIBUTE_TO_END = "AttributeToEnd"
    PROPORTIONAL = "Proportional"


class PowerUnit(StrEnum):
    """Unit of the input."""

    KILOWATT = "kW"
    WATT = "W"


class EnergyUnit(StrEnum):
    """Unit of the outputs."""

    KILOWATT_HOUR = "kWh"
    WATT_HOUR = "Wh"


_DETAILS_TOGETHER = ("detailedOutput and interval go together", "has(self.detailedOutput) == has(self.interval)")
_NOT_DETAILED = "!has(self.detailedOutput) || !(self.detailedOutput in [self.input, self.dailyOutput])"
_OUTPUTS_DIFFER = (
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


class MeterReadingPolicy(EnergyPolicy):
    """Energy of one cumulative meter reading: the accepted differences of a day, times the scale."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            _DETAILS_TOGETHER,
            _OUTPUTS_DIFFER,
            (
                "exactly one of slopeThreshold and slopeLimitAttribute is required",
                "has(self.slopeThreshold) != has(self.slopeLimitAttribute)",
            ),
            of_one_model("dailyOutput", "detailedOutput"),
            of_one_model("slopeLimitAttribute", "scaleAttribute", message="attributes must be of the input's model"),
            ("only one of scale and scaleAttribute", "!(has(self.scale) && has(self.scaleAttribute))"),
        )
    )

    slope_threshold: Interval | None = Field(
        default=None,
        description="Accepted slope: difference of two readings divided by their distance in hours, before scaling; "
        "bounds of 0 and more. This or slopeLimitAttribute.",
        examples=["[0, 50]"],
        json_schema_extra=STATE_BREAKING | unit("reading per hour"),
    )
    slope_limit_attribute: AttributeRef | None = Field(
        default=None,
        description="Attribute of the asset that holds the highest accepted slope; the lowest is then 0.",
        examples=["SubMeter::MaxSlope"],
        json_schema_extra=STATE_BREAKING,
    )
    scale: Number | None = Field(
        default=None,
        gt=0,
        description="What each accepted difference is multiplied with, as a transformer's ratio; 1 where neither this "
        "nor scaleAttribute is given.",
        examples=[3],
        json_schema_extra=STATE_BREAKING | unit("factor"),
    )
    scale_attribute: AttributeRef | None = Field(
        default=None,
        description="Attribute of the asset that holds the scale.",
        examples=["SubMeter::Ratio"],
        json_schema_extra=STATE_BREAKING,
    )
    rollover_modulus: Number | None = Field(
        default=None,
        gt=0,
        description="Reading at which the meter begins again at 0: a lower reading is then taken for a rollover, if "
        "its slope is accepted. Left out: it is a reset, and its interval is lost.",
        examples=[1000000],
        json_schema_extra=STATE_BREAKING | unit("reading"),
    )

    def faults(self) -> Iterator[RuleFault]:
        """The slope is limited in one way, the scale is given in at most one."""
        yield from super().faults()
        if self.slope_threshold is None and self.slope_limit_attribute is None:
            yield RuleFault("slopes have no limit; write slopeThreshold or slopeLimitAttribute")
        if self.slope_threshold is not None and self.slope_limit_attribute is not None:
            yield RuleFault("slopeThreshold and slopeLimitAttribute are both given; leave one out")
        if self.scale is not None and self.scale_attribute is not None:
            yield RuleFault("scale and scaleAttribute are both given; leave one out")
        limits = self.slope_threshold
        if limits is not None and not 0 <= limits.low < limits.high:
            message = f"'{limits}' is no range of slopes; write 0 <= low < high, as in [0, 50]"
            yield RuleFault(message, ("slopeThreshold",))
        yield from same_model(self.input, self.attributes())

    def attributes(self) -> dict[str, AttributeRef]:
        """The attributes that are read, by the field that names them."""
        named = {"slopeLimitAttribute": self.slope_limit_attribute, "scaleAttribute": self.scale_attribute}
        return {field: attribute for field, attribute in named.items() if attribute is not None}


class PowerPolicy(EnergyPolicy):
    """Energy of one power: its integral over a day."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            _DETAILS_TOGETHER,
            _OUTPUTS_DIFFER,
            of_one_model("dailyOutput", "detailedOutput"),
            ("powerUnit and energyUnit go together", "has(self.powerUnit) == has(self.energyUnit)"),
        )
    )

    threshold: Interval = Field(
        default=UNBOUNDED,
        description="Powers that take part; round brackets exclude the bound, square ones include it.",
        examples=["[0, 12]"],
        json_schema_extra=STATE_BREAKING,
    )
    interpolation: PowerInterpolation = Field(
        default=PowerInterpolation.IGNORE,
        description="What happens with a power outside the threshold. Ignore: its interval contributes nothing; "
        "LastValue: the last valid power is taken.",
        json_schema_extra=STATE_BREAKING,
    )
    max_gap: _Gap | None = Field(
        default=None,
        description="Longer intervals between two records contribute nothing; up to 7d. Left out: no limit.",
        examples=["1h"],
        json_schema_extra=STATE_BREAKING,
    )
    power_unit: PowerUnit | None = Field(
        default=None,
        description="Unit of the input. With energyUnit, or neither: then nothing is converted.",
        examples=["kW"],
        json_schema_extra=STATE_BREAKING,
    )
    energy_unit: EnergyUnit | None = Field(
        default=None,
        description="Unit of the outputs. With powerUnit, or neither: then nothing is converted.",
        examples=["kWh"],
        json_schema_extra=STATE_BREAKING,
    )

    def faults(self) -> Iterator[RuleFault]:
        """Units are given both or not at all."""
        yield from super().faults()
        if (self.power_unit is None) != (self.energy_unit is None):
            missing = "powerUnit" if self.power_unit is None else "energyUnit"
            yield RuleFault("powerUnit and energyUnit go together; give both or neither", (missing,))


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

    @classmethod
    def faults_of_form(cls, raw: Mapping[str, Any]) -> Iterator[RuleFault]:
        """Outputs are unique."""
        return unique_outputs(raw, "dailyOutput", "detailedOutput")

    def faults(self) -> Iterator[RuleFault]:
        """No loops."""
        yield from no_loops(self.edges())

    def policies_in_order(self) -> Sequence[EnergyPolicy]:
        """The policies, of whichever kind."""
        raise NotImplementedError

    def edges(self) -> Iterator[Edge]:
        """Each output comes from its policy's input."""
        for number, policy in enumerate(self.policies_in_order()):
            for field, output in policy.outputs().items():
                yield Edge(policy.input, output, f"{self.BLOCK}.policies[{number}].{field}")

    def check_names(self, names: NameCheck) -> None:
        """Inputs and attributes are numeric; outputs are doubles of type PI."""
        for number, policy in enumerate(self.policies_in_order()):
            path = f"{self.BLOCK}.policies[{number}]"
            names.numeric_point(policy.input, f"{path}.input")
            for field, attribute in policy.attributes().items():
                names.numeric_attribute(attribute, f"{path}.{field}")
            for field, output in policy.outputs().items():
                point = names.output(output, f"{path}.{field}", ValueType.DOUBLE, "an energy")
                names.of_type(point, output, f"{path}.{field}", PointType.PI, "an energy needs PI")


class EnergyByMeterReading(EnergyBlock):
    """Configuration of the template energy-by-meter-reading."""

    BLOCK: ClassVar[str] = "energyByMeterReading"

    policies: list[MeterReadingPolicy] = Field(
        min_length=1,
        max_length=MAX_POLICIES,
        description="The calculations of the job, each with outputs of its own.",
        json_schema_extra=keyed_by("dailyOutput") | STATE_BREAKING,
    )

    def policies_in_order(self) -> Sequence[EnergyPolicy]:
        """The policies."""
        return self.policies


class EnergyByPower(EnergyBlock):
    """What the two power templates share: the same fields, another integral."""

    policies: list[PowerPolicy] = Field(
        min_length=1,
        max_length=MAX_POLICIES,
        description="The calculations of the job, each with outputs of its own.",
        json_schema_extra=keyed_by("dailyOutput") | STATE_BREAKING,
    )

    def policies_in_order(self) -> Sequence[EnergyPolicy]:
        """The policies."""
        return self.policies


class EnergyByInstantPower(EnergyByPower):
    """Configuration of the template energy-by-instant-power: each power holds back to the previous one."""

    BLOCK: ClassVar[str] = "energyByInstantPower"


class EnergyByAveragePower(EnergyByPower):
    """Configuration of the template energy-by-average-power: the trapezoid between two powers."""

    BLOCK: ClassVar[str] = "energyByAveragePower"
