"""How a job starts, stops, and comes back after a failure."""

import re
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticKnownError

from streamjob_api.base import ApiModel, Bool, Int
from streamjob_api.diffs import LIVE, RESTART
from streamjob_api.duration_limits import AtLeastASecond
from streamjob_api.durations import Duration
from streamjob_api.rule_faults import RuleFault
from streamjob_api.schema_marks import rules, unit

# https://www.rfc-editor.org/rfc/rfc3339#section-5.6
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _rfc3339(value: Any) -> Any:
    """Let no number through, no date and no local time: pydantic would take them all."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise PydanticKnownError("datetime_parsing", {"error": "no RFC 3339 time"})
    return value


class DesiredState(StrEnum):
    """What the user wants of a job."""

    DRAFT = "Draft"
    RELEASED = "Released"
    RUNNING = "Running"
    PAUSED = "Paused"
    STOPPED = "Stopped"


class StartMode(StrEnum):
    """Which records a job without a checkpoint reads first."""

    LATEST = "Latest"
    EARLIEST = "Earliest"
    TIMESTAMP = "Timestamp"


class UpgradeMode(StrEnum):
    """What happens to a job's state when a change breaks it."""

    STATEFUL = "Stateful"
    STATELESS = "Stateless"


class StartFrom(ApiModel):
    """Which records a job without a checkpoint reads first."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "time is required with mode Timestamp, and only there",
                "(has(self.mode) && self.mode == 'Timestamp') == has(self.time)",
            )
        )
    )

    mode: StartMode = Field(
        default=StartMode.LATEST,
        description="Latest: new records only; Earliest: all that the topic holds; Timestamp: from 'time' on.",
        json_schema_extra=LIVE,
    )
    time: Annotated[datetime, BeforeValidator(_rfc3339)] | None = Field(
        default=None,
        description="With mode Timestamp: records written to the topic at this time or later are read. RFC 3339.",
        examples=["2026-01-31T00:00:00Z"],
        json_schema_extra=LIVE,
    )

    def faults(self) -> Iterator[RuleFault]:
        """A time goes with mode Timestamp."""
        if self.mode is StartMode.TIMESTAMP and self.time is None:
            yield RuleFault("required with mode Timestamp; write a time, as in 2026-01-31T00:00:00Z", ("time",))
        if self.mode is not StartMode.TIMESTAMP and self.time is not None:
            yield RuleFault("only with mode Timestamp; leave it out or change the mode", ("time",))


class Lifecycle(ApiModel):
    """Deadlines of starting, stopping and pausing."""

    start_deadline: AtLeastASecond = Field(
        default=Duration.parse("5m"),
        description="How long a driver may take from its creation to ready; then it is replaced.",
        examples=["10m"],
        json_schema_extra=LIVE,
    )
    stop_deadline: Duration = Field(
        default=Duration.parse("2m"),
        description="How long a driver may take to finish its micro-batch when asked to stop.",
        examples=["5m"],
        json_schema_extra=RESTART,
    )
    pause_limit: Duration = Field(
        default=Duration.parse("24h"),
        description="How long a job may be paused before a condition asks for a decision.",
        examples=["7d"],
        json_schema_extra=LIVE,
    )
    rollback_on_failure: Bool = Field(
        default=False,
        description="Whether the last stable spec is run again when a changed one does not become healthy.",
        json_schema_extra=LIVE,
    )


class Restart(ApiModel):
    """How a failed driver is replaced."""

    max_failures: Int = Field(
        default=10,
        ge=0,
        le=1000,
        description="Consecutive failures of the job itself before RestartsExhausted.",
        examples=[3],
        json_schema_extra=LIVE | unit("failures"),
    )
    backoff: AtLeastASecond = Field(
        default=Duration.parse("10s"),
        description="Wait before the first restart; it doubles with every further one.",
        examples=["30s"],
        json_schema_extra=LIVE,
    )
    backoff_max: Duration = Field(
        default=Duration.parse("5m"), description="Longest wait.", examples=["10m"], json_schema_extra=LIVE
    )
    reset_after: AtLeastASecond = Field(
        default=Duration.parse("1h"),
        description="Healthy time after which failures are counted from zero again.",
        examples=["2h"],
        json_schema_extra=LIVE,
    )

    def faults(self) -> Iterator[RuleFault]:
        """The longest wait is the longest."""
        if self.backoff.milliseconds > self.backoff_max.milliseconds:
            message = f"'{self.backoff}' is longer than backoffMax '{self.backoff_max}'; write a shorter one"
            yield RuleFault(message, ("backoff",))
