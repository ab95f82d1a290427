"""The StreamJob: what one job calculates, and how it is to run."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from streamjob_api.base import ApiModel
from streamjob_api.durations import Duration
from streamjob_api.intervals import UNBOUNDED, Interval
from streamjob_api.points import PointRef

MAX_POLICIES = 200
DAY_MS = 86_400_000


class DesiredState(StrEnum):
    """What the user wants of a job."""

    RUNNING = "Running"
    PAUSED = "Paused"
    STOPPED = "Stopped"


class MessageChannel(StrEnum):
    """Where a job's records come from: devices as they send, or integrated historical data."""

    REAL_TIME = "RealTime"
    OFFLINE = "Offline"


class Aggregation(StrEnum):
    """What is calculated over the values of a window."""

    MAX = "max"
    MIN = "min"
    AVG = "avg"
    SUM = "sum"
    CNT = "cnt"
    COUNT = "count"

    @property
    def canonical(self) -> "Aggregation":
        """``count`` is an alias of ``cnt``."""
        return Aggregation.CNT if self is Aggregation.COUNT else self


class Interpolation(StrEnum):
    """What happens with a value outside its threshold."""

    IGNORE = "Ignore"


class WindowType(StrEnum):
    """The form of a window."""

    TUMBLING = "Tumbling"


class RunningMode(StrEnum):
    """Standalone: one pod does everything."""

    STANDALONE = "Standalone"


class StartMode(StrEnum):
    """Which records a job without a checkpoint reads first."""

    LATEST = "Latest"
    EARLIEST = "Earliest"
    TIMESTAMP = "Timestamp"


class TemplateRef(ApiModel):
    """A template at a version, as installed by the OU's StreamResource."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=63)] = Field(
        description="Name of the template, one of the StreamResource's libraries. StateBreaking. "
        "Example: time-window-aggregation."
    )
    version: Annotated[str, StringConstraints(min_length=1, max_length=32)] = Field(
        description="Version of the template, as installed by the StreamResource. Restart. Example: '1.0'."
    )


class WindowPolicy(ApiModel):
    """One calculation: an input point, aggregated over windows into an output point of the same asset."""

    input: PointRef = Field(
        description="Point to aggregate; numeric. StateBreaking. Example: 'ElectricMeter::Reading'."
    )
    threshold: Interval = Field(
        default=UNBOUNDED,
        description="Values that take part; round brackets exclude the bound, square ones include it. "
        "Default '(-inf, +inf)'. StateBreaking. Example: '[0, 100)'.",
    )
    interpolation: Interpolation = Field(
        default=Interpolation.IGNORE,
        description="What happens with a value outside the threshold. Ignore: it takes no part. Default Ignore. "
        "StateBreaking.",
    )
    aggregation: Aggregation = Field(
        description="max, min, avg, sum or cnt (count is an alias) of the window's valid values. StateBreaking. "
        "Example: max."
    )
    window_size: Duration = Field(
        description="Length of the windows, anchored at 1970-01-01T00:00:00Z: whole seconds, at most 1d. "
        "StateBreaking. Example: 10m."
    )
    output: PointRef = Field(
        description="Point of the results, of the input's model; a result's time is its window's start. "
        "StateBreaking. Example: 'ElectricMeter::MaxReading10Min'."
    )

    @field_validator("window_size")
    @classmethod
    def _whole_seconds(cls, value: Duration) -> Duration:
        if value.milliseconds % 1000 or not 0 < value.milliseconds <= DAY_MS:
            raise ValueError(f"'{value}' is no window size; write whole seconds, from 1s to 1d")
        return value

    @model_validator(mode="after")
    def _same_model(self) -> Self:
        if self.input == self.output:
            raise ValueError(f"output '{self.output}' is also the input; choose another output point")
        if self.input.model != self.output.model:
            raise ValueError(
                f"output '{self.output}' is not of the input's model; results belong to model '{self.input.model}'"
            )
        return self


class TimeWindowAggregation(ApiModel):
    """Template time-window-aggregation: extremes, averages, sums and counts of event-time windows."""

    window_type: WindowType = Field(
        default=WindowType.TUMBLING, description="Form of the windows. Default Tumbling. StateBreaking."
    )
    latency: Duration = Field(
        default=Duration.parse("0s"),
        description="How long after a window's end late records still change its result; 0s ignores them. "
        "From 0s to 1d, default 0s. StateBreaking. Example: 1d.",
    )
    policies: list[WindowPolicy] = Field(
        min_length=1, max_length=MAX_POLICIES, description="The calculations of the job; outputs are unique."
    )

    @field_validator("latency")
    @classmethod
    def _at_most_a_day(cls, value: Duration) -> Duration:
        if value.milliseconds > DAY_MS:
            raise ValueError(f"'{value}' is too long; latency is at most 1d")
        return value

    @model_validator(mode="after")
    def _outputs_are_unique_and_not_read(self) -> Self:
        outputs = [policy.output for policy in self.policies]
        repeated = sorted({str(output) for output in outputs if outputs.count(output) > 1})
        if repeated:
            raise ValueError(f"policies write the same output more than once: {', '.join(repeated)}")
        looped = sorted({str(output) for output in outputs if output in {policy.input for policy in self.policies}})
        if looped:
            raise ValueError(f"the outputs {', '.join(looped)} are also inputs of this job; no loops")
        return self


class Resources(ApiModel):
    """What the job takes of the OU's capacity; 1 CU is 1 CPU core and 2 GiB of memory."""

    mode: RunningMode = Field(
        default=RunningMode.STANDALONE, description="Standalone: one pod. Default Standalone. Restart."
    )
    cu: float = Field(
        default=1,
        ge=1,
        le=4,
        multiple_of=0.5,
        description="CU of the job: 1 to 4 in steps of 0.5 (0.5 is refused: a JVM and Python do not fit in 1 GiB). "
        "Default 1. Restart.",
    )


