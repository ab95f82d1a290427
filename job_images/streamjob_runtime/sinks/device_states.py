"""Connections of devices and counts of sites in Redis: one hash for each, which an older attempt never turns back."""

from collections.abc import Callable, Iterable, Mapping

import polars as pl
from redis import Redis

from streamjob_runtime.sinks.redis import until_written
from streamjob_runtime.sinks.redis_scripts import CALLS, Script, arguments_of
from streamjob_runtime.waiting import Waits

_CONNECTION = {
    "connection": pl.when("is_online").then(pl.lit("online")).otherwise(pl.lit("offline")),
    "since": pl.col("since"),
    "lastSeen": pl.col("seen"),
}
_SITE = {"online": pl.col("online"), "offline": pl.col("offline"), "since": pl.col("time")}


class DeviceStates:
    """The devices and sites of one OU."""

    def __init__(self, client: "Redis", org_id: str, waits: Waits) -> None:
        self._script = Script.beside(client, __file__, "device_states.lua")
        self._org_id = org_id
        self._waits = waits

    def write(self, connections: Iterable[pl.DataFrame], sites: pl.DataFrame, revision: str) -> None:
        """Write rows of DeviceTables and SITE_STATES, of which the later ones count; tries until Redis has them.

        Raises:
            Interrupted: the driver is told to stop meanwhile.
        """
        devices = [self._calls(frame, "asset", state_key, _CONNECTION, revision) for frame in connections]
        calls = pl.concat([CALLS.to_frame(), *devices, self._calls(sites, "site", site_key, _SITE, revision)])
        last = calls.unique("key", keep="last", maintain_order=True)
        if last.height:
            until_written(lambda: self._script.call(last), self._waits)

    def _calls(
        self,
        states: pl.DataFrame,
        name: str,
        key: Callable[[str, str], str],
        fields: Mapping[str, pl.Expr],
        revision: str,
    ) -> pl.DataFrame:
        """Return CALLS of the script: the revision, then names and values of a hash's fields."""
        keys = pl.Series("key", [key(self._org_id, each) for each in states[name]], dtype=pl.String)
        pairs = [part for field, value in fields.items() for part in (pl.lit(field), value.cast(pl.String))]
        return states.select(keys, *arguments_of(pl.lit(revision), *pairs))


def state_key(org_id: str, asset: str) -> str:
    """The hash of a device; the braces are Redis Cluster's hash tag."""
    return f"streamjob:state:{org_id}:{{{asset}}}"


def site_key(org_id: str, site: str) -> str:
    """The hash of a site."""
    return f"streamjob:site:{org_id}:{{{site}}}"
