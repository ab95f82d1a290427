"""The marker beside a job's checkpoints: the highest attempt that ever ran, so that older drivers are fenced."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from streamjob_api.job_file import JobFile
from streamjob_runtime.checkpoint_files import write_durably
from streamjob_runtime.faults import CheckpointDamaged, Fenced

_FILE = "attempt"


class Marker:
    """One job's marker, and the attempt that looks at it."""

    def __init__(self, folder: Path, attempt: int) -> None:
        self._folder = folder
        self._path = folder / _FILE
        self._attempt = attempt

    @classmethod
    def of(cls, job: JobFile) -> Self:
        """The marker lies above the epochs: it survives a dropped state."""
        return cls(Path(job.checkpoint_path).parent, job.job.attempt)

    def raise_to_own(self) -> None:
        """Write the own attempt.

        Raises:
            Fenced: a later attempt was here.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._locked():
            self.check()
            if self._read() < self._attempt:
                write_durably(self._path, f"{self._attempt}\n")

    def check(self) -> None:
        """Go on only while no later attempt was here.

        Raises:
            Fenced: a later attempt was here.
        """
        if (found := self._read()) > self._attempt:
            raise Fenced(f"attempt {found} of this job has taken over; this is attempt {self._attempt}")

    def _read(self) -> int:
        try:
            text = self._path.read_text()
        except FileNotFoundError:
            return 0
        if not text.strip().isdecimal():
            raise CheckpointDamaged(f"{self._path} holds no number; it names the job's highest attempt")
        return int(text)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._folder / f"{_FILE}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
