"""Edits of the state: numbered, taken up once, replayed alike, and handed to the shards that hold the assets."""

import json
from pathlib import Path
from typing import Any

import pytest

from streamjob_api.points import PointRef
from streamjob_runtime.blocks import from_bytes
from streamjob_runtime.checkpoint_lock import held_by_driver, held_by_tool
from streamjob_runtime.deadline_file import DeadlineFile
from streamjob_runtime.edits import EditsFile, by_shard, chosen_of
from streamjob_runtime.folding import folded
from streamjob_runtime.offsets import Holdings, Place, next_offset
from streamjob_runtime.reading import forget_rows
from streamjob_runtime.rows import BlockRow, Kind
from streamjob_runtime.shards import Shards
from streamjob_runtime.source import Edits, PointsReader, ReadTask
from unit.driver.test_marker_and_checkpoint import job_file
from unit.runtime.windows_bench import BASE, MINUTE, Run, window_job

SHARDS = Shards.of(4)

POINT = PointRef("M", "P")


def edits_of(folder: Path) -> EditsFile:
    job = job_file(folder)
    Path(job.checkpoint_path).mkdir(parents=True)
    return EditsFile(job)


def test_edits_are_numbered_on_and_go_when_they_were_taken_up(tmp_path: Path) -> None:
    edits = edits_of(tmp_path)
    assert edits.last == 0
    edits.add(["a"], [POINT], 1, taken_up=0)
    edits.add(["b"], [POINT], 2, taken_up=0)
    assert [edit.number for edit in edits.pending(0)] == [1, 2]
    assert [edit.assets for edit in edits.between(1, 2)] == [("b",)]
    edits.add(["c"], [POINT], 3, taken_up=2)
    assert [(edit.number, edit.assets) for edit in edits.pending(0)] == [(3, ("c",))]
    assert edits.pending(3) == []


def test_a_number_is_used_once_though_all_edits_were_taken_up_and_dropped(tmp_path: Path) -> None:
    edits = edits_of(tmp_path)
    edits.add(["a"], [POINT], 1, taken_up=7)
    assert edits.last == 8


def test_an_edit_alone_makes_a_micro_batch_and_is_not_planned_again() -> None:
    start: dict[str, Any] = {"t": {"0": 5}, "now": 9}
    idle = Holdings({Place("t", 0): 5})
    end = next_offset(start, idle, 100, 10, edits=2)
    assert end == {"t": {"0": 5}, "now": 10, "read": 9, "edits": 2}
    assert next_offset(end, idle, 100, 11, edits=2) is end
    assert next_offset(end, Holdings({Place("t", 0): 6}), 100, 11, edits=0)["edits"] == 2


def test_a_micro_batch_takes_up_the_edits_between_its_offsets_however_often_it_is_planned(tmp_path: Path) -> None:
    edits, job = edits_of(tmp_path), job_file(tmp_path)
    for number, asset in enumerate("abc"):
        edits.add([asset], [POINT], number, taken_up=0)
    DeadlineFile(job.scratch_dir).remove()
    reader = PointsReader(job.model_dump_json(), SHARDS)
    for _ in range(2):
        (planned,) = reader.partitions({"edits": 1, "now": 4}, {"edits": 3, "now": 5})
        assert isinstance(planned, ReadTask)
        assert planned.now_ms == 5
        (edits_planned,) = planned.parts
        assert isinstance(edits_planned, Edits)
        assert {asset for block in edits_planned.by_shard.values() for asset in json.loads(block)[0]["assets"]} == {
            "b",
            "c",
        }
    assert reader.partitions({"edits": 3, "now": 5}, {"edits": 3, "now": 6}) == []


def test_an_asset_is_told_to_its_shard_and_a_pattern_to_all(tmp_path: Path) -> None:
    edits = edits_of(tmp_path)
    edits.add(["a", "b"], [POINT], 1, taken_up=0)
    assert sorted(by_shard(edits.pending(0), SHARDS)) == sorted({SHARDS.of_asset("a"), SHARDS.of_asset("b")})
    edits.add(["x-*"], [POINT], 1, taken_up=0)
    told = by_shard(edits.pending(0), SHARDS)
    assert sorted(told) == sorted(SHARDS.keys)
    first, second = chosen_of(told[SHARDS.of_asset("a")])
    assert (first.has("a"), first.has("x-1"), second.has("a"), second.has("x-1")) == (True, False, False, True)


def test_a_shard_forgets_before_it_folds_and_names_its_deadline_anew() -> None:
    run = Run(window_job({}), idle_timeout="1h")
    run.feed([("a", "M::A", BASE, 7)], now=BASE)
    ((shard, store),) = run.stores.items()
    block = json.dumps([{"assets": ["a"], "points": ["M::A"]}]).encode()
    (row,) = forget_rows({shard: block}, BASE + MINUTE)
    assert [(row.kind, bytes(row.block)) for row in folded(run.template, store, [row])] == [(Kind.DEADLINE, b"null")]
    run.feed([("a", "M::A", BASE + 1, 1), ("a", "M::A", BASE + 10 * MINUTE, 1)], now=BASE + MINUTE)
    assert [value for _, _, value in run.emissions[-1]] == [1]


def test_ticks_and_other_rows_stay_as_they_are_beside_an_edit() -> None:
    run = Run(window_job({}), idle_timeout="1h")
    run.feed([("a", "M::A", BASE, 7)], now=BASE)
    ((shard, store),) = run.stores.items()
    block = json.dumps([{"assets": ["a"], "points": ["M::A"]}]).encode()
    tick, counts = BlockRow(shard, Kind.TICK, "", BASE + 61 * MINUTE, b""), BlockRow(shard, Kind.COUNTS, "", 0, b"{}")
    rows = list(folded(run.template, store, [tick, counts, BlockRow(shard, Kind.FORGET, "", tick.now, block)]))
    assert [row.kind for row in rows] == [Kind.COUNTS, Kind.DEADLINE], "the forgotten window is not closed as silent"
    assert from_bytes(store.blocks[-1]).height == 0


def test_a_tool_has_a_checkpoint_alone_and_drivers_wait_for_it(tmp_path: Path) -> None:
    job = job_file(tmp_path)
    with held_by_driver(job, lambda: False) as first, held_by_driver(job, lambda: False) as second:
        assert (first, second) == (True, True)
        with held_by_tool(job) as is_held:
            assert not is_held
    looks = iter([False, False, True])
    with held_by_tool(job) as is_held:
        assert is_held
        with held_by_driver(job, lambda: next(looks)) as driver:
            assert not driver, "asked to stop while it waited"
        with held_by_tool(job) as other:
            assert not other
    with held_by_driver(job, lambda: True) as driver:
        assert driver


@pytest.mark.parametrize("bad", ["[", "a[]"])
def test_what_is_no_pattern_is_refused_before_it_is_written(bad: str) -> None:
    with pytest.raises(ValueError, match="not a pattern"):
        chosen_of(json.dumps([{"assets": [bad], "points": []}]).encode())