class StartFrom(ApiModel):
    """Which records a job without a checkpoint reads first."""

    mode: StartMode = Field(
        default=StartMode.LATEST,
        description="Latest: new records only; Earliest: all that the topic holds; Timestamp: from 'time' on. "
        "Default Latest. Read at the first start only. Restart.",
    )
    time: datetime | None = Field(
        default=None, description="Where mode Timestamp begins, RFC 3339. Example: '2026-01-31T00:00:00Z'."
    )

    @model_validator(mode="after")
    def _time_belongs_to_timestamp(self) -> Self:
        if (self.mode is StartMode.TIMESTAMP) != (self.time is not None):
            raise ValueError("'time' is required with mode Timestamp, and only there")
        if self.time is not None and self.time.tzinfo is None:
            raise ValueError("'time' needs a time zone, as in 2026-01-31T00:00:00Z")
        return self


class Lifecycle(ApiModel):
    """Deadlines of starting and stopping."""

    start_deadline: Duration = Field(
        default=Duration.parse("5m"),
        description="How long a driver may take from its creation to ready; then it is replaced. Default 5m. Live.",
    )
    stop_deadline: Duration = Field(
        default=Duration.parse("2m"),
        description="How long a driver may take to finish its micro-batch when asked to stop. Default 2m. Restart.",
    )


class Restart(ApiModel):
    """How a failed driver is replaced."""

    max_failures: int = Field(
        default=10,
        ge=0,
        le=1000,
        description="Consecutive failures of the job itself before RestartsExhausted. Default 10. Live.",
    )
    backoff: Duration = Field(
        default=Duration.parse("10s"),
        description="Wait before the first restart; it doubles with every further one. Default 10s. Live.",
    )
    backoff_max: Duration = Field(default=Duration.parse("5m"), description="Longest wait. Default 5m. Live.")
    reset_after: Duration = Field(
        default=Duration.parse("1h"),
        description="Healthy time after which failures are counted from zero again. Default 1h. Live.",
    )


class StreamJobSpec(ApiModel):
    """What one job calculates, and how it is to run."""

    description: Annotated[str, StringConstraints(max_length=1024)] = Field(
        default="", description="For people. Ignored."
    )
    state: DesiredState = Field(
        default=DesiredState.RUNNING,
        description="What is wanted of the job. Running; Paused: stopped gracefully, capacity freed, checkpoint kept; "
        "Stopped: state and offsets dropped. Default Running.",
    )
    template: TemplateRef = Field(description="The template that the job configures.")
    message_channel: MessageChannel = Field(
        default=MessageChannel.REAL_TIME,
        description="RealTime reads what devices send, Offline historical data. Default RealTime. StateBreaking.",
    )
    time_window_aggregation: TimeWindowAggregation = Field(
        description="Configuration of the template time-window-aggregation."
    )
    resources: Resources = Field(default=Resources(), description="What the job takes of the OU's capacity.")
    priority: int = Field(
        default=0,
        ge=-1000,
        le=1000,
        description="Order in the OU's queue: higher first, then the older job. Default 0. Live.",
    )
    rate_limit: int | None = Field(
        default=None,
        ge=1,
        le=10_000_000,
        description="Messages per second that the job reads at most. Default: no limit. Restart. Example: 1000.",
    )
    start_from: StartFrom = Field(default=StartFrom(), description="Which records the job's first start reads.")
    future_tolerance: Duration = Field(
        default=Duration.parse("5m"),
        description="How far a record's time may lie ahead of the clock; records beyond are refused and counted. "
        "Default 5m. Restart.",
    )
    lifecycle: Lifecycle = Field(default=Lifecycle(), description="Deadlines of starting and stopping.")
    restart: Restart = Field(default=Restart(), description="How a failed driver is replaced.")
    restart_nonce: int = Field(
        default=0, ge=0, le=2**31 - 1, description="Change it to restart the driver by hand. Default 0. Restart."
    )
    image: Annotated[str, StringConstraints(min_length=1, max_length=512)] | None = Field(
        default=None, description="Runtime image in place of the catalogue's. Restart."
    )
