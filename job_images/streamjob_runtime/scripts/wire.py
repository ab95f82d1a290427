"""What goes through the pipes between a driver and a script's process: numbered messages of a head and named parts.

Parts are bytes: whole columns of numbers, or lines of text. A driver reads nothing of a script's process by a format
whose reader trusts its writer (Arrow's buffers, pickles): a script can write whatever it likes into its pipe.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any, Final

# Number of the message, and its length.
PREFIX: Final = struct.Struct("<QQ")
_HEAD: Final = struct.Struct("<I")
MAX_ANSWER: Final = 32 << 20
# A head becomes Python objects, of up to twenty times its size.
MAX_HEAD: Final = 1 << 20

Parts = Mapping[str, bytes | memoryview]


class BadMessage(ValueError):  # noqa: N818 (what it is)
    """What came is no message."""


def packed(number: int, head: Mapping[str, Any], parts: Parts | None = None) -> bytes:
    """Return a message as bytes."""
    parts = parts or {}
    told = json.dumps({**head, "parts": {name: len(part) for name, part in parts.items()}}).encode()
    length = _HEAD.size + len(told) + sum(map(len, parts.values()))
    return b"".join((PREFIX.pack(number, length), _HEAD.pack(len(told)), told, *parts.values()))


def unpacked(body: bytes | bytearray, max_head: int | None = None) -> tuple[dict[str, Any], dict[str, memoryview]]:
    """Return head and parts of a message, without its prefix.

    Raises:
        BadMessage: it has another form.
    """
    try:
        (length,) = _HEAD.unpack_from(body)
        if max_head is not None and length > max_head:
            raise BadMessage("its head is too long")
        begin = _HEAD.size + length
        head = json.loads(body[_HEAD.size : begin])
        return head, _cut(memoryview(body)[begin:], head["parts"])
    except (struct.error, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise BadMessage(type(error).__name__) from error


def _cut(rest: memoryview, sizes: Mapping[str, int]) -> dict[str, memoryview]:
    parts, begin = {}, 0
    for name, size in sizes.items():
        if not isinstance(size, int) or not 0 <= size <= len(rest) - begin:
            raise BadMessage("its parts are longer than it is")
        parts[name] = rest[begin : begin + size]
        begin += size
    return parts
