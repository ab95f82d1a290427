"""What crosses between the source, the state and the sink: rows of one shard, each carrying a block."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any, NamedTuple


class Kind(IntEnum):
    """What a row's block holds."""

    POINTS = 0
    RESULTS = 1
    COUNTS = 2
    DEAD_LETTERS = 3
    TICK = 4
    DEADLINE = 5
    LATEST = 6
    CONNECTIONS = 7
    SITES = 8
    FORGET = 9


FIRST = b"first"


class BlockRow(NamedTuple):
    """One row; the same columns before and after the state.

    Attributes:
        shard: the key of the state.
        kind: what the block holds.
        origin: ``<topic>/<partition>`` that it was read from; orders the blocks of a shard.
        now: the clock of the micro-batch, epoch ms.
        block: for counts, deadlines and what is to be forgotten (``edits``) JSON; FIRST for a tick that every shard is
            given after a start, empty for any other; for all other kinds as in ``blocks``.
    """

    shard: int
    kind: int
    origin: str
    now: int
    block: bytes


Counts = dict[str, int]


def counts_row(shard: int, origin: str, now_ms: int, counts: Mapping[str, int]) -> BlockRow:
    """Counts as a row."""
    return BlockRow(shard, Kind.COUNTS, origin, now_ms, json.dumps(dict(counts)).encode())


def added_up(blocks: Iterable[bytes]) -> Counts:
    """The sum of rows of counts; of ``maxTime`` the highest."""
    total: Counter[str] = Counter()
    highest: list[int] = []
    for block in blocks:
        counts: dict[str, Any] = json.loads(block)
        if (time_ms := counts.pop("maxTime", None)) is not None:
            highest.append(time_ms)
        total.update(counts)
    return dict(total) | ({"maxTime": max(highest)} if highest else {})
