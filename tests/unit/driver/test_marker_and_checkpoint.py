"""What a driver checks before it touches a job's checkpoint."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streamjob_api.job_file import JobFile
from streamjob_runtime.checkpoint import claim
from streamjob_runtime.faults import CheckpointDamaged, CheckpointIncompatible, Fenced
from streamjob_runtime.marker import Marker
from streamjob_runtime.state_layout import StateLayout


def job_file(folder: Path, *, attempt: int = 1, epoch: int = 0, window: str = "10m") -> JobFile:
    identity = {"namespace": "ou", "name": "job", "uid": "u1", "created": "2026-01-01T00:00:00Z", "generation": 1}
    policy = {"input": "M::P", "aggregation": "max", "windowSize": window, "output": "M::Max"}
    template = {"name": "time-window-aggregation", "version": "1.0"}
    document: dict[str, Any] = {
        "job": {**identity, "attempt": attempt, "epoch": epoch},
        "orgId": "o1",
        "spec": {"template": template, "timeWindowAggregation": {"policies": [policy]}},
        "kafka": {"bootstrapServers": "localhost:9092"},
        "checkpointDir": str(folder),
    }
    return JobFile.model_validate(document)


def test_a_later_attempt_fences_an_earlier_one(tmp_path: Path) -> None:
    first, second = Marker.of(job_file(tmp_path)), Marker.of(job_file(tmp_path, attempt=2))
    first.raise_to_own()
    first.check()
    second.raise_to_own()
    with pytest.raises(Fenced, match="attempt 2 of this job has taken over; this is attempt 1"):
        first.check()
    with pytest.raises(Fenced):
        first.raise_to_own()
    second.check()


def test_the_marker_survives_a_dropped_state(tmp_path: Path) -> None:
    Marker.of(job_file(tmp_path, attempt=7)).raise_to_own()
    with pytest.raises(Fenced):
        Marker.of(job_file(tmp_path, attempt=6, epoch=1)).raise_to_own()


def test_a_marker_that_holds_no_number_is_damage(tmp_path: Path) -> None:
    job = job_file(tmp_path)
    Marker.of(job).raise_to_own()
    (Path(job.checkpoint_path).parent / "attempt").write_text("?")
    with pytest.raises(CheckpointDamaged):
        Marker.of(job).check()


def test_a_checkpoint_is_claimed_once_and_continued(tmp_path: Path) -> None:
    claim(job_file(tmp_path), StateLayout(4, 4))
    claim(job_file(tmp_path, attempt=2), StateLayout(4, 4))


def test_another_calculation_is_refused_with_the_remedy(tmp_path: Path) -> None:
    claim(job_file(tmp_path), StateLayout(4, 4))
    with pytest.raises(CheckpointIncompatible, match=r"calculation was .* state to Stopped and then to Running"):
        claim(job_file(tmp_path, window="5m"), StateLayout(4, 4))
    with pytest.raises(CheckpointIncompatible, match="shufflePartitions was 4 and is 8"):
        claim(job_file(tmp_path), StateLayout(8, 8))


def healthy(folder: Path) -> None:
    (folder / "metadata").write_text('{"id": "x"}')
    for log in ("offsets", "commits", "state"):
        (folder / log).mkdir()
    for batch in (3, 4, 5):
        (folder / "offsets" / str(batch)).write_text('v1\n{"conf": {}}\n{"points": {"0": 1}}')
    for batch in (3, 4):
        (folder / "commits" / str(batch)).write_text("v1\n{}")


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda folder: (folder / "metadata").unlink(), id="no metadata"),
        pytest.param(lambda folder: (folder / "offsets" / "4").unlink(), id="a gap in the offsets"),
        pytest.param(lambda folder: (folder / "commits" / "4").unlink(), id="a commit is missing"),
        pytest.param(lambda folder: (folder / "offsets" / "5").write_text('v1\n{"conf'), id="cut offsets"),
        pytest.param(lambda folder: (folder / "offsets" / "5").write_text(""), id="empty offsets"),
        pytest.param(lambda folder: [path.unlink() for path in (folder / "offsets").iterdir()], id="no offsets"),
        pytest.param(lambda folder: (folder / "streamjob-identity.json").unlink(), id="no identity"),
        pytest.param(lambda folder: (folder / "streamjob-identity.json").write_text("{"), id="cut identity"),
    ],
)
def test_a_damaged_checkpoint_is_never_taken_for_a_fresh_one(tmp_path: Path, damage: Callable[[Path], Any]) -> None:
    job = job_file(tmp_path)
    claim(job, StateLayout(4, 4))
    healthy(Path(job.checkpoint_path))
    claim(job, StateLayout(4, 4))
    damage(Path(job.checkpoint_path))
    with pytest.raises(CheckpointDamaged):
        claim(job, StateLayout(4, 4))


def test_a_checkpoint_that_must_be_there_is_not_begun_afresh(tmp_path: Path) -> None:
    job = job_file(tmp_path)
    with pytest.raises(CheckpointDamaged, match="not there, though the job has run on it"):
        claim(job, StateLayout(4, 4), continues=True)
    claim(job, StateLayout(4, 4))
    claim(job, StateLayout(4, 4), continues=True)
