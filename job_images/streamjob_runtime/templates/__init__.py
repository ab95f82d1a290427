"""The templates: pure functions of state, columns and time."""

from streamjob_api.stream_job import StreamJobSpec
from streamjob_runtime.templates.protocols import BlockStore, Combined, Combiner, Folded, Template
from streamjob_runtime.templates.time_window_aggregation import TimeWindowAggregation

__all__ = ["BlockStore", "Combined", "Combiner", "Folded", "Template", "for_job"]


def for_job(spec: StreamJobSpec) -> Template:
    """Return the template that a job configures.

    Raises:
        NotImplementedError: this runtime does not have it; ``streamjob_api.support`` refuses such a job before.
    """
    if spec.time_window_aggregation is None:
        raise NotImplementedError(spec.template.name)
    return TimeWindowAggregation.of(spec.time_window_aggregation)
