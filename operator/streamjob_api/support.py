"""What manifests may say, but this version does not carry out yet.

What would change results is refused in plain words, never passed over; what only watches a job is named beside it. An
entry goes when its feature comes.
"""

from collections.abc import Iterator

from streamjob_api.stream_job import MessageChannel, StreamJobSpec
from streamjob_api.stream_resource import StreamResourceSpec
from streamjob_api.templates.device_state import DeviceState
from streamjob_api.templates.energy import EnergyBlock
from streamjob_api.templates.time_window_aggregation import TimeWindowAggregation

_LATER = "is not supported by this version yet"


def unsupported_resource(spec: StreamResourceSpec) -> list[str]:
    """What keeps the jobs of an OU from being run; empty: nothing."""
    if spec.checkpoints.uri is None:
        return []
    return ["spec.checkpoints.uri: the runtime image has no client of object stores; write volumeClaim or claimName"]


def without_effect(spec: StreamJobSpec) -> list[str]:
    """What is said for nothing: the job runs, but nobody is told or asked."""
    said = []
    if spec.alarms is not None:
        said.append(f"spec.alarms: raising alarms {_LATER}")
    if spec.idle_timeout is not None:
        said.extend(_closes_nothing(spec))
    if spec.device_state is not None:
        said.extend(_watches_nothing(spec.device_state, spec.message_channel))
    return said


def _closes_nothing(spec: StreamJobSpec) -> Iterator[str]:
    if not isinstance(spec.block, TimeWindowAggregation | EnergyBlock):
        yield f"spec.idleTimeout: {spec.template.name} has neither windows nor days that silence could close"
    elif spec.message_channel is MessageChannel.OFFLINE:
        yield "spec.idleTimeout: on the offline channel nothing is closed for silence"


def _watches_nothing(devices: DeviceState, channel: MessageChannel) -> Iterator[str]:
    if devices.offline_after is not None and channel is MessageChannel.OFFLINE:
        yield (
            "spec.deviceState.offlineAfter: on the offline channel the arrival of records tells nothing of a device; "
            "leave it out and take the latest values alone, or read the real-time channel"
        )
    if devices.site_attribute is not None and devices.offline_after is None:
        yield "spec.deviceState.siteAttribute: sites are counted where connections are watched; write offlineAfter"


def resource_without_effect(spec: StreamResourceSpec) -> list[str]:
    """What a StreamResource says for nothing."""
    return [f"spec.timeSeries: storing results {_LATER}"] if spec.time_series is not None else []
