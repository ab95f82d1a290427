"""Attributes of assets in Redis: one hash for each asset."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from streamjob_api.connections import Redis as RedisConnection
from streamjob_api.job_file import REDIS_AUTH_DIR
from streamjob_api.points import AttributeRef
from streamjob_runtime.redis_hashes import RedisHashes, Written
from streamjob_runtime.templates.attribute_values import attribute_of
from streamjob_runtime.templates.surroundings import AttributeValue
from streamjob_runtime.waiting import Waits

PART = "redis-attributes"

Row = tuple[AttributeValue, ...]


def attributes_key(org_id: str, asset: str) -> str:
    """The hash of an asset; the braces are Redis Cluster's hash tag."""
    return f"streamjob:attributes:{org_id}:{{{asset}}}"


class RedisAttributes:
    """The attributes of one OU's assets; connects when it is first read."""

    def __init__(
        self,
        connection: RedisConnection,
        org_id: str,
        is_stop_asked: Callable[[], bool],
        auth_dir: Path = Path(REDIS_AUTH_DIR),
        *,
        clock: Callable[[], float] = time.monotonic,
        waits: Waits | None = None,
    ) -> None:
        """Name the OU and its Redis; see RedisHashes for the rest."""
        key = partial(attributes_key, org_id)
        self.waits = waits or Waits()
        self._hashes = RedisHashes(connection, key, _row, PART, is_stop_asked, auth_dir, clock, self.waits)

    def read(self, assets: Sequence[str], refs: Sequence[AttributeRef]) -> Mapping[AttributeRef, list[AttributeValue]]:
        """Return the values of some attributes, one an asset in their order; None where there is none, or null.

        Waits while Redis is away.

        Raises:
            Interrupted: the driver is told to stop meanwhile.
            DependencyUnavailable: Redis has denied access for minutes.
        """
        rows = self._hashes.read(assets, [str(ref) for ref in refs])
        return {ref: [row[number] for row in rows] for number, ref in enumerate(refs)}


def _row(written: Written) -> Row:
    return tuple(map(attribute_of, written))
