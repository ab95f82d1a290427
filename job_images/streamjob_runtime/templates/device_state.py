"""Device state: latest values, which devices are online, and how many of each site; on change only.

- The latest value of an asset and point is the one with the highest time, of equal times the last that arrived. Only
  Redis is told of it.
- A device is online or offline by the arrival of its records, whatever their time (``device_connections``). Each change
  is a result; Redis is told of it too, and now and then of the last record of a device that goes on sending.
- A device's site is the value of its attribute, read anew with each micro-batch that brings records of it. Shards know
  only their own devices: the driver adds their counts up (``site_totals``).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl

from streamjob_api.points import PointRef
from streamjob_api.templates.device_state import DeviceState as DeviceStateSpec
from streamjob_runtime.rows import Kind
from streamjob_runtime.shards import Shards
from streamjob_runtime.templates.arrays import Slots
from streamjob_runtime.templates.chosen import Chosen
from streamjob_runtime.templates.device_connections import connect
from streamjob_runtime.templates.device_state_combiner import NEWEST_BLOCK, SERIES, NewestCombiner, newest
from streamjob_runtime.templates.device_state_plan import DeviceStatePlan
from streamjob_runtime.templates.device_state_results import connection_results
from streamjob_runtime.templates.device_table import DeviceTable
from streamjob_runtime.templates.latest_values import as_results, forget_latest, held_latest, update_latest
from streamjob_runtime.templates.protocols import RESULTS, BlockStore, Combiner, Folded, Held
from streamjob_runtime.templates.site_counts import SiteCounts
from streamjob_runtime.templates.site_names import FOUND, site_of
from streamjob_runtime.templates.surroundings import Attributes, Surroundings


@dataclass(frozen=True)
class DeviceState:
    """The template for one job.

    Attributes:
        calculated: inputs that other jobs calculate, which write their latest values themselves.
        attributes: where devices' sites come from.
    """

    plan: DeviceStatePlan
    calculated: frozenset[PointRef]
    attributes: Attributes

    @classmethod
    def of(cls, spec: DeviceStateSpec, surroundings: Surroundings) -> Self:
        """Return the template that a job configures."""
        return cls(DeviceStatePlan.of(spec), surroundings.calculated, surroundings.attributes)

    @property
    def inputs(self) -> frozenset[PointRef]:
        """The points that the job reads."""
        return frozenset(self.plan.inputs)

    @property
    def texts(self) -> frozenset[PointRef]:
        """Values of every type have a latest one."""
        return self.inputs

    @property
    def identity(self) -> str:
        """Hash of all that makes a checkpoint (in)compatible."""
        return self.plan.identity

    @property
    def uses_clock(self) -> bool:
        """Silence is told by the clock."""
        return self.plan.offline_after_ms is not None

    def combiner(self, shards: Shards) -> Combiner:
        """Return a new combiner, for one partition of one micro-batch."""
        return NewestCombiner(self.plan.inputs, shards)

    def fold(self, store: BlockStore, blocks: Sequence[pl.DataFrame], now_ms: int) -> Folded:
        """Fold the blocks of one shard into the state of its devices.

        ``beside``: LATEST, RESULTS of latest values that are news; CONNECTIONS, rows of the devices of which Redis is
        told; SITES, the shard's SITE_COUNTS, where one changed, and with every tick, of which a start gives each shard
        one. ``counts``: ``attributeMissing``, ``attributeInvalid``, devices newly found without a site;
        ``severalPartitions``, assets and inputs that had records in several blocks.
        """
        rows = pl.concat(blocks) if blocks else NEWEST_BLOCK.to_frame()
        several = rows.height - rows.select(SERIES).n_unique() if len(blocks) > 1 else 0
        latest = self._latest(store, newest(rows) if several else rows)
        beside = {Kind.LATEST: latest} if latest.height else {}
        counts = Counter(severalPartitions=several)
        if self.plan.offline_after_ms is None:
            return Folded(RESULTS.to_frame(), +counts, beside=beside)
        watched = self._watch(store, rows, now_ms, self.plan.offline_after_ms)
        return replace(watched, counts=counts + Counter(watched.counts), beside={**beside, **watched.beside})

    def forget(self, store: BlockStore, chosen: Chosen, now_ms: int) -> Mapping[Kind, pl.DataFrame]:
        """Drop the latest values of some assets and points; a device without any is no more, and counts at no site."""
        gone = forget_latest(store, chosen, self.plan.inputs)
        devices = DeviceTable.load(store)
        is_gone = np.array([asset in gone for asset in devices.assets], np.bool_)
        if not is_gone.any():
            return {}
        sites = SiteCounts.of(devices)
        slots = np.flatnonzero(is_gone).tolist()
        for slot in slots:
            devices.sites[slot] = None
        sites.note(devices, slots, [now_ms] * len(slots))
        devices.keep(~is_gone)
        devices.save(store)
        return {Kind.SITES: sites.frame(devices)} if self.plan.site_attribute is not None else {}

    def held(self, store: BlockStore, chosen: Chosen) -> Iterator[Held]:
        """Yield the latest values of some assets and points, and the connections of their devices."""
        yield from held_latest(store, chosen, self.plan.inputs)
        yield from DeviceTable.load(store).held(chosen)

    def close(self, store: BlockStore) -> Folded:  # noqa: ARG002
        """Nothing is open: that an input ends does not take its devices offline."""
        return Folded(RESULTS.to_frame(), {})

    def _latest(self, store: BlockStore, rows: pl.DataFrame) -> pl.DataFrame:
        """Return RESULTS of what no other job writes."""
        if not rows.height:
            return RESULTS.to_frame()
        news = update_latest(store, rows)
        others = [number for number, point in enumerate(self.plan.inputs) if point in self.calculated]
        return as_results(news.filter(~pl.col("input").is_in(others)) if others else news, self.plan.inputs)

    def _watch(self, store: BlockStore, rows: pl.DataFrame, now_ms: int, offline_after_ms: int) -> Folded:
        """Bring the connections and the sites of a shard up to date."""
        devices = DeviceTable.load(store)
        sites = SiteCounts.of(devices) if self.plan.site_attribute is not None else None
        arrived = devices.place(rows["asset"].unique(maintain_order=True).to_list(), self._paths(rows))
        counts = self._read_sites(devices, arrived)
        changes = connect(devices, arrived, now_ms, offline_after_ms)
        if len(arrived) or len(changes.silent):
            devices.save(store)
        told = {Kind.CONNECTIONS: devices.rows(changes.told)} if len(changes.told) else {}
        if sites is not None:
            sites.note(devices, arrived.tolist(), [now_ms] * len(arrived))
            sites.note(devices, changes.silent.tolist(), devices.since[changes.silent].tolist())
            if sites.changes or not rows.height:
                told[Kind.SITES] = sites.frame(devices)
        changed = devices.rows(np.concatenate([changes.silent, changes.back]))
        results = connection_results(changed, self.plan.connection_output)
        return Folded(results, counts, changes.deadline, beside=told)

    def _paths(self, rows: pl.DataFrame) -> dict[str, str]:
        """Return the model path of each asset that has records of the model that its connection is written for."""
        output = self.plan.connection_output
        own = [number for number, point in enumerate(self.plan.inputs) if output and point.model == output.model]
        told = rows.filter(pl.col("input").is_in(own))
        return dict(zip(told["asset"].to_list(), told["model_path"].to_list(), strict=True))

    def _read_sites(self, devices: DeviceTable, arrived: Slots) -> Counter[str]:
        """Ask for the sites of devices; count those that are newly found to have none."""
        counts: Counter[str] = Counter()
        attribute, slots = self.plan.site_attribute, arrived.tolist()
        if attribute is None or not slots:
            return counts
        values = self.attributes.read([devices.assets[slot] for slot in slots], [attribute])[attribute]
        for slot, value in zip(slots, values, strict=True):
            devices.sites[slot], found = site_of(value)
            if found not in (FOUND, devices.found[slot]):
                counts[found] += 1
            devices.found[slot] = found
        return counts
