"""Latest values in Redis: one hash for each asset, upserted by time and revision, so that replays never go back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from redis import Redis
from redis.exceptions import AuthenticationError, AuthorizationError, NoPermissionError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from streamjob_api.connections import Redis as RedisConnection
from streamjob_api.job_file import REDIS_AUTH_DIR
from streamjob_runtime.sinks.redis_scripts import Script, arguments_of
from streamjob_runtime.waiting import FIRST_PAUSE_SECONDS, Waits, longer

PART = "redis-sink"
_TIMEOUT_SECONDS = 5.0
_DENIED = (AuthenticationError, AuthorizationError, NoPermissionError)
_AWAY = (RedisConnectionError, RedisTimeoutError, OSError)


def connect(connection: RedisConnection, auth_dir: Path = Path(REDIS_AUTH_DIR)) -> "Redis":
    """A client of the OU's Redis; it connects at its first command."""
    options: dict[str, Any] = {
        name: (auth_dir / name).read_text().strip() for name in ("username", "password") if (auth_dir / name).exists()
    }
    if connection.url.startswith("rediss:"):
        files = {"ssl_ca_certs": "ca.crt", "ssl_certfile": "user.crt", "ssl_keyfile": "user.key"}
        options |= {name: str(auth_dir / file) for name, file in files.items() if (auth_dir / file).exists()}
    return Redis.from_url(
        connection.url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS, **options
    )


def why_waiting(error: Exception) -> tuple[str, str]:
    """A client's error as a reason to wait, in Redis' own words."""
    words = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, _DENIED):
        return "RedisDenied", words
    return ("RedisUnreachable" if isinstance(error, _AWAY) else "RedisRefused"), words


def until_written(write: Callable[[], None], waits: Waits) -> None:
    """Write, as often as it takes until Redis has it.

    Raises:
        Interrupted: the driver is told to stop meanwhile.
    """
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            write()
        except (RedisError, OSError) as error:
            waits.report(PART, *why_waiting(error))
        else:
            waits.clear(PART)
            return
        waits.pause(pause)
        pause = longer(pause)


class LatestValues:
    """The latest values of one OU."""

    def __init__(self, client: "Redis", org_id: str, waits: Waits) -> None:
        self._script = Script.beside(client, __file__, "latest_values.lua")
        self._org_id = org_id
        self._waits = waits

    def write(self, newest: pl.DataFrame, revision: str) -> None:
        """Upsert the rows of ``records.latest``; tries until Redis has them.

        Raises:
            Interrupted: the driver is told to stop meanwhile.
        """
        assets = by_asset(newest, revision)
        keys = pl.Series("key", [latest_key(self._org_id, asset) for asset in assets["asset"]], dtype=pl.String)
        calls = assets.select(keys, "count", "arguments")
        until_written(lambda: self._script.call(calls), self._waits)


def latest_key(org_id: str, asset: str) -> str:
    """The hash of an asset; the braces are Redis Cluster's hash tag."""
    return f"streamjob:latest:{org_id}:{{{asset}}}"


def by_asset(newest: pl.DataFrame, revision: str) -> pl.DataFrame:
    """``asset``, and ``count`` and ``arguments`` of CALLS: what a call takes, all points of an asset together."""
    json = pl.concat_str(
        pl.lit('{"time":'), "time", pl.lit(',"value":'), "value", pl.lit(f',"quality":0,"rev":"{revision}"}}')
    )
    of_point = arguments_of(pl.col("point").cast(pl.String), pl.col("time").cast(pl.String), pl.lit(revision), json)
    rows = newest.select("asset", *of_point)
    if rows["asset"].n_unique() == rows.height:
        return rows  # as the groups would be, which take twice as long as all before them
    return rows.group_by("asset", maintain_order=True).agg(pl.col("count").sum(), pl.col("arguments").str.join(""))
