"""What the tests of device states share: a job, and a driver in small, fed micro-batch by micro-batch."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from oracles.device_state import Key, Moment, Reading, Value
from streamjob_api.points import AttributeRef, PointRef
from streamjob_api.stream_job import StreamJobSpec
from streamjob_runtime.blocks import from_bytes, to_bytes
from streamjob_runtime.messages import POINTS
from streamjob_runtime.rows import Kind
from streamjob_runtime.shards import Shards
from streamjob_runtime.templates import Folded, Surroundings, Template, for_job
from streamjob_runtime.templates.device_state_results import site_results
from streamjob_runtime.templates.site_totals import SiteTotals
from streamjob_runtime.templates.surroundings import AttributeValue
from unit.runtime.windows_bench import MemoryStore

BASE = 1_700_000_400_000
SECOND = 1000
MINUTE = 60 * SECOND
WATCHED: dict[str, Any] = {
    "points": ["M::A", "M::B"],
    "offlineAfter": "10m",
    "connectionOutput": "M::Connection",
    "siteAttribute": "M::Site",
    "siteOutput": "M::SiteState",
}


class Sites:
    """The attributes of assets, as a test sets them."""

    def __init__(self) -> None:
        self.held: Mapping[str, Any] = {}

    def read(self, assets: Sequence[str], refs: Sequence[AttributeRef]) -> Mapping[AttributeRef, list[AttributeValue]]:
        """The site of each asset."""
        return {ref: [self.held.get(asset) for asset in assets] for ref in refs}


def template_of(job: Mapping[str, Any], surroundings: Surroundings) -> Template:
    """The template that a job configures."""
    template = {"name": "device-state", "version": "1.0"}
    return for_job(StreamJobSpec.model_validate({"template": template, "deviceState": job}), surroundings)


def points_of(readings: Iterable[Reading]) -> pl.DataFrame:
    """Accepted records as columns, as decoding gives them."""
    schema = pl.Schema([*POINTS.items(), ("text", pl.String())])
    rows = []
    for number, (asset, point, time, value) in enumerate(readings):
        model, _, name = point.partition("::")
        is_text = isinstance(value, (str, bool))
        told = (None, False, json.dumps(value)) if is_text else (float(value), isinstance(value, int), None)
        rows.append((number, asset, model, f"/{model}", name, time, *told))
    return pl.DataFrame(rows, schema=schema, orient="row")


class Run:
    """Shards, and what a driver does with what they give.

    Attributes:
        results: value and ``attr.deviceState``, by asset (or site), output and time.
        emissions: the keys of each micro-batch's results, in order.
        latest, devices, sites: what Redis was told last.
        writes: how many rows Redis was told, by kind.
        counts: so far.
        deadline: the earliest one of all shards.
    """

    def __init__(
        self, job: Mapping[str, Any], *, shards: int = 1, calculated: frozenset[PointRef] = frozenset()
    ) -> None:
        self.attributes = Sites()
        self._template = template_of(job, Surroundings(attributes=self.attributes, calculated=calculated))
        self._output = PointRef.parse(job["siteOutput"]) if "siteOutput" in job else None
        self._shards = shards
        self._stores: dict[int, MemoryStore] = {}
        self.results: dict[Key, tuple[Value, dict[str, int]]] = {}
        self.emissions: list[list[Key]] = []
        self.latest: dict[tuple[str, str], tuple[int, Value]] = {}
        self.devices: dict[str, tuple[bool, int, int]] = {}
        self.sites: dict[str, tuple[int, int, int]] = {}
        self.writes: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.restart()

    def restart(self) -> None:
        """A new driver goes on with the state of the one before."""
        self._totals = SiteTotals(self._shards)
        self._deadlines: dict[int, int | None] | None = None

    @property
    def deadline(self) -> int | None:
        """When the next shard must tick."""
        return min((at for at in (self._deadlines or {}).values() if at is not None), default=None)

    def at(self, moment: Moment, *, partitions: Sequence[Sequence[Reading]] | None = None, chunk: int = 1000) -> None:
        """Run one micro-batch: the readings of each partition, and the shards whose deadline has come."""
        self.attributes.held = moment.sites
        blocks: dict[int, list[pl.DataFrame]] = {}
        for readings in [moment.readings] if partitions is None else partitions:
            combiner = self._template.combiner(Shards.of(8))
            for begin in range(0, len(readings), chunk):
                combiner.add(points_of(readings[begin : begin + chunk]))
            for shard, block in combiner.finish().blocks.items():
                blocks.setdefault(shard % self._shards, []).append(from_bytes(to_bytes(block)))
        folds = [*((shard, blocks[shard]) for shard in sorted(blocks)), *((shard, []) for shard in self._ticks(moment))]
        self.emissions.append([])
        self._deliver([(shard, self._fold(shard, given, moment.now)) for shard, given in folds])

    def _ticks(self, moment: Moment) -> list[int]:
        """After a start all shards; then those whose deadline has come, whether they have data or not."""
        if self._deadlines is None:
            self._deadlines = {}
            return list(range(self._shards))
        return [shard for shard, at in sorted(self._deadlines.items()) if at is not None and at <= moment.now]

    def _fold(self, shard: int, blocks: Sequence[pl.DataFrame], now_ms: int) -> Folded:
        folded = self._template.fold(self._stores.setdefault(shard, MemoryStore()), blocks, now_ms)
        assert self._deadlines is not None
        self._deadlines[shard] = folded.deadline
        return folded

    def _deliver(self, given: Sequence[tuple[int, Folded]]) -> None:
        told: list[tuple[int, pl.DataFrame]] = []
        for shard, folded in given:
            self._note(folded.results)
            self.counts.update(folded.counts)
            beside = {kind: from_bytes(to_bytes(frame)) for kind, frame in folded.beside.items()}
            self.writes.update({kind.name: frame.height for kind, frame in beside.items()})
            for row in beside.get(Kind.LATEST, pl.DataFrame()).iter_rows(named=True):
                self.latest[row["asset"], f"{row['model']}::{row['point']}"] = (row["time"], _value(row))
            for row in beside.get(Kind.CONNECTIONS, pl.DataFrame()).iter_rows(named=True):
                self.devices[row["asset"]] = (row["is_online"], row["since"], row["seen"])
            if Kind.SITES in beside:
                told.append((shard, beside[Kind.SITES]))
        states = self._totals.take(told)
        self.sites |= {site: (online, offline, time) for site, time, online, offline in states.iter_rows()}
        self._note(site_results(states, self._output))

    def _note(self, results: pl.DataFrame) -> None:
        for row in results.iter_rows(named=True):
            key = (row["asset"], f"{row['model']}::{row['point']}", row["time"])
            self.results[key] = (_value(row), json.loads(row["attr"])["deviceState"])
            self.emissions[-1].append(key)


def _value(row: Mapping[str, Any]) -> Value:
    if row["text"] is not None:
        read: Value = json.loads(row["text"])
        return read
    return int(row["value"]) if row["is_int"] else float(row["value"])
