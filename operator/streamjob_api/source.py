"""Where an OU's records come from when its devices speak differently: own topic names, and a mapping of messages."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from streamjob_api import forms
from streamjob_api.base import ApiModel
from streamjob_api.json_paths import JsonPath
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault
from streamjob_api.schema_marks import rules

MAX_MAPPED_POINTS = 200
# Kafka's own rule; its topics "." and ".." would be folders.
TopicName = Annotated[str, StringConstraints(pattern=forms.TOPIC.pattern, max_length=249)]


class TimeUnit(StrEnum):
    """How a message writes its time."""

    MS = "ms"
    S = "s"
    US = "us"
    NS = "ns"
    ISO8601 = "iso8601"


class Topics(ApiModel):
    """The OU's own names of topics; each differs from all others."""

    origin: TopicName | None = Field(
        default=None,
        description="What devices send. Default: MEASURE_POINT_ORIGIN_<orgId>.",
        examples=["plant-raw"],
    )
    cal: TopicName | None = Field(
        default=None, description="Results. Default: MEASURE_POINT_CAL_<orgId>.", examples=["plant-results"]
    )
    offline_origin: TopicName | None = Field(
        default=None,
        description="Historical data, for jobs with messageChannel Offline. "
        "Default: MEASURE_POINT_OFFLINE_ORIGIN_<orgId>.",
        examples=["plant-history"],
    )
    offline_cal: TopicName | None = Field(
        default=None,
        description="Results of jobs with messageChannel Offline. Default: MEASURE_POINT_OFFLINE_CAL_<orgId>.",
        examples=["plant-history-results"],
    )
    dead_letter: TopicName | None = Field(
        default=None,
        description="Messages that cannot be read. Default: STREAMJOB_DEAD_LETTER_<orgId>.",
        examples=["plant-unreadable"],
    )

    def named_for(self, org_id: str) -> "TopicNames":
        """The names that an OU's drivers use."""
        return TopicNames(
            origin=self.origin or f"MEASURE_POINT_ORIGIN_{org_id}",
            cal=self.cal or f"MEASURE_POINT_CAL_{org_id}",
            offline_origin=self.offline_origin or f"MEASURE_POINT_OFFLINE_ORIGIN_{org_id}",
            offline_cal=self.offline_cal or f"MEASURE_POINT_OFFLINE_CAL_{org_id}",
            dead_letter=self.dead_letter or f"STREAMJOB_DEAD_LETTER_{org_id}",
        )

    def clashes(self, org_id: str) -> list[str]:
        """What is wrong where a written name is also the default of another use; only the orgId tells."""
        names = asdict(self.named_for(org_id))
        return list(_clashes({to_camel(use): name for use, name in names.items()}))

    def faults(self) -> Iterator[RuleFault]:
        """Names that Kafka refuses, and one name for two uses."""
        written = self.model_dump(exclude_none=True)
        for use, name in written.items():
            if name in {".", ".."}:
                yield RuleFault(f"{name!r} is no topic name; Kafka refuses it", (use,))
        yield from map(RuleFault, _clashes(written))


@dataclass(frozen=True)
class TopicNames:
    """The topics of an OU, by what they hold."""

    origin: str
    cal: str
    offline_origin: str
    offline_cal: str
    dead_letter: str


def _clashes(names: Mapping[str, str]) -> Iterator[str]:
    uses: dict[str, list[str]] = {}
    for use, name in names.items():
        uses.setdefault(name, []).append(use)
    for name, several in uses.items():
        if len(several) > 1:
            yield f"topic {name!r} serves as {' and '.join(several)}; give each its own topic"


class MappedTime(ApiModel):
    """Where a message has its event time, and how it is written."""

    path: JsonPath = Field(description="Path of the time.", examples=["ts"])
    unit: TimeUnit = Field(
        default=TimeUnit.MS,
        description="ms, s, us or ns since 1970-01-01T00:00:00Z, as a number or as a string of one; or iso8601: an "
        "RFC 3339 text with its time zone, as 2026-01-31T08:00:00.250Z. What is finer than a millisecond is cut off. "
        "Default ms.",
        examples=["s"],
    )


