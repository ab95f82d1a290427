"""What the tests of the energy templates share: a template with its state, fed micro-batch by micro-batch."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from oracles.windows import Key, Number, Record
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.timezones import TimeZone
from streamjob_runtime.blocks import from_bytes, to_bytes
from streamjob_runtime.templates import Folded, Surroundings, Template, for_job
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
    required = {"slopeThreshold": "[0, 100]"} if kind == METER else {}
    defaults = {"input": "M::A", **required}
    rows = [{**defaults, "dailyOutput": f"M::Day{number}", **policy} for number, policy in enumerate(policies)]
    return {"policies": rows, **job}


def template_of(kind: str, job: Mapping[str, Any], ou_timezone: str = "UTC") -> Template:
    """The template that a job configures."""
    spec = StreamJobSpec.model_validate({"template": {"name": NAMES[kind], "version": "1.0"}, kind: job})
    return for_job(spec, Surroundings(timezone=TimeZone.parse(ou_timezone)))


class Run:
    """A template with its state.

    Attributes:
        emissions: (mode, key, value) of each micro-batch, in order.
        counts: records dropped so far, by reason.
    """

    def __init__(self, kind: str, job: Mapping[str, Any], ou_timezone: str = "UTC") -> None:
        self.template = template_of(kind, job, ou_timezone)
        self.stores: dict[int, MemoryStore] = {}
        self.emissions: list[list[tuple[str, Key, Number | None]]] = []
        self.counts: Counter[str] = Counter()

    def feed(self, *partitions: Sequence[Record], chunk: int = 1000) -> list[tuple[str, Key, Number | None]]:
        """Run one micro-batch: the records of each partition, in order, decoded ``chunk`` at a time."""
        by_shard: dict[int, list[pl.DataFrame]] = {}
        for records in partitions:
            combiner = self.template.combiner()
            for begin in range(0, len(records), chunk):
                combiner.add(points_of(records[begin : begin + chunk]))
            combined = combiner.finish()
            self.counts.update(combined.counts)
            for shard, block in combined.blocks.items():
                by_shard.setdefault(shard, []).append(from_bytes(to_bytes(block)))
        self.emissions.append([])
        for shard, blocks in sorted(by_shard.items()):
            store = self.stores.setdefault(shard, MemoryStore())
            self._note(self.template.fold(store, blocks, 0))
        return self.emissions[-1]

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
