"""What a micro-batch tells beside its shards' results: latest values and connections for Redis, and sites for all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from redis import Redis

from streamjob_api.job_file import JobFile
from streamjob_runtime.blocks import from_bytes, to_bytes
from streamjob_runtime.records import encode, latest
from streamjob_runtime.rows import Kind
from streamjob_runtime.sinks.device_states import DeviceStates
from streamjob_runtime.sinks.redis import LatestValues
from streamjob_runtime.templates.device_state_results import site_results
from streamjob_runtime.templates.site_totals import SiteTotals
from streamjob_runtime.waiting import Waits


@dataclass(frozen=True)
class Beside:
    """What one micro-batch tells.

    Attributes:
        latest: RESULTS that are no results of the job; of one asset and point the newest counts.
        connections: rows of DeviceTables.
        sites: SITE_STATES, by time.
        results: blocks of RESULTS, what ``sites`` come to.
    """

    latest: Sequence[pl.DataFrame]
    connections: Sequence[pl.DataFrame]
    sites: pl.DataFrame
    results: Sequence[bytes]


class BesideResults:
    """Adds up what shards tell, for as long as a driver lives, and tells the OU's Redis where it has one."""

    def __init__(self, job: JobFile, shards: int, client: "Redis | None", waits: Waits) -> None:
        self._org_id = job.org_id
        self._totals = SiteTotals(shards)
        self._site_output = job.spec.device_state.site_output if job.spec.device_state is not None else None
        self._latest = LatestValues(client, job.org_id, waits) if client else None
        self._states = DeviceStates(client, job.org_id, waits) if client else None

    def take(self, rows: Iterable[Any]) -> Beside:
        """Read the rows (``shard, kind, block``) of one micro-batch; of each once, in order."""
        told = [(row.shard, row.kind, from_bytes(bytes(row.block))) for row in rows if row.kind in _KINDS]
        sites = self._totals.take((shard, frame) for shard, kind, frame in told if kind == Kind.SITES)
        results = site_results(sites, self._site_output)
        return Beside(
            latest=[frame for _, kind, frame in told if kind == Kind.LATEST],
            connections=[frame for _, kind, frame in told if kind == Kind.CONNECTIONS],
            sites=sites,
            results=[to_bytes(results)] if results.height else [],
        )

    def write(self, beside: Beside, revision: str) -> None:
        """Tell Redis; tries until it has all.

        Raises:
            Interrupted: the driver is told to stop meanwhile.
        """
        if self._latest and beside.latest:
            encoded = [latest(encode(frame, self._org_id)) for frame in beside.latest]
            self._latest.write(pl.concat(encoded), revision)
        if self._states:
            self._states.write(beside.connections, beside.sites, revision)


_KINDS = {Kind.LATEST, Kind.CONNECTIONS, Kind.SITES}
