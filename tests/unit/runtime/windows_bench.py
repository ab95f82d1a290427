"""What the tests of window aggregation share: a job, a store in memory, and a run over micro-batches."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from oracles.windows import Key, Number, Record
from streamjob_api.points import PointRef
from streamjob_api.stream_job import StreamJobSpec
from streamjob_runtime.blocks import from_bytes, to_bytes
from streamjob_runtime.messages import POINTS
from streamjob_runtime.shards import Shards
from streamjob_runtime.templates import Folded, Surroundings, Template, for_job

BASE = 1_700_000_400_000  # A multiple of ten minutes.
MINUTE = 60_000


def window_job(*policies: Mapping[str, Any], latency: str = "0s", **fields: str) -> dict[str, Any]:
    """A manifest's ``timeWindowAggregation``; a policy names what differs from the maximum of ten minutes.

    Windows slide where the policies have a ``slide``.
    """
    defaults = {"input": "M::A", "aggregation": "max", "windowSize": "10m"}
    rows = [{**defaults, "output": f"M::Out{number}", **policy} for number, policy in enumerate(policies)]
    kind = "Sliding" if any("slide" in row for row in rows) else "Tumbling"
    return {"windowType": kind, "latency": latency, "policies": rows, **fields}


def template_of(job: Mapping[str, Any], calculated: Collection[str] = (), idle_timeout: str | None = None) -> Template:
    """The template that a job configures."""
    template = {"name": "time-window-aggregation", "version": "1.0"}
    timeout = {"idleTimeout": idle_timeout} if idle_timeout else {}
    spec = StreamJobSpec.model_validate({"template": template, "timeWindowAggregation": job, **timeout})
    return for_job(spec, Surroundings(calculated=frozenset(map(PointRef.parse, calculated))))


class MemoryStore:
    """Blocks as bytes, as in a checkpoint, with the buckets that were read and written."""

    def __init__(self) -> None:
        self.blocks: dict[int, bytes] = {}
        self.read: list[int] = []
        self.written: list[int] = []

    def get(self, bucket: int) -> pl.DataFrame | None:
        self.read.append(bucket)
        return from_bytes(self.blocks[bucket]) if bucket in self.blocks else None

    def put(self, bucket: int, block: pl.DataFrame) -> None:
        self.written.append(bucket)
        self.blocks[bucket] = to_bytes(block)

    def remove(self, bucket: int) -> None:
        del self.blocks[bucket]

    def owned(self, assets: Sequence[str]) -> list[str]:
        return [*assets]


def points_of(records: Iterable[Record]) -> pl.DataFrame:
    """Accepted records as columns, as decoding gives them."""
    rows = [
        (
            number,
            asset,
            *point.split("::")[:1],
            f"/{point.split('::')[0]}",
            point.split("::")[1],
            time,
            float(value),
            isinstance(value, int),
        )
        for number, (asset, point, time, value) in enumerate(records)
    ]
    return pl.DataFrame(rows, schema=POINTS, orient="row")


def _rows(folded: Folded) -> list[tuple[str, Key, Number | None]]:
    return [
        (
            "final" if '"calMode":"final"' in row["attr"] else "onTime",
            (row["asset"], f"{row['model']}::{row['point']}", row["time"]),
            int(row["value"]) if row["is_int"] and row["value"] is not None else row["value"],
        )
        for row in folded.results.iter_rows(named=True)
    ]


class Run:
    """A template with its state, fed micro-batch by micro-batch.

    Attributes:
        emissions: (mode, key, value) of each micro-batch, in order.
        late, outside: counts so far.
    """

    def __init__(
        self, job: Mapping[str, Any], *, calculated: Collection[str] = (), idle_timeout: str | None = None
    ) -> None:
        self.job, self.idle_timeout = job, idle_timeout
        self.restart(calculated)
        self.stores: dict[int, MemoryStore] = {}
        self.deadlines: dict[int, int | None] = {}
        self.emissions: list[list[tuple[str, Key, Number | None]]] = []
        self.late = self.outside = self.several_partitions = 0

    def restart(self, calculated: Collection[str]) -> None:
        """Go on with the same state and other inputs calculated."""
        self.template = template_of(self.job, calculated, self.idle_timeout)

    def feed(self, *partitions: Sequence[Record], chunk: int = 1000, now: int = 0) -> None:
        """Run one micro-batch: the records of each partition, in order, decoded ``chunk`` at a time.

        Shards whose deadline has come by ``now`` are folded even if they get no records.
        """
        by_shard: dict[int, list[pl.DataFrame]] = {}
        for records in partitions:
            combiner = self.template.combiner(Shards.of(8))
            for begin in range(0, len(records), chunk):
                combiner.add(points_of(records[begin : begin + chunk]))
            combined = combiner.finish()
            self.late += combined.counts["late"]
            self.outside += combined.counts["outside"]
            for shard, block in combined.blocks.items():
                by_shard.setdefault(shard, []).append(from_bytes(to_bytes(block)))
        for shard, deadline in self.deadlines.items():
            if deadline is not None and deadline <= now:
                by_shard.setdefault(shard, [])
        rows = [row for shard, blocks in sorted(by_shard.items()) for row in self._fold(shard, blocks, now)]
        self.emissions.append(rows)

    def close(self) -> None:
        """End the input."""
        self.emissions.append([row for store in self.stores.values() for row in _rows(self.template.close(store))])

    def _fold(self, shard: int, blocks: Sequence[pl.DataFrame], now: int) -> list[tuple[str, Key, Number | None]]:
        folded = self.template.fold(self.stores.setdefault(shard, MemoryStore()), blocks, now)
        self.deadlines[shard] = folded.deadline
        self.late += folded.counts.get("late", 0)
        self.several_partitions += folded.counts.get("severalPartitions", 0)
        return _rows(folded)

    @property
    def results(self) -> dict[Key, Number | None]:
        """The last value of each result."""
        return {key: value for batch in self.emissions for _, key, value in batch}

    @property
    def modes(self) -> dict[Key, str]:
        """The mode of the last emission of each result."""
        return {key: mode for batch in self.emissions for mode, key, _ in batch}
