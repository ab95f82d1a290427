"""Latest values of points in Redis: one hash for each asset, which jobs write, and others may."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from streamjob_api.connections import Redis as RedisConnection
from streamjob_api.job_file import REDIS_AUTH_DIR
from streamjob_api.points import PointRef
from streamjob_runtime.redis_hashes import RedisHashes, Written
from streamjob_runtime.sinks.redis import latest_key
from streamjob_runtime.templates.asset_values import latest_of
from streamjob_runtime.templates.surroundings import LatestValue

PART = "redis-latest-values"


class RedisLatestValues:
    """The latest values of one OU, each time as they are now; connects when it is first read."""

    def __init__(
        self,
        connection: RedisConnection,
        org_id: str,
        is_stop_asked: Callable[[], bool],
        auth_dir: Path = Path(REDIS_AUTH_DIR),
    ) -> None:
        """Name the OU and its Redis; see RedisHashes for the rest."""
        key = partial(latest_key, org_id)
        self._hashes = RedisHashes(connection, key, _row, PART, is_stop_asked, auth_dir, kept_seconds=0)

    def read(self, assets: Sequence[str], point: PointRef) -> list[LatestValue | None]:
        """Return those of a point, one an asset in their order; None where there is none.

        Waits while Redis is away.

        Raises:
            Interrupted: the driver is told to stop meanwhile.
            DependencyUnavailable: Redis has denied access for minutes.
        """
        return [value for (value,) in self._hashes.read(assets, [str(point)])]


def _row(written: Written) -> tuple[LatestValue | None]:
    """One value; in a tuple, since rows are never None."""
    return (latest_of(written[0]),)
