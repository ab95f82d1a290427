"""Values of any type as a state holds them, for people to read."""

import json
from collections.abc import Mapping
from typing import Any


def value_of(row: Mapping[str, Any]) -> float | int | str | bool | None:
    """Return the value of a row with ``value``, ``is_int`` and, where there are texts, ``text``: JSON of one."""
    if row.get("text") is not None:
        written: str | bool = json.loads(row["text"])
        return written
    return int(row["value"]) if row["is_int"] else row["value"]