class MappedModel(ApiModel):
    """The thing model of a message's asset: the same for all, or where a message names it."""

    model_config = ConfigDict(
        json_schema_extra=rules(("write exactly one of name and path", "has(self.name) != has(self.path)"))
    )

    name: Annotated[str, StringConstraints(pattern=forms.MODEL.pattern, max_length=128)] | None = Field(
        default=None, description="The model of all assets.", examples=["ElectricMeter"]
    )
    path: JsonPath | None = Field(
        default=None, description="Path of the model's name in the message.", examples=["device.type"]
    )

    @classmethod
    def faults_of_form(cls, raw: Mapping[str, Any]) -> Iterator[RuleFault]:
        """One of both."""
        yield from _exactly_one(raw, "name", "path")


class MessageMapping(ApiModel):
    """How a JSON message of other people's devices is read: where it has asset, time, model and points.

    A path is a list of member names and list indices, as in ``device.id``, ``readings[0]`` or
    ``values['energy.total']``. With ``records``, paths begin at each element of that list; those that begin with
    ``$`` at the message.
    """

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "write exactly one of points and values",
                "(has(self.points) && self.points.size() > 0) != has(self.values)",
            )
        )
    )

    records: JsonPath | None = Field(
        default=None,
        description="Path of a list whose elements are records; $ if the message itself is the list. Default: the "
        "message is one record.",
        examples=["readings"],
    )
    asset: JsonPath = Field(
        description="Path of the asset's id, a string or a whole number.", examples=["device.id", "$.device.id"]
    )
    time: MappedTime = Field(description="Where the event time stands.", examples=[{"path": "ts", "unit": "s"}])
    model: MappedModel = Field(
        description="The thing model of the assets: exactly one of name and path.", examples=[{"name": "ElectricMeter"}]
    )
    points: dict[str, JsonPath] = Field(
        default={},
        max_length=MAX_MAPPED_POINTS,
        description="Point id to path of its value. A point whose path leads nowhere is not in the record. Exactly one "
        "of points and values.",
        examples=[{"Reading": "values.energy", "Power": "values.power"}],
    )
    values: JsonPath | None = Field(
        default=None,
        description="Path of an object whose members are points, named by their ids; $ for the message itself. Exactly "
        "one of points and values.",
        examples=["values"],
    )

    @classmethod
    def faults_of_form(cls, raw: Mapping[str, Any]) -> Iterator[RuleFault]:
        """One of points and values."""
        yield from _exactly_one(raw, "points", "values")

    def faults(self) -> Iterator[RuleFault]:
        """Points whose id no job can name, and ``$`` where it cannot be meant."""
        for point in self.points:
            if not re.fullmatch(PointRef.PATTERN, f"m::{point}", re.ASCII):
                yield RuleFault(f"{point!r} is no point id; a job names it as in {PointRef.EXAMPLE}", ("points", point))
        single = {("asset",): self.asset, ("time", "path"): self.time.path, ("model", "path"): self.model.path}
        for place, path in [*single.items(), *((("points", name), path) for name, path in self.points.items())]:
            if path is not None and not path.steps:
                yield RuleFault("'$' is the message itself; write the path of one of its values", place)


class Source(ApiModel):
    """Where records come from, and how they are read; both default to the service's own form."""

    topics: Topics = Field(default=Topics(), description="The OU's own names of topics.")
    mapping: MessageMapping | None = Field(
        default=None,
        description="How messages of the origin topics are read. Results keep the service's form. Default: the "
        "service's form.",
    )


def _exactly_one(raw: Mapping[str, Any], first: str, second: str) -> Iterator[RuleFault]:
    given = [name for name in (first, second) if raw.get(name)]
    if len(given) != 1:
        yield RuleFault(f"write exactly one of {first} and {second}; {'both are' if given else 'neither is'} there")
