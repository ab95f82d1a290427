"""What a job can be configured from: one block of its spec for each template."""

from collections.abc import Mapping
from enum import StrEnum

from streamjob_api.templates.device_state import DeviceState
from streamjob_api.templates.energy_by_meter_reading import EnergyByMeterReading
from streamjob_api.templates.energy_by_power import EnergyByAveragePower, EnergyByInstantPower
from streamjob_api.templates.multi_point_merging import MultiPointMerging
from streamjob_api.templates.pipeline import Pipeline
from streamjob_api.templates.policies import Edge, TemplateBlock
from streamjob_api.templates.time_window_aggregation import TimeWindowAggregation

__all__ = ["BLOCKS", "Edge", "TemplateBlock", "TemplateName"]


class TemplateName(StrEnum):
    """The templates."""

    TIME_WINDOW_AGGREGATION = "time-window-aggregation"
    ENERGY_BY_METER_READING = "energy-by-meter-reading"
    ENERGY_BY_INSTANT_POWER = "energy-by-instant-power"
    ENERGY_BY_AVERAGE_POWER = "energy-by-average-power"
    MULTI_POINT_MERGING = "multi-point-merging"
    DEVICE_STATE = "device-state"
    PIPELINE = "pipeline"

    @property
    def library(self) -> str:
        """The library that a StreamResource installs for this template."""
        return "calculators" if self is TemplateName.PIPELINE else self.value


# A new template is a line above and here, a module beside this one, and a field of the spec named as its block.
BLOCKS: Mapping[str, type[TemplateBlock]] = {
    TemplateName.TIME_WINDOW_AGGREGATION: TimeWindowAggregation,
    TemplateName.ENERGY_BY_METER_READING: EnergyByMeterReading,
    TemplateName.ENERGY_BY_INSTANT_POWER: EnergyByInstantPower,
    TemplateName.ENERGY_BY_AVERAGE_POWER: EnergyByAveragePower,
    TemplateName.MULTI_POINT_MERGING: MultiPointMerging,
    TemplateName.DEVICE_STATE: DeviceState,
    TemplateName.PIPELINE: Pipeline,
}
