"""Assets and the trees that they are in, in Redis: one hash for each asset."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from streamjob_api.connections import Redis as RedisConnection
from streamjob_api.job_file import REDIS_AUTH_DIR
from streamjob_runtime.redis_hashes import NO_HASH, RedisHashes, Written
from streamjob_runtime.templates.asset_values import asset_of
from streamjob_runtime.templates.surroundings import Asset

PART = "redis-assets"
_FIELDS = ("modelId", "name", "timezone", "tags", "parents", "children")


def asset_key(org_id: str, asset: str) -> str:
    """The hash of an asset; the braces are Redis Cluster's hash tag."""
    return f"streamjob:asset:{org_id}:{{{asset}}}"


class RedisAssets:
    """The assets of one OU; connects when it is first read."""

    def __init__(
        self,
        connection: RedisConnection,
        org_id: str,
        is_stop_asked: Callable[[], bool],
        auth_dir: Path = Path(REDIS_AUTH_DIR),
    ) -> None:
        """Name the OU and its Redis; see RedisHashes for the rest."""
        self._hashes = RedisHashes(connection, partial(asset_key, org_id), _row, PART, is_stop_asked, auth_dir)

    def read(self, assets: Sequence[str]) -> list[Asset | None]:
        """Return what is known of some assets, in their order; None of those that nobody knows.

        Waits while Redis is away.

        Raises:
            Interrupted: the driver is told to stop meanwhile.
            DependencyUnavailable: Redis has denied access for minutes.
        """
        return [asset for (asset,) in self._hashes.read(assets, _FIELDS)]


def _row(written: Written) -> tuple[Asset | None]:
    """One asset; in a tuple, since rows are never None."""
    if NO_HASH in written:
        return (None,)
    return (asset_of(dict(zip(_FIELDS, written, strict=True))),)
