"""Small files of ours in and beside Spark's checkpoint folder: written whole or not at all."""

import json
import os
from pathlib import Path
from typing import Any

from streamjob_api.job_file import JobFile

REMEDY = "set the job's state to Stopped and then to Running to drop it and start afresh"


def write_durably(file: Path, text: str) -> None:
    """Replace a file's content; after a crash it is the old or the new one."""
    draft = file.with_name(f"{file.name}.draft")
    with draft.open("w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)


class InitialOffset:
    """Where the first micro-batch of a checkpoint begins."""

    def __init__(self, job: JobFile) -> None:
        self._file = Path(job.checkpoint_path) / "streamjob-initial-offset.json"

    def read(self) -> dict[str, Any] | None:
        """The kept offset; None before the first start."""
        if not self._file.exists():
            return None
        offset: dict[str, Any] = json.loads(self._file.read_text())
        return offset

    def write(self, offset: dict[str, Any]) -> None:
        """Keep the offset."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_durably(self._file, json.dumps(offset))
