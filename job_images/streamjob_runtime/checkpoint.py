"""A job's checkpoint folder before Spark opens it: whether it is this job's, and whether it is whole."""

import json
from pathlib import Path
from typing import Any

from streamjob_api.job_file import JobFile
from streamjob_runtime.checkpoint_files import REMEDY, write_durably
from streamjob_runtime.faults import CheckpointDamaged, CheckpointIncompatible
from streamjob_runtime.job_template import template_of
from streamjob_runtime.shards import FORMER
from streamjob_runtime.state_layout import StateLayout

_IDENTITY_FILE = "streamjob-identity.json"


def identity(job: JobFile, layout: StateLayout) -> dict[str, Any]:
    """What a checkpoint must have been made with to be continued by this job.

    The results' topic is no part of it: a job begins and ceases to read it as other jobs come and go, and its offsets
    say whether it did.
    """
    return {
        "template": job.spec.template.name,
        "calculation": template_of(job).identity,
        "inputTopic": job.input_topic,
        "shards": layout.shards,
        "shufflePartitions": layout.partitions,
    }


def layout_of(job: JobFile) -> StateLayout:
    """How the state of the job's checkpoint is cut, or that of a new one is to be.

    Raises:
        CheckpointDamaged: its identity cannot be read.
    """
    folder = Path(job.checkpoint_path)
    return _layout_in(folder) if is_claimed(folder) else StateLayout.new(job.spec.resources)


def is_claimed(folder: Path) -> bool:
    """Whether a folder is the checkpoint of some job."""
    return (folder / _IDENTITY_FILE).exists()


def check(job: JobFile, folder: Path) -> None:
    """See that the job could go on with a checkpoint.

    Raises:
        CheckpointIncompatible: it was made by a job that calculates something else.
        CheckpointDamaged: files are missing or cannot be read.
    """
    _refuse_other(_read_json(folder / _IDENTITY_FILE), identity(job, _layout_in(folder)))
    _refuse_damaged(folder)


def _layout_in(folder: Path) -> StateLayout:
    file = folder / _IDENTITY_FILE
    found = _read_json(file)
    told = found if isinstance(found, dict) else {}
    partitions, shards = told.get("shufflePartitions"), told.get("shards")
    if not isinstance(partitions, int) or not 1 <= partitions <= FORMER or shards not in (partitions, FORMER):
        raise CheckpointDamaged(f"{file} names no number of shuffle partitions and shards; {REMEDY}")
    return StateLayout(partitions, shards)


def claim(job: JobFile, layout: StateLayout, *, continues: bool = False) -> None:
    """Mark an empty folder as this job's; look at one that is not.

    Args:
        continues: whether a driver of this checkpoint was healthy before, so that it is not empty.

    Raises:
        CheckpointIncompatible: it was made by a job that calculates something else.
        CheckpointDamaged: files are missing or cannot be read.
    """
    folder, wanted = Path(job.checkpoint_path), identity(job, layout)
    file = folder / _IDENTITY_FILE
    if file.exists():
        _refuse_other(_read_json(file), wanted)
        _refuse_damaged(folder)
        return
    if (folder / "offsets").exists():
        raise CheckpointDamaged(f"checkpoint {folder} holds state but {file.name} is missing; {REMEDY}")
    if continues:
        raise CheckpointDamaged(
            f"checkpoint {folder} is not there, though the job has run on it: the volume is another one, or was "
            f"emptied (checkpoints of the StreamResource, the claim); bring it back, or {REMEDY}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_durably(file, json.dumps(wanted, indent=2) + "\n")


def _refuse_other(found: Any, wanted: dict[str, Any]) -> None:
    if not isinstance(found, dict):
        raise CheckpointDamaged(f"{_IDENTITY_FILE} of the checkpoint is no JSON object; {REMEDY}")
    changed = [
        f"{name} was {found.get(name)!r} and is {wanted[name]!r}" for name in wanted if found.get(name) != wanted[name]
    ]
    if changed:
        raise CheckpointIncompatible(
            f"the checkpoint was made by another calculation ({'; '.join(changed)}): take the change back, or {REMEDY}"
        )


def _refuse_damaged(folder: Path) -> None:
    """What Spark would only find later, or take for a fresh start."""
    offsets, commits = batches(folder / "offsets"), batches(folder / "commits")
    if not offsets:
        if commits or (folder / "state").exists():
            raise CheckpointDamaged(f"checkpoint {folder} holds state but no offsets; {REMEDY}")
        return
    if not (folder / "metadata").exists():
        raise CheckpointDamaged(f"checkpoint {folder} has no metadata file; {REMEDY}")
    if offsets != list(range(offsets[0], offsets[-1] + 1)):
        raise CheckpointDamaged(f"the offsets of checkpoint {folder} have a gap among {offsets}; {REMEDY}")
    if offsets[-1] > 0 and (not commits or commits[-1] < offsets[-1] - 1):
        raise CheckpointDamaged(f"checkpoint {folder} lacks the commit of micro-batch {offsets[-1] - 1}; {REMEDY}")
    _read_log(folder / "offsets" / str(offsets[-1]))


def batches(log: Path) -> list[int]:
    """The micro-batches in one of Spark's logs, ascending."""
    return sorted(int(entry.name) for entry in log.iterdir() if entry.name.isdecimal()) if log.exists() else []


def _read_log(file: Path) -> None:
    """An entry of Spark's offset log: a version, then lines of JSON."""
    version, _, rest = file.read_text(errors="replace").partition("\n")
    try:
        is_whole = version in {"v1", "v2"} and all(
            isinstance(json.loads(line), dict) for line in rest.splitlines() if line != "-"
        )
    except json.JSONDecodeError:
        is_whole = False
    if not is_whole or not rest:
        raise CheckpointDamaged(f"{file} cannot be read; {REMEDY}")


def _read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text())
    except ValueError as error:
        raise CheckpointDamaged(f"{file} is no JSON; {REMEDY}") from error
