"""Spark's log of offsets, read and rewritten: whatever is interrupted, a job reads on from before or from after."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from streamjob_api.job_file import JobFile
from streamjob_runtime.checkpoint_files import InitialOffset
from streamjob_runtime.faults import CheckpointDamaged
from streamjob_runtime.offset_log import OffsetLog, Standing
from unit.driver.test_marker_and_checkpoint import job_file


def write(job: JobFile, number: int, offset: dict[str, Any], *, committed: bool) -> None:
    folder = Path(job.checkpoint_path)
    for name, text in (("offsets", f'v1\n{{"conf": {number}}}\n{json.dumps(offset)}'), ("commits", "v1\n{}")):
        (folder / name).mkdir(parents=True, exist_ok=True)
        if name == "offsets" or committed:
            (folder / name / str(number)).write_text(text)
            (folder / name / f".{number}.crc").write_bytes(b"crc")


@pytest.fixture
def job(tmp_path: Path) -> JobFile:
    found = job_file(tmp_path)
    InitialOffset(found).write({"t": {"0": 0}})
    return found


def test_the_next_micro_batch_begins_where_the_last_committed_one_ends(job: JobFile) -> None:
    assert OffsetLog(job).standing() == Standing(-1, {"t": {"0": 0}}, ())
    write(job, 0, {"t": {"0": 5}}, committed=False)
    assert OffsetLog(job).standing() == Standing(-1, {"t": {"0": 0}}, (0,))
    write(job, 0, {"t": {"0": 5}}, committed=True)
    write(job, 1, {"t": {"0": 9}}, committed=False)
    assert OffsetLog(job).standing() == Standing(0, {"t": {"0": 5}}, (1,))


def test_a_move_gives_up_what_was_begun_and_keeps_the_rest_of_the_log(job: JobFile) -> None:
    for number, committed in ((3, True), (4, True), (5, False)):
        write(job, number, {"t": {"0": number}}, committed=committed)
    OffsetLog(job).move({"t": {"0": 1}})
    assert OffsetLog(job).standing() == Standing(4, {"t": {"0": 1}}, ())
    folder = Path(job.checkpoint_path) / "offsets"
    assert sorted(entry.name for entry in folder.iterdir()) == [".3.crc", "3", "4"], "a wrong checksum is none"
    assert (folder / "4").read_text() == 'v1\n{"conf": 4}\n{"t": {"0": 1}}'


def test_a_move_drops_the_state_of_what_was_begun(job: JobFile) -> None:
    for number, committed in ((3, True), (4, True), (5, False)):
        write(job, number, {"t": {"0": number}}, committed=committed)
    shard = Path(job.checkpoint_path) / "state" / "0" / "3"
    shard.mkdir(parents=True)
    names = ["5.changelog", "5.zip", "6.changelog", ".6.changelog.crc", "6.zip", "000012.sst"]
    for name in names:
        (shard / name).touch()
    OffsetLog(job).move({"t": {"0": 1}})
    assert sorted(file.name for file in shard.iterdir()) == ["000012.sst", "5.changelog", "5.zip"]


def test_before_the_first_commit_the_first_micro_batch_becomes_an_empty_one(job: JobFile) -> None:
    write(job, 0, {"t": {"0": 5}}, committed=False)
    OffsetLog(job).move({"t": {"0": 3}})
    assert OffsetLog(job).standing() == Standing(-1, {"t": {"0": 3}}, (0,))
    assert (Path(job.checkpoint_path) / "offsets" / "0").read_text().endswith('\n{"t": {"0": 3}}')


@pytest.mark.parametrize("steps", range(6))
def test_a_tool_that_is_killed_leaves_the_log_as_before_or_as_after(
    job: JobFile, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(job, 0, {"t": {"0": 5}}, committed=True)
    write(job, 1, {"t": {"0": 9}}, committed=False)
    left = [steps]

    def killed_at(real: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return real(*arguments, **named)

        return call

    for owner, name in ((Path, "unlink"), (Path, "replace"), (os, "fsync")):
        monkeypatch.setattr(owner, name, killed_at(getattr(owner, name)))
    try:
        OffsetLog(job).move({"t": {"0": 2}})
    except KeyboardInterrupt:
        assert steps < 5
    standing = OffsetLog(job).standing()
    assert standing.offset in ({"t": {"0": 5}}, {"t": {"0": 2}})
    assert standing.offset == {"t": {"0": 5}} or standing.begun == (), "what was begun starts elsewhere"


@pytest.mark.parametrize("text", ["", "v1\n{}\n", "v2\n{}\n{}", "v1\n{}\n{", "v1\n{}\n{}\n{}"])
def test_a_log_of_another_form_is_refused(job: JobFile, text: str) -> None:
    write(job, 0, {}, committed=True)
    (Path(job.checkpoint_path) / "offsets" / "0").write_text(text)
    with pytest.raises(CheckpointDamaged, match="offsets/0"):
        OffsetLog(job).standing()
