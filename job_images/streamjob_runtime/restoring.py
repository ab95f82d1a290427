"""``spec.restoreFrom``: a new checkpoint begins as a copy of another one on the same volume.

Each path is adopted once in a job's life, by the first checkpoint that begins while the spec names it: a job that is
stopped later starts afresh, though its manifest still says where it once came from.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from streamjob_api.job_file import JobFile
from streamjob_runtime.checkpoint import check, is_claimed
from streamjob_runtime.checkpoint_files import write_durably
from streamjob_runtime.checkpoint_lock import alone_in
from streamjob_runtime.faults import DependencyUnavailable, InvalidConfiguration

_RESTORED_FILE = "streamjob-restored.json"
_DRAFT = ".restoring"


def restore(job: JobFile) -> bool:
    """Copy the checkpoint that the spec names, if this one is new; the copy is there as a whole or not at all.

    Returns:
        Whether anything was copied.

    Raises:
        InvalidConfiguration: it is not there, or not this OU's.
        CheckpointIncompatible: it was made by a job that calculates something else.
        CheckpointDamaged: it is not whole.
        DependencyUnavailable: a driver works on it.
    """
    named, target = job.spec.restore_from, Path(job.checkpoint_path)
    if named is None or is_claimed(target) or (target / "offsets").exists() or named in _restored(target.parent):
        return False
    source = Path(job.checkpoint_dir) / named
    _refuse_elsewhere(job, named)
    if not is_claimed(source):
        raise InvalidConfiguration(
            f"spec.restoreFrom: there is no checkpoint at {named} on the job's volume; write a path as in "
            "status.deployed.checkpoint, or leave it out"
        )
    check(job, source)
    with _quiet(source, target):
        _copy(source, target, named)
    return True


def _refuse_elsewhere(job: JobFile, named: str) -> None:
    namespace = PurePosixPath(named).parts[0]
    if namespace != job.job.namespace:
        raise InvalidConfiguration(
            f"spec.restoreFrom: {named} belongs to namespace {namespace}; a job adopts checkpoints of its own namespace"
            f" alone, which begin with {job.job.namespace}/"
        )


def _restored(epochs: Path) -> set[str]:
    """The paths that the job has adopted already."""
    found = (file for file in epochs.glob(f"*/{_RESTORED_FILE}") if file.parent.suffix != _DRAFT)
    return {json.loads(file.read_text())["from"] for file in found}


@contextmanager
def _quiet(source: Path, target: Path) -> Iterator[None]:
    """No driver may write what is copied; of the own job none but this one does."""
    if source.parent == target.parent:
        yield
        return
    with alone_in(source.parent) as is_alone:
        if not is_alone:
            raise DependencyUnavailable(
                f"spec.restoreFrom: a driver works on {source}; pause or stop its job, this one tries again"
            )
        yield


def _copy(source: Path, target: Path, named: str) -> None:
    draft = target.with_name(f"{target.name}{_DRAFT}")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(source, draft)
    for file in draft.glob("state/*/_metadata/v2/[0-9]*"):
        _moved(file, source, target)
    write_durably(draft / _RESTORED_FILE, json.dumps({"from": named}) + "\n")
    shutil.rmtree(target, ignore_errors=True)  # what a driver left that was killed before it claimed the path
    draft.replace(target)


def _moved(file: Path, source: Path, target: Path) -> None:
    """Spark notes where the schemas of the state lie, by their whole path."""
    text = file.read_text()
    file.with_name(f".{file.name}.crc").unlink(missing_ok=True)
    write_durably(file, text.replace(f"{source}/", f"{target}/"))
