"""How far a job has come, read in its checkpoint while it runs: sooner than it says so itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from streamjob_api.job_file import JobFile
from streamjob_runtime.checkpoint import batches
from streamjob_runtime.offsets import positions


@dataclass(frozen=True)
class Reached:
    """Micro-batches and messages since the job's very beginning."""

    batches: int = 0
    messages: int = 0


class SparkLog:
    """The offset and commit logs of a job that reads its topics from offset 0."""

    def __init__(self, job: JobFile) -> None:
        self._offsets, self._commits = (Path(job.checkpoint_path) / name for name in ("offsets", "commits"))
        self._last = Reached()

    def committed(self) -> Reached:
        """What is done for good."""
        done = batches(self._commits)
        if done and done[-1] + 1 > self._last.batches:
            self._last = Reached(done[-1] + 1, self._messages(done[-1]))
        return self._last

    def planned_messages(self) -> int:
        """Messages of the micro-batch under way, and of all before it."""
        planned = batches(self._offsets)
        return self._messages(planned[-1]) if planned else 0

    def _messages(self, number: int) -> int:
        """Where a micro-batch ends; each file is renamed to its name when it is whole."""
        offset = json.loads((self._offsets / str(number)).read_text().splitlines()[-1])
        return sum(positions(offset).values())
