"""Attributes of assets in Redis: one hash for each asset, read by the workers that hold state, and kept a while.

A value that has changed in Redis counts from the first micro-batch that reads it anew, at most ``REFRESH_SECONDS`` and
one micro-batch later. A micro-batch that is tried again after a failure may therefore see newer attributes.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from streamjob_api.connections import Redis as RedisConnection
from streamjob_api.job_file import REDIS_AUTH_DIR
from streamjob_api.points import AttributeRef
from streamjob_runtime.sinks.redis import connect, why_waiting
from streamjob_runtime.templates.attribute_values import NO_SCALAR, attribute_of
from streamjob_runtime.templates.surroundings import AttributeValue
from streamjob_runtime.waiting import FIRST_PAUSE_SECONDS, Interrupted, Waits, longer

PART = "redis-attributes"
# How long a worker takes an asset's attributes as read; bounds what an engineer waits after a change.
REFRESH_SECONDS = 60.0
# Rows that a worker keeps, each what is read together of an asset: 30 to 40 MiB of short values in all. What is beyond
# is read from Redis in every micro-batch.
MOST_KEPT = 100_000
_ASSETS_AT_ONCE = 1000

Row = tuple[AttributeValue, ...]


def attributes_key(org_id: str, asset: str) -> str:
    """The hash of an asset; the braces are Redis Cluster's hash tag."""
    return f"streamjob:attributes:{org_id}:{{{asset}}}"


@dataclass
class _Kept:
    """Attributes by the number of a binding and the asset, with the time of their reading; the oldest first."""

    rows: dict[tuple[int, str], tuple[float, Row]] = field(default_factory=dict)

    def get(self, place: tuple[int, str], now: float) -> Row | None:
        """What was read of an asset; None where it is not known, or too old."""
        read_at, row = self.rows.get(place, (-REFRESH_SECONDS, None))
        return row if now - read_at < REFRESH_SECONDS else None

    def put(self, place: tuple[int, str], row: Row, now: float) -> None:
        """Keep what was read now, in the place of the oldest where there are too many."""
        self.rows.pop(place, None)
        self.rows[place] = (now, row)
        if len(self.rows) > MOST_KEPT:
            del self.rows[next(iter(self.rows))]


@dataclass
class RedisAttributes:
    """The attributes of one OU's assets; connects when it is first read.

    Attributes:
        connection: of the OU's Redis.
        org_id: the OU.
        is_stop_asked: whether to give up while Redis is away.
        auth_dir: folder of the files of its secret.
        clock: seconds that only go forward.
        waits: what it waits for.
    """

    connection: RedisConnection
    org_id: str
    is_stop_asked: Callable[[], bool]
    auth_dir: Path = Path(REDIS_AUTH_DIR)
    clock: Callable[[], float] = time.monotonic
    waits: Waits = field(default_factory=Waits)
    # Numbers of the attributes that are read together: a template always asks for the same ones.
    _bindings: dict[tuple[AttributeRef, ...], int] = field(default_factory=dict)
    _kept: _Kept = field(default_factory=_Kept)

    def read(self, assets: Sequence[str], refs: Sequence[AttributeRef]) -> Mapping[AttributeRef, list[AttributeValue]]:
        """Return the values of some attributes, one an asset in their order; None where there is none, or null.

        Waits while Redis is away.

        Raises:
            Interrupted: the driver is told to stop meanwhile.
            DependencyUnavailable: Redis has denied access for minutes.
        """
        binding = self._bindings.setdefault(tuple(refs), len(self._bindings))
        now = self.clock()
        rows = {asset: self._kept.get((binding, asset), now) for asset in assets}
        unknown = [asset for asset, row in rows.items() if row is None]
        for asset, row in zip(unknown, self._fetched(unknown, refs), strict=True):
            rows[asset] = row
            self._kept.put((binding, asset), row, now)
        found = [rows[asset] or () for asset in assets]
        return {ref: [row[number] for row in found] for number, ref in enumerate(refs)}

    def _fetched(self, assets: Sequence[str], refs: Sequence[AttributeRef]) -> list[Row]:
        """Read from Redis; tries until it answers."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                rows = self._rows(assets, refs)
            except (RedisError, OSError) as error:
                self.waits.report(PART, *why_waiting(error))
            else:
                self.waits.clear(PART)
                return rows
            if self.is_stop_asked():
                raise Interrupted
            self.waits.pause(pause)
            pause = longer(pause)

    def _rows(self, assets: Sequence[str], refs: Sequence[AttributeRef]) -> list[Row]:
        fields = [str(ref) for ref in refs]
        rows: list[Row] = []
        for begin in range(0, len(assets), _ASSETS_AT_ONCE):
            with self._client.pipeline(transaction=False) as pipeline:
                for asset in assets[begin : begin + _ASSETS_AT_ONCE]:
                    pipeline.hmget(attributes_key(self.org_id, asset), fields)
                rows += [_row(answer, len(fields)) for answer in pipeline.execute(raise_on_error=False)]
        return rows

    @cached_property
    def _client(self) -> Redis:
        return connect(self.connection, self.auth_dir)


def _row(answer: Any, width: int) -> Row:
    """One asset's attributes; a key that is no hash spoils no other asset."""
    if isinstance(answer, ResponseError) and str(answer).startswith("WRONGTYPE"):
        return (NO_SCALAR,) * width
    if isinstance(answer, Exception):
        raise answer
    return tuple(attribute_of(written) for written in answer)
