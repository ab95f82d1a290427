"""Pipelines of packaged calculators: the records of a shard go through the stages of a graph.

Stages hand frames to each other in the process of the shard's state; nothing is written in between. What stages keep
lies in the shard's state, a bucket of its own for each stage that keeps something, numbered by their names in their
order: a manifest may list its stages in any order, and those that keep nothing may come and go.

Records go through in the order of their arrival. Those that no stage of ``source`` works on are not read at all. A
record that a stage cannot handle is counted as ``failed``; where the stage sends them to the dead letters, it is a
dead letter with the stage's name and the cause.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import polars as pl

from streamjob_api.calculators import SOURCE, Graph, Node
from streamjob_api.points import PointRef
from streamjob_api.state_identity import stage_identities
from streamjob_api.templates.pipeline import Pipeline as PipelineSpec
from streamjob_calculators.kit import Calculator
from streamjob_runtime.rows import Kind
from streamjob_runtime.shards import FORMER, Shards
from streamjob_runtime.templates.chosen import Chosen
from streamjob_runtime.templates.pipeline_results import RECORDS, pipeline_results
from streamjob_runtime.templates.pipeline_runs import StageRun, StageStore, failed_letters
from streamjob_runtime.templates.protocols import RESULTS, TOPIC, Combiner, Folded, Held, ShardStore
from streamjob_runtime.templates.series_combiner import ARRIVED, SeriesCombiner
from streamjob_runtime.templates.surroundings import Surroundings

# Raise it when what stages keep changes its form.
STATE_VERSION = 2


def _unwatched(stage: str, records: pl.DataFrame) -> None:
    """Nobody looks."""


@dataclass(frozen=True)
class Pipeline:
    """The template for one job.

    Attributes:
        points: names of all points that records may be of, as an enumeration: comparing them compares numbers.
        watch: is told what each stage gives, ``source`` included.
    """

    graph: Graph
    points: pl.Enum
    surroundings: Surroundings
    identity: str
    watch: Callable[[str, pl.DataFrame], None] = field(default=_unwatched, compare=False)

    @classmethod
    def of(cls, spec: PipelineSpec, surroundings: Surroundings) -> Self:
        """Return the template that a job configures."""
        graph = spec.graph
        flows = [flow for node in graph.nodes for flow in (node.coming, node.given)]
        named = {point for flow in flows for point in flow.points} | {*graph.inputs}
        return cls(graph, pl.Enum(sorted(map(str, named))), surroundings, _identity(graph))

    @property
    def inputs(self) -> frozenset[PointRef]:
        """The points that the job reads."""
        return frozenset(self.graph.inputs)

    @property
    def texts(self) -> frozenset[PointRef]:
        """The points of which no stage needs numbers."""
        return self.inputs - self.graph.numbers

    @property
    def qualities(self) -> bool:
        """Every record has its quality, which leaves with results."""
        return True

    @property
    def uses_clock(self) -> bool:
        """Whether any stage does."""
        return any(_calculator(node).uses_clock for node in self.graph.nodes)

    def combiner(self, shards: Shards) -> Combiner:
        """Return a new combiner, for one partition of one micro-batch; every record crosses."""
        texts = ("text",) if self.texts else ()
        return SeriesCombiner(self.graph.inputs, shards, ("time", "value", "is_int", *texts, "quality", ARRIVED))

    def fold(self, store: ShardStore, blocks: Sequence[pl.DataFrame], now_ms: int) -> Folded:
        """Take the blocks of one shard through the stages.

        ``counts``: ``failed`` and what the stages count of records that they use no further.
        """
        if not blocks and not self.uses_clock:
            return Folded(RESULTS.to_frame(), {})
        return self._run(store, self._records(blocks), now_ms)

    def _run(self, store: ShardStore, records: pl.DataFrame, now_ms: int, *, is_end: bool = False) -> Folded:
        flows, runs = {SOURCE: self._of_ou(records)}, []
        self.watch(SOURCE, records)
        for node in self.graph.nodes:
            run = StageRun(node, self._store(store, node), now_ms, self.surroundings)
            before = flows if node.parameters.topic_read() is None else {SOURCE: records}
            given = flows[node.stage.name] = _through(node, before, run, is_end=is_end)
            self.watch(node.stage.name, given)
            runs.append(run)
        results = [self._results(node, flows[node.stage.name]) for node in self.graph.nodes if node.is_last]
        counts: Counter[str] = Counter()
        for run in runs:
            counts += run.counts
        letters = failed_letters(runs, self.surroundings.org_id)
        beside = {Kind.DEAD_LETTERS: letters} if letters.height else {}
        deadline = min((at_ms for run in runs for at_ms in run.deadlines), default=None)
        return Folded(pl.concat(results), dict(counts), deadline, beside=beside)

    def _of_ou(self, records: pl.DataFrame) -> pl.DataFrame:
        """Return the records but for those that came through topics of stages, which get them alone."""
        elsewhere = [str(point) for point in self.graph.topics_read]
        return records.filter(~pl.col("point").is_in(elsewhere)) if elsewhere else records

    def _results(self, node: Node, given: pl.DataFrame) -> pl.DataFrame:
        """Return what leaves through a stage, with the column TOPIC where any leaves through a topic of its own."""
        results = pipeline_results(given)
        if not self.graph.topics_written:
            return results
        return results.with_columns(pl.lit(node.parameters.topic_written(), pl.String).alias(TOPIC))

    def _records(self, blocks: Sequence[pl.DataFrame]) -> pl.DataFrame:
        """Return the records of SERIES_BLOCKs in the order of their arrival, block by block."""
        names = pl.Series("point", map(str, self.graph.inputs), dtype=self.points)
        frames = [RECORDS.to_frame().cast({"point": self.points})]
        for block in blocks:
            lists = [name for name in block.columns if isinstance(block.schema[name], pl.List)]
            rows = block.explode(lists).sort(ARRIVED)
            frames.append(rows.select("asset", names.gather(rows["input"]), "model_path", *lists).drop(ARRIVED))
        return pl.concat(frames, how="diagonal").with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("arrival"))

    def _store(self, store: ShardStore, node: Node) -> StageStore:
        stateful = self.graph.stateful
        return StageStore(store, stateful.index(node) if node in stateful else None)

    def forget(self, store: ShardStore, chosen: Chosen, now_ms: int) -> Mapping[Kind, pl.DataFrame]:  # noqa: ARG002
        """Drop what stages keep of some assets and points."""
        for node in self.graph.stateful:
            own = self._store(store, node)
            state = own.recall()
            if state is not None:
                own.keep(state.filter(~_is_chosen(state, _chosen_here(node, chosen))))
        return {}

    def held(self, store: ShardStore, chosen: Chosen) -> Iterator[Held]:
        """Yield what stages keep of some assets and points, by the stage's name."""
        for node in self.graph.stateful:
            state = self._store(store, node).recall()
            if state is not None:
                yield from _held(state.filter(_is_chosen(state, _chosen_here(node, chosen))), node.stage.name)

    def close(self, store: ShardStore) -> Folded:
        """Give what stages hold open, and leave nothing behind."""
        folded = self._run(store, self._records([]), 0, is_end=True)
        for node in self.graph.stateful:
            self._store(store, node).clear()
        return replace(folded, deadline=None)


