"""When people are told of a job."""

from collections.abc import Iterator
from enum import StrEnum

from pydantic import ConfigDict, Field

from streamjob_api.base import ApiModel, Int
from streamjob_api.connections import SecretName
from streamjob_api.diffs import LIVE
from streamjob_api.duration_limits import AtLeastASecond
from streamjob_api.durations import Duration
from streamjob_api.rule_faults import RuleFault, listed_twice
from streamjob_api.schema_marks import SET, rules, unit


class AlarmState(StrEnum):
    """Phases of a job that raise an alarm."""

    QUEUED = "Queued"
    DEGRADED = "Degraded"
    PAUSED = "Paused"
    STOPPED = "Stopped"
    FAILED = "Failed"


class Webhook(ApiModel):
    """Where alarms are sent."""

    url_secret: SecretName = Field(
        description="Secret whose key 'url' holds the address.", examples=["alarm-webhook"], json_schema_extra=LIVE
    )


class Alarms(ApiModel):
    """When people are told of a job."""

    model_config = ConfigDict(json_schema_extra=rules(("for goes with lag", "!has(self.for) || has(self.lag)")))

    lag: Int | None = Field(
        default=None,
        ge=1,
        le=10**15,
        description="Lag above which an alarm is raised. Left out: no alarm of this kind.",
        examples=[10000],
        json_schema_extra=LIVE | unit("records"),
    )
    for_: Duration | None = Field(
        default=None,
        alias="for",
        description="How long the lag must stay above it; at once where nothing is given.",
        examples=["2m"],
        json_schema_extra=LIVE,
    )
    states: list[AlarmState] = Field(
        default=[],
        max_length=len(AlarmState),
        description="Phases that raise an alarm, of Queued, Degraded, Paused, Stopped and Failed.",
        examples=[["Failed"]],
        json_schema_extra=SET | LIVE,
    )
    repeat: AtLeastASecond = Field(
        default=Duration.parse("1h"),
        description="How often an alarm that stays is raised again.",
        examples=["4h"],
        json_schema_extra=LIVE,
    )
    webhook: Webhook | None = Field(default=None, description="Where alarms are sent, beside the Event and condition.")

    def faults(self) -> Iterator[RuleFault]:
        """A time goes with a lag; no state is listed twice."""
        if self.for_ is not None and self.lag is None:
            yield RuleFault("only with lag; give the lag that it goes with", ("for",))
        yield from listed_twice("states", self.states)
