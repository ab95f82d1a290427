"""What the command asks a short pod beside a job's checkpoint, and what that answers: one JSON object a line."""

import base64
import zlib
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import Field

from streamjob_api.base import ApiModel
from streamjob_api.points import PointRef

# Assets times points of one call.
MAX_COMBINATIONS: Final = 100_000
# One argument of a process may have 128 KiB, an object of the API server little more than 1 MiB.
_ARGUMENT_CHARACTERS = 100_000
MAX_REQUEST_CHARACTERS: Final = 900_000


class Action(StrEnum):
    """What is asked."""

    SHOW_OFFSETS = "ShowOffsets"
    RESET_OFFSETS = "ResetOffsets"
    SHOW_STATE = "ShowState"
    FORGET_STATE = "ForgetState"


class Position(ApiModel):
    """Where a partition is to be read next."""

    topic: str | None = Field(default=None, description="None: the only topic that the job reads.")
    partition: int = Field(ge=0)
    position: int = Field(ge=0)


class Target(ApiModel):
    """Where to read on: one of the ends, a time, or the positions of some partitions."""

    end: Literal["earliest", "latest"] | None = None
    time: datetime | None = None
    positions: list[Position] = Field(default=[])
    topic: str | None = Field(default=None, description="Only this topic is reset.")


class ToolRequest(ApiModel):
    """One call."""

    action: Action
    to: Target | None = None
    only_try: bool = Field(default=False, description="Say what a reset would do, and change nothing.")
    assets: list[str] = Field(default=[], description="Ids, or patterns of ids as in spec.assets.")
    points: list[PointRef] = Field(default=[], description="None: all inputs of the job.")


class OffsetRow(ApiModel):
    """One partition, as the checkpoint has it and as the brokers do."""

    topic: str
    partition: int
    position: int = Field(description="The next message to read.")
    earliest: int | None = Field(default=None, description="The first message that the topic still holds.")
    latest: int | None = Field(default=None, description="Where the topic ends.")
    lag: int | None = Field(default=None, description="Messages not yet read.")
    after: int | None = Field(default=None, description="The position after a reset.")


class HeldRow(ApiModel):
    """One thing that a job's state holds of an asset and point."""

    asset: str
    point: str = Field(description="model::point; empty for what is held of the asset as a whole.")
    kind: str
    fields: dict[str, Any] = Field(default={})
    pending: bool = Field(default=False, description="Whether it is forgotten when the job goes on.")


class PendingEdit(ApiModel):
    """A deletion that the job takes up when it goes on."""

    assets: list[str]
    points: list[PointRef]
    at: datetime


class Done(ApiModel):
    """The last line of a call that was carried out."""

    rows: int = Field(description="How many rows came before it, so that a lost one is noticed.")
    batch_id: int = Field(default=-1, description="The last committed micro-batch; -1 before the first.")
    note: str = ""


class Answer(ApiModel):
    """One line."""

    offset: OffsetRow | None = None
    held: HeldRow | None = None
    pending: PendingEdit | None = None
    done: Done | None = None
    refused: str | None = Field(default=None, description="Why nothing was done.")


def to_arguments(request: ToolRequest) -> list[str]:
    """Return a request as arguments of a process, none of them too long."""
    packed = zlib.compress(request.model_dump_json(exclude_defaults=True).encode(), level=9)
    text = base64.b64encode(packed).decode()
    return [text[begin : begin + _ARGUMENT_CHARACTERS] for begin in range(0, len(text), _ARGUMENT_CHARACTERS)]


def from_arguments(arguments: Sequence[str]) -> ToolRequest:
    """Read what ``to_arguments`` made."""
    return ToolRequest.model_validate_json(zlib.decompress(base64.b64decode("".join(arguments))))
