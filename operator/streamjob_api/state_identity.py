"""What a job's state rests on: what of its spec and of its OU cannot change while the state is kept.

The operator refuses an edit by it, and the runtime takes its part of a checkpoint's identity from here, so that the two
are of one mind: whatever the runtime would not go on with has another identity here. How a thing is written takes no
part: ``10m`` is ``600s``, and policies may stand in any order.
"""

import json
from collections.abc import Iterator
from enum import Enum
from functools import singledispatch
from typing import Any

from pydantic import BaseModel

from streamjob_api.calculators import Graph, Stage
from streamjob_api.calculators.catalogue import canonical_name
from streamjob_api.calculators.foreign import Foreign
from streamjob_api.calculators.stages import parameters_of
from streamjob_api.diffs import Diff, given_fields
from streamjob_api.durations import Duration
from streamjob_api.expressions import Expression, printed
from streamjob_api.intervals import Interval
from streamjob_api.source import Source
from streamjob_api.stream_job import MessageChannel, StreamJobSpec
from streamjob_api.templates.energy import EnergyBlock
from streamjob_api.templates.pipeline import Pipeline
from streamjob_api.timezones import TimeZone
from streamjob_api.topics import TopicNames


def topic_names(org_id: str, source: Source | None) -> TopicNames:
    """The topics of an OU."""
    return (source or Source()).topics.named_for(org_id)


def input_topic(spec: StreamJobSpec, org_id: str, source: Source | None) -> str:
    """The topic that a job's devices send through."""
    names = topic_names(org_id, source)
    return names.offline_origin if spec.message_channel is MessageChannel.OFFLINE else names.origin


def state_identity(spec: StreamJobSpec, org_id: str, source: Source | None, timezone: TimeZone) -> dict[str, Any]:
    """All that a job's state rests on, as plain data.

    Args:
        timezone: of the OU; it counts where days are calculated and the job names none.
    """
    days = {"timezone": str(spec.block.timezone or timezone)} if isinstance(spec.block, EnergyBlock) else {}
    return {
        "template": str(spec.template.name),
        "inputTopic": input_topic(spec, org_id, source),
        "fields": dict(_state_fields(spec)),
        **days,
    }


def _state_fields(model: BaseModel) -> Iterator[tuple[str, Any]]:
    if isinstance(model, Pipeline):
        yield "stages", stage_identities(model.graph)
        return
    for name, value, diff in given_fields(model):
        if isinstance(value, BaseModel) and diff is None:
            below = dict(_state_fields(value))
            if below:
                yield name, below
        elif diff is Diff.STATE_BREAKING and not (name == "timezone" and isinstance(model, EnergyBlock)):
            yield name, _plain(value)


@singledispatch
def _plain(value: Any) -> Any:
    """A value as what it means."""
    return value if value is None or isinstance(value, bool | int | float) else str(value)


@_plain.register
def _(value: BaseModel) -> Any:
    return dict(_state_fields(value))


@_plain.register(list)
def _(value: list[Any]) -> Any:
    return sorted(map(_plain, value), key=lambda item: json.dumps(item, sort_keys=True))


@_plain.register(dict)
def _(value: dict[str, Any]) -> Any:
    return {name: _plain(below) for name, below in value.items()}


@_plain.register
def _(value: Duration) -> Any:
    return value.milliseconds


@_plain.register
def _(value: Interval) -> Any:
    return [str(value.low), str(value.high), value.low_included, value.high_included]


@_plain.register
def _(value: Expression) -> Any:
    return printed(value.tree)


def stage_identities(graph: Graph) -> dict[str, Any]:
    """All of a pipeline that its state rests on, by the stages' names, in whichever order they are listed."""
    return {node.stage.name: stage_identity(node.stage) for node in graph.under_state}


def stage_identity(stage: Stage) -> dict[str, Any]:
    """All of a pipeline's stage that its state rests on, as plain data; lists count in their order."""
    parameters = parameters_of(stage)
    is_foreign = isinstance(parameters, Foreign)
    return {
        "name": stage.name,
        "calculator": stage.calculator if is_foreign else canonical_name(type(parameters)),
        "from": [*stage.from_],
        "parameters": stage.parameters if is_foreign else _given_plain(parameters),
        "precondition": _plain(stage.precondition),
    }


def _given_plain(value: Any) -> Any:
    """A parameter as what it means: lists in their order, of parts all fields that are given."""
    if isinstance(value, list):
        return [_given_plain(each) for each in value]
    if isinstance(value, BaseModel):
        return {name: _given_plain(below) for name, below, _ in given_fields(value)}
    return _plain(value)


@_plain.register
def _(value: Enum) -> Any:
    return str(getattr(value, "canonical", value).value)
