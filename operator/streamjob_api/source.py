"""Where an OU's records come from when its devices speak differently: own topic names, and a mapping of messages."""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from streamjob_api import forms
from streamjob_api.base import ApiModel
from streamjob_api.json_paths import JsonPath
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault
from streamjob_api.schema_marks import rules
from streamjob_api.topics import Topics

MAX_MAPPED_POINTS = 200
# Ids of models and of points are alike.
Id = Annotated[str, StringConstraints(pattern=forms.MODEL.pattern, max_length=128)]


class TimeUnit(StrEnum):
    """How a message writes its time."""

    MS = "ms"
    S = "s"
    US = "us"
    NS = "ns"
    ISO8601 = "iso8601"


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

    name: Id | None = Field(default=None, description="The model of all assets.", examples=["ElectricMeter"])
    path: JsonPath | None = Field(
        default=None, description="Path of the model's name in the message.", examples=["device.type"]
    )

    @classmethod
    def faults_of_form(cls, raw: Mapping[str, Any]) -> Iterator[RuleFault]:
        """One of both."""
        yield from _exactly_one(raw, {"name": ["name"], "path": ["path"]})


class MappedPoint(ApiModel):
    """Where a record names the one point whose value it has."""

    path: JsonPath = Field(
        description="Path of the point's name, a string or a whole number.", examples=["sensor", "$.sensor"]
    )
    names: dict[str, Id] = Field(
        default={},
        max_length=MAX_MAPPED_POINTS,
        description="What messages call a point to the point's id; several names may stand for one point. A name that "
        "is not listed is the id itself.",
        examples=[{"temperature": "Temp"}],
    )


class MessageMapping(ApiModel):
    """How a JSON message of other people's devices is read: where it has asset, time, model and points.

    A path is a list of member names and list indices, as in ``device.id``, ``readings[0]`` or
    ``values['energy.total']``. With ``records``, paths begin at each element of that list; those that begin with
    ``$`` at the message.
    """

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "write exactly one of points, values, and point with value",
                (
                    "[has(self.points) && self.points.size() > 0, has(self.values), has(self.point) || has(self.value)]"
                    ".exists_one(given, given)"
                ),
            ),
            ("write both of point and value, or neither", "has(self.point) == has(self.value)"),
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
        "of points, values, and point with value.",
        examples=[{"Reading": "values.energy", "Power": "values.power"}],
    )
    values: JsonPath | None = Field(
        default=None,
        description="Path of an object whose members are points, named by their ids; $ for the message itself. Exactly "
        "one of points, values, and point with value.",
        examples=["values"],
    )
    point: MappedPoint | None = Field(
        default=None,
        description="For records of one value: where they name their point. Only with value.",
        examples=[{"path": "sensor"}],
    )
    value: JsonPath | None = Field(
        default=None,
        description="Path of the value of a record that names its point. Only with point.",
        examples=["reading"],
    )

    @classmethod
    def faults_of_form(cls, raw: Mapping[str, Any]) -> Iterator[RuleFault]:
        """One of points, values, and point with value."""
        yield from _exactly_one(
            raw, {"points": ["points"], "values": ["values"], "point with value": ["point", "value"]}
        )
        missing = [name for name in ("point", "value") if raw.get(name) is None]
        if len(missing) == 1:
            yield RuleFault(f"write both of point and value, or neither; {missing[0]} is missing")

    def faults(self) -> Iterator[RuleFault]:
        """Points whose id no job can name, and ``$`` where it cannot be meant."""
        for point in self.points:
            if not re.fullmatch(PointRef.PATTERN, f"m::{point}", re.ASCII):
                yield RuleFault(f"{point!r} is no point id; a job names it as in {PointRef.EXAMPLE}", ("points", point))
        for place, path in self._inner_paths():
            if path is not None and not path.steps:
                yield RuleFault("'$' is the message itself; write the path of one of its values", place)

    def _inner_paths(self) -> Iterator[tuple[tuple[str, ...], JsonPath | None]]:
        """The paths that lead to something within a message, by their place in the mapping."""
        yield ("asset",), self.asset
        yield ("time", "path"), self.time.path
        yield ("model", "path"), self.model.path
        yield from ((("points", name), path) for name, path in self.points.items())
        yield ("point", "path"), self.point.path if self.point else None
        yield ("value",), self.value


class Source(ApiModel):
    """Where records come from, and how they are read; both default to the service's own form."""

    topics: Topics = Field(default=Topics(), description="The OU's own names of topics.")
    mapping: MessageMapping | None = Field(
        default=None,
        description="How messages of the origin topics are read. Results keep the service's form. Default: the "
        "service's form.",
    )


def _exactly_one(raw: Mapping[str, Any], choices: Mapping[str, Sequence[str]]) -> Iterator[RuleFault]:
    """``choices`` are fields, several that go together under one name."""
    given = [choice for choice, names in choices.items() if any(raw.get(name) for name in names)]
    if len(given) == 1:
        return
    *others, last = choices
    if others[1:]:
        listed, told = f"{', '.join(others)}, and {last}", f"{' and '.join(given)} are" if given else "none is"
    else:
        listed, told = f"{others[0]} and {last}", "both are" if given else "neither is"
    yield RuleFault(f"write exactly one of {listed}; {told} there")
