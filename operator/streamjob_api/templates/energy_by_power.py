"""Templates energy-by-instant-power and energy-by-average-power: a day's energy out of power."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from streamjob_api.diffs import STATE_BREAKING
from streamjob_api.duration_limits import between
from streamjob_api.durations import Duration
from streamjob_api.intervals import UNBOUNDED, Interval
from streamjob_api.rule_faults import RuleFault
from streamjob_api.schema_marks import keyed_by, rules
from streamjob_api.templates.energy import DETAILS_TOGETHER, OUTPUTS_DIFFER, EnergyBlock, EnergyPolicy, of_one_model
from streamjob_api.templates.policies import MAX_POLICIES

# Seven days: a silence that is longer is not bridged by any documented rule.
_Gap = Annotated[Duration, between("1s", "7d")]


class PowerInterpolation(StrEnum):
    """What happens with a power outside its threshold."""

    IGNORE = "Ignore"
    LAST_VALUE = "LastValue"
    LINEAR = "Linear"


class PowerUnit(StrEnum):
    """Unit of the input."""

    KILOWATT = "kW"
    WATT = "W"


class EnergyUnit(StrEnum):
    """Unit of the outputs."""

    KILOWATT_HOUR = "kWh"
    WATT_HOUR = "Wh"


class PowerPolicy(EnergyPolicy):
    """Energy of one power: its integral over a day."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            DETAILS_TOGETHER,
            OUTPUTS_DIFFER,
            of_one_model("dailyOutput", "detailedOutput"),
            ("powerUnit and energyUnit go together", "has(self.powerUnit) == has(self.energyUnit)"),
            (
                "interpolation Linear requires maxGap",
                "!has(self.interpolation) || self.interpolation != 'Linear' || has(self.maxGap)",
            ),
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
        "LastValue: the last valid power is taken; Linear: the straight line between the valid powers around it is "
        "taken, over up to 'maxGap'.",
        examples=["LastValue"],
        json_schema_extra=STATE_BREAKING,
    )
    max_gap: _Gap | None = Field(
        default=None,
        description="Longer intervals between two records contribute nothing, with interpolation Linear those between "
        "two valid ones; up to 7d. Left out: no limit; required with Linear.",
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
        """Units are given both or not at all; a line is not drawn across any silence."""
        yield from super().faults()
        if self.interpolation is PowerInterpolation.LINEAR and self.max_gap is None:
            yield RuleFault(
                "required with interpolation Linear; write the longest gap to bridge, as in 1h", ("maxGap",)
            )
        if (self.power_unit is None) != (self.energy_unit is None):
            missing = "powerUnit" if self.power_unit is None else "energyUnit"
            yield RuleFault("powerUnit and energyUnit go together; give both or neither", (missing,))


class EnergyByPower(EnergyBlock):
    """What the two power templates share: the same fields, another integral."""

    policies: list[PowerPolicy] = Field(
        min_length=1,
        max_length=MAX_POLICIES,
        description="The calculations of the job, each with outputs of its own.",
        json_schema_extra=keyed_by("dailyOutput") | STATE_BREAKING,
    )


class EnergyByInstantPower(EnergyByPower):
    """Configuration of the template energy-by-instant-power: each power holds back to the previous one."""

    BLOCK: ClassVar[str] = "energyByInstantPower"


class EnergyByAveragePower(EnergyByPower):
    """Configuration of the template energy-by-average-power: the trapezoid between two powers."""

    BLOCK: ClassVar[str] = "energyByAveragePower"
