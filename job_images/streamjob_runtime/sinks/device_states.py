"""Connections of devices and counts of sites in Redis: one hash for each, which an older attempt never turns back."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
from redis import Redis

from streamjob_runtime.sinks.redis import until_written
from streamjob_runtime.waiting import Waits

_SCRIPT = Path(__file__).with_name("device_states.lua").read_text()
_HASHES_AT_ONCE = 1000


class DeviceStates:
    """The devices and sites of one OU."""

    def __init__(self, client: "Redis", org_id: str, waits: Waits) -> None:
        self._client = client
        self._org_id = org_id
        self._waits = waits

    def write(self, connections: Iterable[pl.DataFrame], sites: pl.DataFrame, revision: str) -> None:
        """Write rows of DeviceTables and SITE_STATES, the later ones last; tries until Redis has them.

        Raises:
            Interrupted: the driver is told to stop meanwhile.
        """
        devices = (fields for frame in connections for fields in self._devices(frame))
        hashes = dict([*devices, *self._sites(sites)])
        if hashes:
            until_written(lambda: self._put(list(hashes.items()), revision), self._waits)

    def _devices(self, connections: pl.DataFrame) -> Iterator[tuple[str, list[Any]]]:
        columns = connections.select("asset", "is_online", "since", "seen")
        for asset, is_online, since, seen in columns.iter_rows():
            connection = "online" if is_online else "offline"
            yield state_key(self._org_id, asset), ["connection", connection, "since", since, "lastSeen", seen]

    def _sites(self, states: pl.DataFrame) -> Iterator[tuple[str, list[Any]]]:
        for site, time, online, offline in states.select("site", "time", "online", "offline").iter_rows():
            yield site_key(self._org_id, site), ["online", online, "offline", offline, "since", time]

    def _put(self, hashes: list[tuple[str, list[Any]]], revision: str) -> None:
        sha = self._client.script_load(_SCRIPT)
        for begin in range(0, len(hashes), _HASHES_AT_ONCE):
            with self._client.pipeline(transaction=False) as pipeline:
                for key, fields in hashes[begin : begin + _HASHES_AT_ONCE]:
                    pipeline.evalsha(sha, 1, key, revision, *fields)
                pipeline.execute()


def state_key(org_id: str, asset: str) -> str:
    """The hash of a device; the braces are Redis Cluster's hash tag."""
    return f"streamjob:state:{org_id}:{{{asset}}}"


def site_key(org_id: str, site: str) -> str:
    """The hash of a site."""
    return f"streamjob:site:{org_id}:{{{site}}}"
