"""What the tests of merging share: a job, and a template with its state, fed micro-batch by micro-batch."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from oracles.windows import Key, Number, Record
from streamjob_api.stream_job import StreamJobSpec
from streamjob_runtime.blocks import from_bytes, to_bytes
from streamjob_runtime.templates import Folded, Template, for_job
from unit.runtime.windows_bench import MemoryStore, points_of

BASE = 1_700_000_400_000


def merging_job(*policies: Mapping[str, Any], latency: str = "0s") -> dict[str, Any]:
    """A manifest's ``multiPointMerging``; a policy names what differs from the difference of A and B at each A."""
    defaults = {"triggerPoint": "M::A", "logic": "${M::A} - ${M::B}"}
    rows = [{**defaults, "output": f"M::Out{number}", **policy} for number, policy in enumerate(policies)]
    return {"trigger": {"mode": "Point"}, "latency": latency, "policies": rows}


def template_of(job: Mapping[str, Any]) -> Template:
    """The template that a job configures."""
    template = {"name": "multi-point-merging", "version": "1.0"}
    return for_job(StreamJobSpec.model_validate({"template": template, "multiPointMerging": job}))


class Run:
    """A template with its state.

    Attributes:
        emissions: (key, value) of each micro-batch, in order.
        counts: so far.
    """

    def __init__(self, job: Mapping[str, Any]) -> None:
        self.template = template_of(job)
        self.stores: dict[int, MemoryStore] = {}
        self.emissions: list[list[tuple[Key, Number]]] = []
        self.counts: Counter[str] = Counter()

    def feed(self, *partitions: Sequence[Record], chunk: int = 1000) -> list[tuple[Key, Number]]:
        """Run one micro-batch: the records of each partition, in order, decoded ``chunk`` at a time."""
        by_shard: dict[int, list[pl.DataFrame]] = {}
        for records in partitions:
            combiner = self.template.combiner()
            for begin in range(0, len(records), chunk):
                combiner.add(points_of(records[begin : begin + chunk]))
            for shard, block in combiner.finish().blocks.items():
                by_shard.setdefault(shard, []).append(from_bytes(to_bytes(block)))
        self.emissions.append([])
        for shard, blocks in sorted(by_shard.items()):
            self._note(self.template.fold(self.stores.setdefault(shard, MemoryStore()), blocks, 0))
        return self.emissions[-1]

    def close(self) -> list[tuple[Key, Number]]:
        """End the input."""
        self.emissions.append([])
        for store in self.stores.values():
            self._note(self.template.close(store))
        return self.emissions[-1]

    def _note(self, folded: Folded) -> None:
        self.counts.update({name: count for name, count in folded.counts.items() if count})
        for row in folded.results.iter_rows(named=True):
            key = (row["asset"], f"{row['model']}::{row['point']}", row["time"])
            self.emissions[-1].append((key, int(row["value"]) if row["is_int"] else row["value"]))

    @property
    def results(self) -> dict[Key, Number]:
        """The value of each result."""
        return {key: value for batch in self.emissions for key, value in batch}
