"""``GET /metrics``: the progress report as Prometheus metrics."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from streamjob_api.progress import DriverState, Progress

_OUTCOMES = (
    *("records", "late", "outside", "refused", "unused", "filtered", "intermediate", "repeated"),
    *("failed", "discarded", "filtered_quality"),
)


def exposition(progress: Callable[[], Progress]) -> Callable[[], bytes]:
    """A function that renders the metrics of the moment."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(progress))
    return lambda: generate_latest(registry)


class _Collector:
    def __init__(self, progress: Callable[[], Progress]) -> None:
        self._progress = progress

    def collect(self) -> Iterable[Metric]:
        """All metrics."""
        progress = self._progress()
        yield from _counters(progress)
        yield from _gauges(progress)

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead of time."""
        return []


def _counters(progress: Progress) -> Iterable[Metric]:
    totals = progress.totals
    records = CounterMetricFamily(
        "streamjob_records", "Values of the job's points by what became of them.", labels=["outcome"]
    )
    for outcome in _OUTCOMES:
        records.add_metric(["read" if outcome == "records" else outcome], getattr(totals, outcome))
    yield records
    yield CounterMetricFamily("streamjob_messages", "Messages read.", totals.messages)
    yield CounterMetricFamily("streamjob_results", "Results written.", totals.out)
    yield CounterMetricFamily(
        "streamjob_order_violations",
        "Times that a micro-batch had records of one asset and point from several partitions.",
        totals.several_partitions,
    )
    without = CounterMetricFamily(
        "streamjob_calculations_without_result", "Calculations that gave no result.", labels=["reason"]
    )
    without.add_metric(["missing"], totals.missing)
    without.add_metric(["divisionByZero"], totals.division_by_zero)
    without.add_metric(["notFinite"], totals.not_finite)
    without.add_metric(["wrongType"], totals.wrong_type)
    yield without
    attributes = CounterMetricFamily(
        "streamjob_attributes_without_value", "Times that an asset's attribute could not be used.", labels=["reason"]
    )
    attributes.add_metric(["missing"], totals.attribute_missing)
    attributes.add_metric(["invalid"], totals.attribute_invalid)
    yield attributes
    malformed = CounterMetricFamily("streamjob_malformed_messages", "Messages that cannot be read.", labels=["reason"])
    for reason, count in progress.malformed_by_reason.items():
        malformed.add_metric([reason], count)
    yield malformed
    stages = CounterMetricFamily(
        "streamjob_stage_records", "Records by reasons that only calculators of a pipeline count by.", labels=["reason"]
    )
    for reason, count in progress.stages_by_reason.items():
        stages.add_metric([reason], count)
    yield stages


def _gauges(progress: Progress) -> Iterable[Metric]:
    state = GaugeMetricFamily("streamjob_state", "1 for the state that the driver is in.", labels=["state"])
    for candidate in DriverState:
        state.add_metric([candidate], float(candidate is progress.state))
    yield state
    lag = GaugeMetricFamily("streamjob_lag_messages", "Messages not yet read.", labels=["topic"])
    for topic, count in progress.lag.items():
        lag.add_metric([topic], count)
    yield lag
    yield GaugeMetricFamily("streamjob_batch_id", "Last committed micro-batch.", progress.batch_id)
    yield GaugeMetricFamily("streamjob_batch_duration_seconds", "Its duration.", progress.batch_duration_ms / 1000)
    yield GaugeMetricFamily("streamjob_attempt", "Which try at running the job this driver is.", progress.attempt)
    if progress.watermark is not None:
        yield GaugeMetricFamily(
            "streamjob_watermark_timestamp_seconds",
            "Highest event time that was accepted.",
            progress.watermark.timestamp(),
        )
