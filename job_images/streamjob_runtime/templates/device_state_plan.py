"""What a job of device states comes to: the points it watches, and what makes two jobs the same."""

import hashlib
import json
from dataclasses import dataclass
from typing import Self

from streamjob_api.points import AttributeRef, PointRef
from streamjob_api.templates.device_state import DeviceState
from streamjob_runtime.shards import FORMER

# Raise it when the blocks of the state change; checkpoints of another version are then incompatible.
STATE_VERSION = 1


@dataclass(frozen=True)
class DeviceStatePlan:
    """One job's configuration.

    Attributes:
        inputs: sorted; the state names an input by its place here.
        offline_after_ms: silence after which a device is offline; None: connections are not watched.
        identity: equal for two plans exactly when one can go on with the other's state.
    """

    inputs: tuple[PointRef, ...]
    offline_after_ms: int | None
    connection_output: PointRef | None
    site_attribute: AttributeRef | None
    site_output: PointRef | None
    identity: str

    @classmethod
    def of(cls, job: DeviceState) -> Self:
        """Plan a job."""
        inputs = tuple(sorted(job.points))
        offline_after_ms = job.offline_after.milliseconds if job.offline_after is not None else None
        watches_sites = offline_after_ms is not None and job.site_attribute is not None
        parts = {
            "state": STATE_VERSION,
            "shards": FORMER,
            "inputs": [str(point) for point in inputs],
            "offlineAfter": offline_after_ms,
            "connectionOutput": str(job.connection_output),
            "siteAttribute": str(job.site_attribute),
            "siteOutput": str(job.site_output),
        }
        identity = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        site_attribute = job.site_attribute if watches_sites else None
        return cls(inputs, offline_after_ms, job.connection_output, site_attribute, job.site_output, identity)