def _chosen_here(node: Node, chosen: Chosen) -> Chosen:
    """Return the same assets, and the points that come to a stage and are made of those that are chosen."""
    made = node.coming.points.items()
    return replace(chosen, points=frozenset(point for point, each in made if each.sources & chosen.points))


def _is_chosen(state: pl.DataFrame, chosen: Chosen) -> pl.Series:
    assets = {asset: chosen.has(asset) for asset in state["asset"].unique()}
    is_chosen = state["asset"].replace_strict(assets, return_dtype=pl.Boolean)
    if "point" not in state.columns:
        return is_chosen
    return is_chosen & state["point"].is_in([str(point) for point in chosen.points])


def _held(state: pl.DataFrame, stage: str) -> Iterator[Held]:
    for row in state.iter_rows(named=True):
        fields = {name: value for name, value in row.items() if name not in {"asset", "point"}}
        yield Held(row["asset"], row.get("point", ""), stage, fields)


def _calculator(node: Node) -> Calculator:
    if not isinstance(node.parameters, Calculator):
        raise TypeError(f"{node.stage.calculator} has parameters, but nothing that it does")
    return node.parameters


def _through(node: Node, flows: Mapping[str, pl.DataFrame], run: StageRun, *, is_end: bool) -> pl.DataFrame:
    """Return what a stage gives."""
    calculator = _calculator(node)
    frames = [flows[name] for name in node.stage.from_]
    records = frames[0] if len(frames) == 1 else _joined(frames)
    taken = calculator.takes()
    if taken is not None:
        is_taken = records["point"].is_in([str(point) for point in sorted(taken)])
        records = records if is_taken.all() else records.filter(is_taken)
    admitted = run.admitted(records)
    given = calculator.apply(admitted, run)
    return pl.concat([given, calculator.end(given.clear(), run)], how="diagonal") if is_end else given


def _joined(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the records of several stages in the order of their arrival; what stages made by themselves comes last."""
    return pl.concat(frames, how="diagonal_relaxed").sort("arrival", nulls_last=True, maintain_order=True)


def _identity(graph: Graph) -> str:
    """Hash of what the stages' states rest on."""
    parts = {"state": STATE_VERSION, "shards": FORMER, "stages": stage_identities(graph)}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
