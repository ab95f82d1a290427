"""What the tests of the energy templates share: a template with its state, fed micro-batch by micro-batch."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import polars as pl

from oracles.windows import Key, Number, Record
from streamjob_api.points import AttributeRef, PointRef
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.timezones import TimeZone
from streamjob_runtime.blocks import from_bytes, to_bytes
from streamjob_runtime.shards import Shards
from streamjob_runtime.templates import Folded, Surroundings, Template, for_job
from streamjob_runtime.templates.surroundings import AttributeValue, NoScalar
from unit.runtime.windows_bench import MemoryStore, points_of

METER, INSTANT, AVERAGE = "energyByMeterReading", "energyByInstantPower", "energyByAveragePower"
NAMES = {
    METER: "energy-by-meter-reading",
    INSTANT: "energy-by-instant-power",
    AVERAGE: "energy-by-average-power",
}
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
BASE = 1_700_006_400_000  # 2023-11-15T00:00:00Z


def energy_job(kind: str, *policies: Mapping[str, Any], **job: Any) -> dict[str, Any]:
    """A manifest's block; a policy names what differs from a day's sum of all that ``M::A`` sends."""
    rows = [{"input": "M::A", "dailyOutput": f"M::Day{number}", **policy} for number, policy in enumerate(policies)]
    for row in rows:
        if kind == METER and "slopeLimitAttribute" not in row:
            row.setdefault("slopeThreshold", "[0, 100]")
    return {"policies": rows, **job}


def rows(*pairs: tuple[float, Number], asset: str = "a", point: str = "M::A") -> list[Record]:
    """Records of (hours after the first midnight, value)."""
    return [(asset, point, BASE + round(hours * HOUR), value) for hours, value in pairs]


class AssetAttributes:
    """Attributes as Redis has them, by asset and name; they may change."""

    def __init__(self, values: Mapping[tuple[str, str], Any]) -> None:
        self.values = dict(values)

    def read(self, assets: Sequence[str], refs: Sequence[AttributeRef]) -> Mapping[AttributeRef, list[AttributeValue]]:
        values = {ref: [self.values.get((asset, str(ref))) for asset in assets] for ref in refs}
        return {ref: [NoScalar() if isinstance(one, list) else one for one in own] for ref, own in values.items()}


def template_of(
    kind: str, job: Mapping[str, Any], surroundings: Surroundings, idle_timeout: str | None = None
) -> Template:
    """The template that a job configures."""
    document: dict[str, Any] = {"template": {"name": NAMES[kind], "version": "1.0"}, kind: job}
    if idle_timeout is not None:
        document["idleTimeout"] = idle_timeout
    return for_job(StreamJobSpec.model_validate(document), surroundings)


class Run:
    """A template with its state.

    Args:
        kind: the block of the manifest, such as ``energyByMeterReading``.
        job: that block.
        ou_timezone: whose days count where the job names no time zone.
        calculated: inputs that are results of other jobs.
        attributes: by asset and name, or what reads them.
        idle_timeout: of the spec.
        has_one_store: whether all shards have one state, as in a preview.

    Attributes:
        emissions: (mode, key, value) of each micro-batch, in order.
        counts: records dropped so far, by reason.
        deadlines: of the stores, after the last micro-batch.
    """

    def __init__(
        self,
        kind: str,
        job: Mapping[str, Any],
        ou_timezone: str = "UTC",
        *,
        calculated: Iterable[str] = (),
        attributes: Mapping[tuple[str, str], Any] | AssetAttributes = MappingProxyType({}),
        idle_timeout: str | None = None,
        has_one_store: bool = False,
    ) -> None:
        surroundings = Surroundings(
            timezone=TimeZone.parse(ou_timezone),
            calculated=frozenset(map(PointRef.parse, calculated)),
            attributes=attributes if isinstance(attributes, AssetAttributes) else AssetAttributes(attributes),
        )
        self._make = partial(template_of, kind, job, surroundings, idle_timeout)
        self.template = self._make()
        self.stores: dict[int, MemoryStore] = {}
        self.emissions: list[list[tuple[str, Key, Number | None]]] = []
        self.counts: Counter[str] = Counter()
        self.deadlines: dict[int, int | None] = {}
        self._has_one_store = has_one_store

    def restart(self) -> None:
        """Go on with another driver: what counts is in the state."""
        self.template = self._make()

    def feed(
        self, *partitions: Sequence[Record], chunk: int = 1000, now: int = 0
    ) -> list[tuple[str, Key, Number | None]]:
        """Run one micro-batch: the records of each partition, in order, decoded ``chunk`` at a time.

        Without partitions it is a tick.
        """
        by_store: dict[int, list[pl.DataFrame]] = {store: [] for store in self.stores}
        for records in partitions:
            combiner = self.template.combiner(Shards.of(8))
            for begin in range(0, len(records), chunk):
                combiner.add(points_of(records[begin : begin + chunk]))
            combined = combiner.finish()
            self.counts.update(combined.counts)
            for shard, block in combined.blocks.items():
                store = 0 if self._has_one_store else shard
                by_store.setdefault(store, []).append(from_bytes(to_bytes(block)))
        self.emissions.append([])
        for number, blocks in sorted(by_store.items()):
            folded = self.template.fold(self.stores.setdefault(number, MemoryStore()), blocks, now)
            self.deadlines[number] = folded.deadline
            self._note(folded)
        return self.emissions[-1]

    @property
    def deadline(self) -> int | None:
        """When a tick is due."""
        return min((deadline for deadline in self.deadlines.values() if deadline is not None), default=None)

    def close(self) -> list[tuple[str, Key, Number | None]]:
        """End the input."""
        self.emissions.append([])
        for store in self.stores.values():
            self._note(self.template.close(store))
        return self.emissions[-1]

    def _note(self, folded: Folded) -> None:
        self.counts.update(folded.counts)
        for row in folded.results.iter_rows(named=True):
            mode = json.loads(row["attr"])["electricEnergy"]["calMode"]
            key = (row["asset"], f"{row['model']}::{row['point']}", row["time"])
            self.emissions[-1].append((mode, key, row["value"]))

    @property
    def results(self) -> dict[Key, Number | None]:
        """The last value of each result."""
        return {key: value for batch in self.emissions for _, key, value in batch}

    @property
    def modes(self) -> dict[Key, str]:
        """The mode of the last emission of each result."""
        return {key: mode for batch in self.emissions for mode, key, _ in batch}


def days(run: Run, output: str = "M::Day0") -> dict[int, Number | None]:
    """Values by number of the day."""
    return {(time - BASE) // DAY: value for (_, point, time), value in run.results.items() if point == output}


def details(run: Run, output: str = "M::Detail") -> dict[float, Number | None]:
    """Values by hours after the first midnight."""
    return {(time - BASE) / HOUR: value for (_, point, time), value in run.results.items() if point == output}


def closed(kind: str, pairs: Sequence[tuple[float, Number]], **policy: Any) -> Run:
    """A run over one meter's records, to its end."""
    run = Run(kind, energy_job(kind, policy))
    run.feed(rows(*pairs))
    run.close()
    return run
