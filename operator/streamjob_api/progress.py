"""What a driver says of itself: ``GET /progress`` while it runs, its last words when it ends."""

from datetime import datetime
from enum import IntEnum, StrEnum

from pydantic import ConfigDict, Field

from streamjob_api.base import PlainModel

MAX_PROGRESS_BYTES = 4096
# A pipeline's stages may read some 50 topics, beside two of the OU.
MAX_TOPICS = 64
ALL_TOPICS = "*"
# Windows over which throughput is averaged, in seconds: 1m 5m 15m 30m 1h 6h 12h 1d (as the service shows them).
THROUGHPUT_WINDOWS = {
    "1m": 60,
    "5m": 300,
    "15m": 900,
    "30m": 1800,
    "1h": 3600,
    "6h": 21_600,
    "12h": 43_200,
    "1d": 86_400,
}


class ExitCode(IntEnum):
    """How a driver ended, told to the operator by the container's exit code."""

    STOPPED = 0
    FENCED = 64
    INVALID_CONFIGURATION = 65
    CHECKPOINT_INCOMPATIBLE = 66
    DEPENDENCY_UNAVAILABLE = 69
    INTERNAL = 70


class DriverState(StrEnum):
    """What a driver is doing."""

    STARTING = "Starting"
    RUNNING = "Running"
    WAITING = "Waiting"
    STOPPING = "Stopping"


class _Report(PlainModel):
    model_config = ConfigDict(extra="ignore")


class Totals(_Report):
    """Records since the driver started, by what became of them."""

    messages: int = Field(default=0, description="Messages read.")
    records: int = Field(default=0, description="Values of the job's points found in them.")
    out: int = Field(default=0, description="Results written.")
    late: int = Field(
        default=0,
        description="Records too late for a result; of windows once for each input, threshold, size and slide of which "
        "they missed one or more.",
    )
    outside: int = Field(default=0, description="Records outside their threshold.")
    malformed: int = Field(default=0, description="Messages that could not be read.")
    refused: int = Field(default=0, description="Records that are no finite number or lie too far in the future.")
    unused: int = Field(default=0, description="Values of points that the job does not read.")
    filtered: int = Field(default=0, description="Values of assets that the job's filter leaves out.")
    intermediate: int = Field(
        default=0, description="Values of other jobs' results that may still change, left out with finalOnly."
    )
    several_partitions: int = Field(
        default=0,
        description="Times that a micro-batch had records of one asset and point from several partitions: "
        "their order is not known.",
    )
    failed: int = Field(default=0, description="Records that a stage of a pipeline could not handle.")
    discarded: int = Field(default=0, description="Records that a stage of a pipeline left out, as it was told to.")
    filtered_quality: int = Field(default=0, description="Records of a quality that a stage of a pipeline leaves out.")
    missing: int = Field(default=0, description="Calculations without a result: a value was never seen, or is too old.")
    division_by_zero: int = Field(default=0, description="Calculations without a result: division by zero.")
    not_finite: int = Field(default=0, description="Calculations without a result: a number in it is too large.")
    wrong_type: int = Field(
        default=0, description="Calculations without a result: a point's value is of another type than is needed."
    )
    repeated: int = Field(
        default=0,
        description="Records of a calculated input with the time of the one that energy was last calculated up to: "
        "too late to replace it.",
    )
    attribute_missing: int = Field(
        default=0,
        description="Times that an asset lacked an attribute: in merging for each calculation, in energy for each "
        "policy and micro-batch, in device state once for a device.",
    )
    attribute_invalid: int = Field(
        default=0,
        description="Times that an asset's attribute was of another type than is needed, counted as attributeMissing.",
    )
    errors: int = Field(default=0, description="Failed micro-batches.")


class Rates(_Report):
    """Records per second over one window; null until the driver has run that long."""

    messages: float | None = None
    out: float | None = None


class Progress(_Report):
    """``GET /progress``: at most 4 KB."""

    state: DriverState
    reason: str = Field(default="", max_length=64, description="Why it waits, as one word: KafkaUnreachable, ...")
    message: str = Field(default="", max_length=512)
    attempt: int
    epoch: int = 0
    batch_id: int = Field(default=-1, description="Last committed micro-batch; -1 before the first.")
    batch_duration_ms: int = 0
    idle: bool = Field(default=False, description="Whether there is nothing to read.")
    started_at: datetime
    last_batch_at: datetime | None = None
    observed_at: datetime
    totals: Totals = Totals()
    malformed_by_reason: dict[str, int] = Field(default={}, max_length=16)
    refused_by_reason: dict[str, int] = Field(default={}, max_length=16)
    stages_by_reason: dict[str, int] = Field(
        default={}, max_length=16, description="Records by reasons that only calculators of a pipeline count by."
    )
    throughput: dict[str, Rates] = Field(default={}, max_length=8)
    lag: dict[str, int] = Field(
        default={},
        max_length=MAX_TOPICS,
        description="Messages not yet read, by topic; under ALL_TOPICS of all together, where that would be too long.",
    )
    watermark: datetime | None = Field(default=None, description="Highest event time that was accepted.")
    durations_ms: dict[str, int] = Field(default={}, max_length=16, description="Parts of the last micro-batch.")


class LastWords(_Report):
    """The termination message of a driver."""

    reason: str = Field(max_length=64)
    message: str = Field(default="", max_length=2048)
    attempt: int
    batch_id: int = -1
    graceful: bool = False
