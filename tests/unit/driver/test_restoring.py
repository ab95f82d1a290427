"""Beginning with a copy of another checkpoint: once, as a whole, and only of what calculates the same."""

import json
import shutil
from pathlib import Path

import pytest

from streamjob_api.job_file import JobFile
from streamjob_runtime.checkpoint import claim
from streamjob_runtime.checkpoint_lock import held_by_driver
from streamjob_runtime.faults import CheckpointIncompatible, DependencyUnavailable, InvalidConfiguration
from streamjob_runtime.restoring import restore
from streamjob_runtime.state_layout import StateLayout
from unit.driver.test_marker_and_checkpoint import job_file

OLD = "ou/job/u1/0"


def begun(folder: Path) -> Path:
    """A checkpoint with a micro-batch, and with Spark's note of where the schemas of its state lie."""
    job = job_file(folder)
    claim(job, StateLayout(4, 4))
    path = Path(job.checkpoint_path)
    for name, text in (
        ("offsets/0", "v1\n{}\n{}"),
        ("commits/0", "v1\n{}"),
        ("metadata", "{}"),
        ("state/0/_metadata/v2/0", f'v2\n{{"stateSchemaFilePaths":["file:{path}/state/0/_stateSchema/default/x"]}}'),
        ("state/0/_metadata/v2/.0.crc", "crc"),
    ):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    return path


def new(folder: Path, *, uid: str = "u2", epoch: int = 0, window: str = "10m", named: str = OLD) -> JobFile:
    job = job_file(folder, epoch=epoch, window=window)
    identity, spec = job.job.model_copy(update={"uid": uid}), job.spec.model_copy(update={"restore_from": named})
    return job.model_copy(update={"job": identity, "spec": spec})


def test_a_new_job_begins_with_a_copy_that_needs_its_source_no_more(tmp_path: Path) -> None:
    source, job = begun(tmp_path), new(tmp_path)
    assert restore(job)
    shutil.rmtree(source)
    claim(job, StateLayout(4, 4))
    path = Path(job.checkpoint_path)
    assert (path / "commits" / "0").exists()
    assert f"file:{path}/state/0/_stateSchema" in (path / "state" / "0" / "_metadata" / "v2" / "0").read_text()
    assert not (path / "state" / "0" / "_metadata" / "v2" / ".0.crc").exists()


def test_the_source_stays_and_what_is_there_is_not_replaced(tmp_path: Path) -> None:
    source, job = begun(tmp_path), new(tmp_path)
    restore(job)
    (Path(job.checkpoint_path) / "commits" / "1").touch()
    assert not restore(job)
    assert (Path(job.checkpoint_path) / "commits" / "1").exists()
    assert (source / "commits" / "0").exists()


def test_a_stopped_job_does_not_go_back_again_but_may_to_another_path(tmp_path: Path) -> None:
    begun(tmp_path)
    first = new(tmp_path)
    restore(first)
    assert not restore(new(tmp_path, epoch=1))
    assert not Path(new(tmp_path, epoch=1).checkpoint_path).exists()
    assert restore(new(tmp_path, epoch=1, named="ou/job/u2/0")), "an earlier epoch of its own"


def test_a_job_without_it_begins_afresh(tmp_path: Path) -> None:
    begun(tmp_path)
    assert not restore(job_file(tmp_path, epoch=1))


def test_what_was_left_by_a_crash_is_done_again(tmp_path: Path) -> None:
    begun(tmp_path)
    job = new(tmp_path)
    left = Path(f"{job.checkpoint_path}.restoring")
    left.mkdir(parents=True)
    (left / "half").touch()
    (left / "streamjob-restored.json").write_text(json.dumps({"from": job.spec.restore_from}))
    unclaimed = Path(job.checkpoint_path) / "streamjob-identity.json.draft"
    unclaimed.parent.mkdir()
    unclaimed.touch()
    assert restore(job)
    assert not unclaimed.exists()
    assert not left.exists()
    assert not (Path(job.checkpoint_path) / "half").exists()


def test_another_calculation_is_refused_before_anything_is_copied(tmp_path: Path) -> None:
    begun(tmp_path)
    job = new(tmp_path, window="20m")
    with pytest.raises(CheckpointIncompatible, match="calculation was"):
        restore(job)
    assert not Path(job.checkpoint_path).exists()


def test_a_path_that_is_not_there_or_another_ous_is_refused(tmp_path: Path) -> None:
    begun(tmp_path)
    with pytest.raises(InvalidConfiguration, match="there is no checkpoint at ou/job/u1/7 on the job's volume"):
        restore(new(tmp_path, named="ou/job/u1/7"))
    with pytest.raises(InvalidConfiguration, match=r"belongs to namespace other; .* begin with ou/"):
        restore(new(tmp_path, named="other/job/u1/0"))


def test_a_checkpoint_that_a_driver_writes_is_waited_for(tmp_path: Path) -> None:
    begun(tmp_path)
    with (
        held_by_driver(job_file(tmp_path), lambda: False),
        pytest.raises(DependencyUnavailable, match="a driver works"),
    ):
        restore(new(tmp_path))
    own = new(tmp_path, uid="u1", epoch=1)
    with held_by_driver(own, lambda: False):
        assert restore(own), "of an earlier epoch no driver is left"
    adopted = json.loads((Path(own.checkpoint_path) / "streamjob-restored.json").read_text())
    assert adopted == {"from": OLD}
