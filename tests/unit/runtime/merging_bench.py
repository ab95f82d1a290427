"""What the tests of merging share: a job, and a template with its state, fed micro-batch by micro-batch."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl

from oracles.expressions import Value
from oracles.merging import Record
from oracles.windows import Key
from streamjob_api.points import AttributeRef, PointRef
from streamjob_api.resolved_names import ResolvedNames
from streamjob_api.stream_job import StreamJobSpec
from streamjob_runtime.blocks import from_bytes, to_bytes
from streamjob_runtime.messages import POINTS
from streamjob_runtime.shards import Shards
from streamjob_runtime.templates import Folded, Surroundings, Template, for_job
from streamjob_runtime.templates.surroundings import AttributeValue
from unit.runtime.windows_bench import MemoryStore

BASE = 1_700_000_400_000


def merging_job(*policies: Mapping[str, Any], latency: str = "0s") -> dict[str, Any]:
    """A manifest's ``multiPointMerging``; a policy names what differs from the difference of A and B at each A."""
    defaults = {"triggerPoint": "M::A", "logic": "${M::A} - ${M::B}"}
    rows = [{**defaults, "output": f"M::Out{number}", **policy} for number, policy in enumerate(policies)]
    return {"trigger": {"mode": "Point"}, "latency": latency, "policies": rows}


def ticking_job(every: str, *policies: Mapping[str, Any]) -> dict[str, Any]:
    """The same, calculated by the clock."""
    rows = [
        {"logic": "${M::A} - ${M::B}", "output": f"M::Out{number}", **policy} for number, policy in enumerate(policies)
    ]
    return {"trigger": {"mode": "Frequency", "every": every}, "policies": rows}


class Known(dict[tuple[str, str], AttributeValue]):
    """Attributes by asset and name; how often each asset was read."""

    def __init__(self, known: Mapping[tuple[str, str], AttributeValue] | None = None) -> None:
        super().__init__(known or {})
        self.reads: Counter[str] = Counter()

    def read(self, assets: Sequence[str], refs: Sequence[AttributeRef]) -> Mapping[AttributeRef, list[AttributeValue]]:
        self.reads.update(assets)
        return {ref: [self.get((asset, str(ref))) for asset in assets] for ref in refs}


def names(attributes: Collection[str] = (), **types: Collection[str]) -> ResolvedNames:
    """What thing models say: which names are attributes, which are ``texts`` and which ``truthValues``."""
    return ResolvedNames.model_validate({"attributes": list(attributes), **{k: list(v) for k, v in types.items()}})


def template_of(job: Mapping[str, Any], surroundings: Surroundings | None = None) -> Template:
    """The template that a job configures."""
    template = {"name": "multi-point-merging", "version": "1.0"}
    spec = StreamJobSpec.model_validate({"template": template, "multiPointMerging": job})
    return for_job(spec, surroundings or Surroundings())


def points_of(records: Sequence[Record], *, has_texts: bool) -> pl.DataFrame:
    """Accepted records as columns, as decoding gives them."""
    rows = []
    for number, (asset, point, time, value) in enumerate(records):
        model, _, name = point.partition("::")
        is_text = isinstance(value, str | bool)
        row = (number, asset, model, f"/{model}", name, time, None if is_text else float(value))
        text = json.dumps(value, ensure_ascii=False) if is_text else None
        assert has_texts or not is_text
        rows.append((*row, isinstance(value, int) and not is_text, *([text] if has_texts else [])))
    schema = POINTS | ({"text": pl.String} if has_texts else {})
    return pl.DataFrame(rows, schema=schema, orient="row")


class Run:
    """A template with its state.

    Attributes:
        emissions: (key, value) of each micro-batch, in order.
        counts: so far.
        deadlines: by shard, of those that have one.
    """

    def __init__(self, job: Mapping[str, Any], surroundings: Surroundings | None = None, shards: int = 64) -> None:
        self.template = template_of(job, surroundings)
        self.stores: dict[int, MemoryStore] = {}
        self.emissions: list[list[tuple[Key, Value]]] = []
        self.counts: Counter[str] = Counter()
        self.deadlines: dict[int, int] = {}
        self._shards = shards

    def feed(self, *partitions: Sequence[Record], chunk: int = 1000, now: int = 0) -> list[tuple[Key, Value]]:
        """Run one micro-batch: the records of each partition, in order, decoded ``chunk`` at a time.

        Shards tick whose deadline has come.
        """
        by_shard: dict[int, list[pl.DataFrame]] = {shard: [] for shard, due in self.deadlines.items() if due <= now}
        for records in partitions:
            combiner = self.template.combiner(Shards.of(8))
            for begin in range(0, len(records), chunk):
                combiner.add(points_of(records[begin : begin + chunk], has_texts=bool(self.template.texts)))
            for shard, block in combiner.finish().blocks.items():
                by_shard.setdefault(shard % self._shards, []).append(from_bytes(to_bytes(block)))
        self.emissions.append([])
        for shard, blocks in sorted(by_shard.items()):
            self._note(shard, self.template.fold(self.stores.setdefault(shard, MemoryStore()), blocks, now))
        return self.emissions[-1]

    def start_again(self, now: int) -> list[tuple[Key, Value]]:
        """Restart: the deadlines are not known any more, and all shards tick."""
        self.emissions.append([])
        self.deadlines.clear()
        for shard in range(self._shards):
            store = self.stores.get(shard, MemoryStore())
            self._note(shard, self.template.fold(store, [], now))
            assert shard in self.stores or not store.blocks
        return self.emissions[-1]

    def close(self) -> list[tuple[Key, Value]]:
        """End the input."""
        self.emissions.append([])
        for shard, store in self.stores.items():
            self._note(shard, self.template.close(store))
            assert not store.blocks
        return self.emissions[-1]

    def _note(self, shard: int, folded: Folded) -> None:
        self.counts.update({name: count for name, count in folded.counts.items() if count})
        self.deadlines.pop(shard, None)
        if folded.deadline is not None:
            self.deadlines[shard] = folded.deadline
        for row in folded.results.iter_rows(named=True):
            key = (row["asset"], f"{row['model']}::{row['point']}", row["time"])
            number = int(row["value"]) if row["is_int"] else row["value"]
            assert (row["text"] is None) is (row["value"] is not None)
            self.emissions[-1].append((key, number if row["text"] is None else json.loads(row["text"])))

    @property
    def results(self) -> dict[Key, Value]:
        """The value of each result."""
        return {key: value for batch in self.emissions for key, value in batch}

    @property
    def histories(self) -> dict[Key, list[Value]]:
        """All values that each result had, in order."""
        found: dict[Key, list[Value]] = {}
        for key, value in (emission for batch in self.emissions for emission in batch):
            found.setdefault(key, []).append(value)
        return found


def calculated(*points: str, attributes: Known | None = None, known: ResolvedNames | None = None) -> Surroundings:
    """What stands beside a job: inputs that other jobs calculate, attributes, names."""
    return Surroundings(
        calculated=frozenset(map(PointRef.parse, points)),
        attributes=attributes if attributes is not None else Known(),
        names=known or ResolvedNames(),
    )
