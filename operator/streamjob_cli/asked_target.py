"""``--to``: where a paused job is to read on, as people write it."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from streamjob_api.checkpoint_tools import Position, Target

_FORMS = (
    "write earliest, latest, a time as 2026-01-31T08:00:00Z, offsets as 0=1200,1=1180, or @FILE with lines that "
    "'offsets show --format json' has printed"
)


def target_of(text: str, topic: str | None) -> Target:
    """Read ``--to``.

    Raises:
        ValueError: it has none of the forms; the message says which there are.
        OSError: its file cannot be read.
    """
    if text in {"earliest", "latest"}:
        return Target.model_validate({"end": text, "topic": topic})
    if text.startswith("@"):
        return Target(positions=_of_file(Path(text[1:])), topic=topic)
    if "=" in text:
        return Target(positions=[_named(part, topic) for part in text.split(",")], topic=topic)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no place to read on from; {_FORMS}") from None
    if time.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write it as 2026-01-31T08:00:00Z")
    return Target(time=time, topic=topic)


def _named(text: str, topic: str | None) -> Position:
    partition, _, position = text.partition("=")
    if not (partition.strip().isdecimal() and position.strip().isdecimal()):
        raise ValueError(f"{text!r} is not of the form partition=offset; {_FORMS}")
    return Position(topic=topic, partition=int(partition), position=int(position))


def _of_file(file: Path) -> list[Position]:
    found = []
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        if line.strip():
            try:
                found.append(_position(json.loads(line)))
            except (AttributeError, KeyError, ValueError, ValidationError):
                raise ValueError(
                    f"{file}:{number}: {line[:80]!r} is no line like "
                    '{"topic": "MEASURE_POINT_ORIGIN_o1", "partition": 0, "position": 1200}'
                ) from None
    if not found:
        raise ValueError(f"{file} holds no positions")
    return found


def _position(row: dict[str, Any]) -> Position:
    return Position(topic=row.get("topic"), partition=row["partition"], position=row["position"])
