"""Hashes of assets in Redis, read by the workers that hold state, and kept a while.

What has changed in Redis counts from the first micro-batch that reads it anew, at most ``REFRESH_SECONDS`` and one
micro-batch later, unless nothing is kept. A micro-batch that is tried again after a failure may therefore see newer
values.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from streamjob_api.connections import Redis as RedisConnection
from streamjob_api.job_file import REDIS_AUTH_DIR
from streamjob_runtime.sinks.redis import connect, why_waiting
from streamjob_runtime.waiting import FIRST_PAUSE_SECONDS, Interrupted, Waits, longer

# How long a worker takes an asset's hash as read; bounds what an engineer waits after a change.
REFRESH_SECONDS = 60.0
# Rows that a worker keeps, each what is read together of an asset: 30 to 40 MiB of short values in all. What is beyond
# is read from Redis in every micro-batch.
MOST_KEPT = 100_000
_ASSETS_AT_ONCE = 1000

Row = TypeVar("Row")
# The fields of a hash as they are written, None for those that it has not; of what is no hash, each is NO_HASH.
Written = Sequence[bytes | None]
NO_HASH = b"is no hash"  # and no JSON either


@dataclass
class _Kept(Generic[Row]):
    """Rows by the number of a binding and the asset, with the time of their reading; the oldest first.

    Attributes:
        seconds: how long a row is taken as read.
    """

    seconds: float
    rows: dict[tuple[int, str], tuple[float, Row]] = field(default_factory=dict)

    def get(self, place: tuple[int, str], now: float) -> Row | None:
        """What was read of an asset; None where it is not known, or too old."""
        read_at, row = self.rows.get(place, (now, None))
        return row if now - read_at < self.seconds else None

    def put(self, place: tuple[int, str], row: Row, now: float) -> None:
        """Keep what was read now, in the place of the oldest where there are too many."""
        if not self.seconds:
            return
        self.rows.pop(place, None)
        self.rows[place] = (now, row)
        if len(self.rows) > MOST_KEPT:
            del self.rows[next(iter(self.rows))]


@dataclass
class RedisHashes(Generic[Row]):
    """One hash for each asset; connects when it is first read.

    Attributes:
        connection: of the OU's Redis.
        key: of an asset's hash.
        row: what is made of the fields.
        part: what waits, as the driver tells it.
        is_stop_asked: whether to give up while Redis is away.
        auth_dir: folder of the files of its secret.
        clock: seconds that only go forward.
        waits: what it waits for.
        kept_seconds: how long a row is taken as read; 0: it is read each time.
    """

    connection: RedisConnection
    key: Callable[[str], str]
    row: Callable[[Written], Row]
    part: str
    is_stop_asked: Callable[[], bool]
    auth_dir: Path = Path(REDIS_AUTH_DIR)
    clock: Callable[[], float] = time.monotonic
    waits: Waits = field(default_factory=Waits)
    kept_seconds: float = REFRESH_SECONDS
    # Numbers of the fields that are read together: a template always asks for the same ones.
    _bindings: dict[tuple[str, ...], int] = field(default_factory=dict)
    _kept: _Kept[Row] = field(init=False)

    def __post_init__(self) -> None:
        self._kept = _Kept(self.kept_seconds)

    def read(self, assets: Sequence[str], fields: Sequence[str]) -> list[Row]:
        """Return what some fields hold, a row an asset in their order.

        Waits while Redis is away.

        Raises:
            Interrupted: the driver is told to stop meanwhile.
            DependencyUnavailable: Redis has denied access for minutes.
        """
        binding = self._bindings.setdefault(tuple(fields), len(self._bindings))
        now = self.clock()
        rows = {asset: self._kept.get((binding, asset), now) for asset in assets}
        unknown = [asset for asset, row in rows.items() if row is None]
        found = dict(zip(unknown, self._fetched(unknown, fields), strict=True))
        for asset, row in found.items():
            self._kept.put((binding, asset), row, now)
        kept = {asset: row for asset, row in rows.items() if row is not None} | found
        return [kept[asset] for asset in assets]

    def _fetched(self, assets: Sequence[str], fields: Sequence[str]) -> list[Row]:
        """Read from Redis; tries until it answers."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                rows = self._rows(assets, fields)
            except (RedisError, OSError) as error:
                self.waits.report(self.part, *why_waiting(error))
            else:
                self.waits.clear(self.part)
                return rows
            if self.is_stop_asked():
                raise Interrupted
            self.waits.pause(pause)
            pause = longer(pause)

    def _rows(self, assets: Sequence[str], fields: Sequence[str]) -> list[Row]:
        rows: list[Row] = []
        for begin in range(0, len(assets), _ASSETS_AT_ONCE):
            with self._client.pipeline(transaction=False) as pipeline:
                for asset in assets[begin : begin + _ASSETS_AT_ONCE]:
                    pipeline.hmget(self.key(asset), list(fields))
                rows += [self.row(_written(answer, len(fields))) for answer in pipeline.execute(raise_on_error=False)]
        return rows

    @cached_property
    def _client(self) -> Redis:
        return connect(self.connection, self.auth_dir)


def _written(answer: Any, width: int) -> Written:
    """The fields of one asset's hash; a key that is no hash spoils no other asset."""
    if isinstance(answer, ResponseError) and str(answer).startswith("WRONGTYPE"):
        return (NO_HASH,) * width
    if isinstance(answer, Exception):
        raise answer
    fields: Written = answer
    return fields
