"""The templates: pure functions of state, columns and time."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from streamjob_api.stream_job import MessageChannel, StreamJobSpec
from streamjob_api.templates import TemplateBlock
from streamjob_api.templates.device_state import DeviceState as DeviceStateSpec
from streamjob_api.templates.energy_by_meter_reading import EnergyByMeterReading
from streamjob_api.templates.energy_by_power import EnergyByAveragePower, EnergyByInstantPower
from streamjob_api.templates.multi_point_merging import MultiPointMerging as Merging
from streamjob_api.templates.pipeline import Pipeline as PipelineSpec
from streamjob_api.templates.time_window_aggregation import TimeWindowAggregation as Windows
from streamjob_runtime.templates.device_state import DeviceState
from streamjob_runtime.templates.energy import Energy
from streamjob_runtime.templates.multi_point_merging import MultiPointMerging
from streamjob_runtime.templates.pipeline import Pipeline
from streamjob_runtime.templates.protocols import Combined, Combiner, Folded, ShardStore, Template
from streamjob_runtime.templates.surroundings import Surroundings
from streamjob_runtime.templates.time_window_aggregation import TimeWindowAggregation

__all__ = ["Combined", "Combiner", "Folded", "ShardStore", "Surroundings", "Template", "for_job"]

NOTHING_BESIDE = Surroundings()
# By the model of a spec's block: what makes the template of it and of what it is told beside.
_TEMPLATES: Mapping[type[TemplateBlock], Callable[[Any, Surroundings], Template]] = {
    Windows: TimeWindowAggregation.of,
    EnergyByMeterReading: Energy.of,
    EnergyByInstantPower: Energy.of,
    EnergyByAveragePower: Energy.of,
    Merging: MultiPointMerging.of,
    DeviceStateSpec: DeviceState.of,
    PipelineSpec: Pipeline.of,
}


def for_job(spec: StreamJobSpec, surroundings: Surroundings = NOTHING_BESIDE) -> Template:
    """Return the template that a job configures.

    Args:
        spec: the job.
        surroundings: what it is told beside; its ``idle_timeout_ms`` is the spec's, but for the offline channel.

    Raises:
        NotImplementedError: this runtime does not have it; ``streamjob_api.support`` refuses such a job before.
    """
    template = _TEMPLATES.get(type(spec.block))
    if template is None:
        raise NotImplementedError(spec.template.name)
    is_watched = spec.idle_timeout is not None and spec.message_channel is MessageChannel.REAL_TIME
    idle_timeout_ms = spec.idle_timeout.milliseconds if spec.idle_timeout is not None and is_watched else None
    return template(spec.block, replace(surroundings, idle_timeout_ms=idle_timeout_ms))
