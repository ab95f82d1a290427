"""What a script gave for one call, as columns that go through a pipe; made in the script's process."""

import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from streamjob_runtime.scripts.causes import Refused, one_line
from streamjob_runtime.scripts.wire import MAX_ANSWER, packed

# Causes that a script may name in one call; further ones are told as the last of them.
MAX_CAUSES: Final = 1000
MAX_STATE: Final = 16_384
# json.dumps would make one for each call.
_JSON: Final = json.JSONEncoder(allow_nan=False)


@dataclass
class Given:
    """What came of the records of one call.

    Attributes:
        asset, time, value, is_int, point, quality: of each record that is given; an asset and a point by their places;
            a value that is not finite stands for none.
        text: JSON of a text or truth value, empty for none; attr: JSON of an object, empty for none.
        rejected: rows that the script rejects; rejected_cause: by the cause's place.
        failed: places of assets for whose records the script failed; failed_cause: likewise.
        state_of: places of assets whose state is another one; state: JSON, empty for none any more.
    """

    asset: Any = field(default_factory=partial(array, "I"))
    time: Any = field(default_factory=partial(array, "q"))
    value: Any = field(default_factory=partial(array, "d"))
    is_int: Any = field(default_factory=partial(array, "B"))
    point: Any = field(default_factory=partial(array, "H"))
    quality: Any = field(default_factory=partial(array, "q"))
    text: list[str] = field(default_factory=list)
    attr: list[str] = field(default_factory=list)
    rejected: Any = field(default_factory=partial(array, "I"))
    rejected_cause: Any = field(default_factory=partial(array, "H"))
    failed: Any = field(default_factory=partial(array, "I"))
    failed_cause: Any = field(default_factory=partial(array, "H"))
    state_of: Any = field(default_factory=partial(array, "I"))
    state: list[str] = field(default_factory=list)
    causes: dict[str, int] = field(default_factory=dict)

    def cause(self, text: object) -> int:
        """Return the place of a cause."""
        told = one_line(text)
        if told not in self.causes and len(self.causes) >= MAX_CAUSES:
            return len(self.causes) - 1
        return self.causes.setdefault(told, len(self.causes))

    def message(self, number: int) -> bytes:
        """Return the answer to a call.

        Raises:
            Refused: it is too long.
        """
        columns = {
            name: bytes(memoryview(getattr(self, name)).cast("B")) if len(getattr(self, name)) else b""
            for name in COLUMNS
        }
        lines = {name: "\n".join(getattr(self, name)).encode() for name in LINES}
        message = packed(number, {"causes": [*self.causes]}, columns | lines)
        if len(message) > MAX_ANSWER:
            raise Refused(f"gave more than {MAX_ANSWER >> 20} MiB")
        return message


# Columns with the type of their numbers, as NumPy and Polars call it.
COLUMNS: Final[Mapping[str, str]] = {
    "asset": "UInt32",
    "time": "Int64",
    "value": "Float64",
    "is_int": "UInt8",
    "point": "UInt16",
    "quality": "Int64",
    "rejected": "UInt32",
    "rejected_cause": "UInt16",
    "failed": "UInt32",
    "failed_cause": "UInt16",
    "state_of": "UInt32",
}
LINES: Final[Sequence[str]] = ("text", "attr", "state")


def as_json(value: object, what: str) -> str:
    """Return a value as JSON of one line.

    Raises:
        Refused: it is none.
    """
    try:
        return _JSON.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused(f"gave {what} that JSON cannot hold") from error
