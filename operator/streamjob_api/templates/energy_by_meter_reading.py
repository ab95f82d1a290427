"""Template energy-by-meter-reading: a day's energy out of the readings of a cumulative meter."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import ConfigDict, Field

from streamjob_api.base import Number
from streamjob_api.diffs import STATE_BREAKING
from streamjob_api.intervals import Interval
from streamjob_api.points import AttributeRef
from streamjob_api.rule_faults import RuleFault
from streamjob_api.schema_marks import keyed_by, rules, unit
from streamjob_api.templates.energy import DETAILS_TOGETHER, OUTPUTS_DIFFER, EnergyBlock, EnergyPolicy, of_one_model
from streamjob_api.templates.policies import MAX_POLICIES, same_model


class MeterReadingPolicy(EnergyPolicy):
    """Energy of one cumulative meter reading: the accepted differences of a day, times the scale."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            DETAILS_TOGETHER,
            OUTPUTS_DIFFER,
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
        description="Attribute of the asset that holds the highest accepted slope; the lowest is then 0. There is no "
        "highest one where it holds no number above 0.",
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
        description="Attribute of the asset that holds the scale; 1 where it holds no number above 0.",
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


class EnergyByMeterReading(EnergyBlock):
    """Configuration of the template energy-by-meter-reading."""

    BLOCK: ClassVar[str] = "energyByMeterReading"

    policies: list[MeterReadingPolicy] = Field(
        min_length=1,
        max_length=MAX_POLICIES,
        description="The calculations of the job, each with outputs of its own.",
        json_schema_extra=keyed_by("dailyOutput") | STATE_BREAKING,
    )
