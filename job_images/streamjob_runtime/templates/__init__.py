"""The templates: pure functions of state, columns and time."""

from collections.abc import Callable, Mapping
from typing import Any

from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import UTC
from streamjob_api.templates import TemplateBlock
from streamjob_api.templates.energy import EnergyByAveragePower, EnergyByInstantPower, EnergyByMeterReading
from streamjob_api.templates.multi_point_merging import MultiPointMerging as Merging
from streamjob_api.templates.time_window_aggregation import TimeWindowAggregation as Windows
from streamjob_api.timezones import TimeZone
from streamjob_runtime.templates.energy import Energy
from streamjob_runtime.templates.multi_point_merging import MultiPointMerging
from streamjob_runtime.templates.protocols import BlockStore, Combined, Combiner, Folded, Template
from streamjob_runtime.templates.time_window_aggregation import TimeWindowAggregation

__all__ = ["BlockStore", "Combined", "Combiner", "Folded", "Template", "for_job"]

# By the model of a spec's block: what makes the template of it and of the OU's time zone.
_TEMPLATES: Mapping[type[TemplateBlock], Callable[[Any, TimeZone], Template]] = {
    Windows: lambda block, _: TimeWindowAggregation.of(block),
    EnergyByMeterReading: Energy.of,
    EnergyByInstantPower: Energy.of,
    EnergyByAveragePower: Energy.of,
    Merging: lambda block, _: MultiPointMerging.of(block),
}


def for_job(spec: StreamJobSpec, ou_timezone: TimeZone = UTC) -> Template:
    """Return the template that a job configures.

    Args:
        spec: the job.
        ou_timezone: whose days count where the job names no time zone.

    Raises:
        NotImplementedError: this runtime does not have it; ``streamjob_api.support`` refuses such a job before.
    """
    template = _TEMPLATES.get(type(spec.block))
    if template is None:
        raise NotImplementedError(spec.template.name)
    return template(spec.block, ou_timezone)
