"""Deadlines and ticks: between the state, the driver's main process and the planner."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest

from streamjob_runtime.blocks import to_bytes
from streamjob_runtime.deadline_file import DeadlineFile, due
from streamjob_runtime.deadlines import KnownDeadlines
from streamjob_runtime.folding import folded
from streamjob_runtime.offsets import ALL, OffsetRange
from streamjob_runtime.reading import tick_rows
from streamjob_runtime.rows import FIRST, BlockRow, Kind
from streamjob_runtime.shards import FORMER, Shards
from streamjob_runtime.source import PointsReader, ReadTask, Ticks
from streamjob_runtime.templates import Folded, ShardStore, Template
from streamjob_runtime.templates.protocols import RESULTS

SHARDS = Shards.of(FORMER)

NOW = 1_767_225_600_000


@dataclass
class Recorder:
    """A template that only notes how it is folded."""

    uses_clock: bool = True
    folds: list[tuple[list[int], int]] = field(default_factory=list)

    def fold(self, store: ShardStore, blocks: Sequence[pl.DataFrame], now_ms: int) -> Folded:  # noqa: ARG002
        self.folds.append(([block["n"].item() for block in blocks], now_ms))
        return Folded(RESULTS.to_frame(), {}, deadline=now_ms + len(self.folds))


def outcome(template: Recorder, *rows: BlockRow) -> list[BlockRow]:
    return list(folded(cast("Template", template), cast("ShardStore", {}), rows))


def points(number: int, origin: str) -> BlockRow:
    return BlockRow(7, Kind.POINTS, origin, NOW, to_bytes(pl.DataFrame({"n": [number]})))


def tick(mark: bytes = b"") -> BlockRow:
    return BlockRow(7, Kind.TICK, "", NOW, mark)


def deadlines(rows: list[BlockRow]) -> list[Any]:
    return [json.loads(row.block) for row in rows if row.kind == Kind.DEADLINE]


def test_a_tick_is_a_fold_without_blocks_and_names_the_next_deadline() -> None:
    template = Recorder()
    rows = outcome(template, tick())
    assert template.folds == [([], NOW)]
    assert [(row.shard, row.kind) for row in rows] == [(7, Kind.DEADLINE)]
    assert deadlines(rows) == [NOW + 1]


def test_a_shard_with_data_is_folded_once_though_it_ticks() -> None:
    template = Recorder()
    rows = outcome(template, tick(), points(2, "t/000001"), points(1, "t/000000"))
    assert template.folds == [([1, 2], NOW)]
    assert deadlines(rows) == [NOW + 1]


def test_after_a_start_a_shard_ticks_after_what_came_with_it() -> None:
    template = Recorder()
    rows = outcome(template, tick(FIRST), points(1, "t/000000"))
    assert template.folds == [([1], NOW), ([], NOW)]
    assert deadlines(rows)[-1] == NOW + 2


def test_a_template_without_clock_names_no_deadlines() -> None:
    assert outcome(Recorder(uses_clock=False), points(1, "t/000000")) == []


def test_every_shard_ticks_until_all_deadlines_are_known_and_then_those_that_are_due(tmp_path: Path) -> None:
    file = DeadlineFile(str(tmp_path / "scratch"))
    known = KnownDeadlines(file, len(SHARDS.keys), uses_clock=True)
    assert due(file.read(), NOW) == ALL
    known.add({shard: NOW + shard for shard in SHARDS.keys[:-1]})
    assert due(file.read(), NOW) == ALL
    known.add({SHARDS.keys[-1]: None})
    assert due(file.read(), NOW - 1) == []
    assert due(file.read(), NOW + 2) == [0, 1, 2]
    known.add({0: NOW + 5})
    assert due(file.read(), NOW + 2) == [1, 2]
    assert due(file.read(), NOW + 10**9) == sorted(SHARDS.keys[:-1])


def test_after_a_start_nothing_is_known_and_without_a_clock_nothing_ticks(tmp_path: Path) -> None:
    file = DeadlineFile(str(tmp_path))
    KnownDeadlines(file, len(SHARDS.keys), uses_clock=True).add(dict.fromkeys(SHARDS.keys, NOW))
    KnownDeadlines(file, len(SHARDS.keys), uses_clock=True)
    assert due(file.read(), 0) == ALL
    KnownDeadlines(file, len(SHARDS.keys), uses_clock=False)
    assert (file.read(), due(file.read(), NOW)) == (None, ())


def test_ticks_go_along_with_the_first_messages(tmp_path: Path) -> None:
    reader = PointsReader(device_state_job(tmp_path), SHARDS)
    KnownDeadlines(DeadlineFile(str(tmp_path)), len(SHARDS.keys), uses_clock=True).add(dict.fromkeys(SHARDS.keys))
    start, end = {"t": {"0": 0, "1": 0, "2": 0}}, {"t": {"0": 3, "1": 50_000, "2": 7}, "now": NOW, "ticks": [3]}
    few, many = OffsetRange("t", 0, 0, 3), OffsetRange("t", 1, 0, 50_000)
    assert reader.partitions(start, end) == [
        ReadTask([Ticks([3]), few, many], NOW),
        ReadTask([OffsetRange("t", 2, 0, 7)], NOW),
    ]


def test_ticks_are_rows_of_their_shards() -> None:
    assert list(tick_rows(SHARDS, [3, 9], NOW)) == [BlockRow(shard, Kind.TICK, "", NOW, b"") for shard in (3, 9)]
    every = list(tick_rows(SHARDS, ALL, NOW))
    assert [row.shard for row in every] == list(SHARDS.keys)
    assert {row.block for row in every} == {FIRST}


@pytest.mark.parametrize(("end", "wanted"), [({"now": NOW}, []), ({"now": NOW, "ticks": [3]}, [[3]])])
def test_a_micro_batch_that_is_tried_again_after_a_start_ticks_every_shard(
    tmp_path: Path, end: dict[str, Any], wanted: list[Any]
) -> None:
    reader = PointsReader(device_state_job(tmp_path), SHARDS)
    nothing_planned = {name: member for name, member in end.items() if name not in {"now", "ticks"}}
    assert reader.partitions({}, nothing_planned) == []  # the first micro-batch, on empty topics
    known = KnownDeadlines(DeadlineFile(str(tmp_path)), len(SHARDS.keys), uses_clock=True)
    assert reader.partitions({}, end) == [ReadTask([Ticks(ALL)], NOW)]
    known.add(dict.fromkeys(SHARDS.keys))
    assert reader.partitions({}, end) == [ReadTask([Ticks(shards)], NOW) for shards in wanted]


def device_state_job(scratch: Path) -> str:
    job = {
        "job": {
            "namespace": "ou",
            "name": "job",
            "uid": "u",
            "created": "2026-01-01T00:00:00Z",
            "attempt": 1,
            "epoch": 0,
            "generation": 1,
        },
        "orgId": "o",
        "spec": {"template": {"name": "device-state", "version": "1.0"}, "deviceState": {"points": ["M::A"]}},
        "kafka": {"bootstrapServers": "127.0.0.1:1"},
        "scratchDir": str(scratch),
    }
    return json.dumps(job)
