"""Spark's own account of how far a job has read, in its checkpoint folder; read and rewritten without Spark.

``offsets/N`` says where micro-batch N ends, ``commits/N`` that it is done. The next one begins where the last committed
one ends. Each file has a version in its first line, and of offsets metadata in the second and the source's offset in
the third. Beside it may lie ``.N.crc``, the checksum of Hadoop's file system; a file without one is not checked.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from streamjob_api.job_file import JobFile
from streamjob_runtime.checkpoint import batches
from streamjob_runtime.checkpoint_files import REMEDY, InitialOffset, write_durably
from streamjob_runtime.faults import CheckpointDamaged
from streamjob_runtime.offsets import StreamOffset

_VERSION, _LINES = "v1", 3

# Versions of the state, with their checksums; a micro-batch makes the version above its number.
_STATE_FILE = re.compile(r"\.?(\d+)(?:_[^.]*)?\.(?:changelog|delta|snapshot|zip)(?:\.crc)?")


@dataclass(frozen=True)
class Standing:
    """How far a job has read.

    Attributes:
        batch_id: the last committed micro-batch; -1 before the first.
        offset: where the next one begins; None where that was never decided.
        begun: micro-batches that are planned, but not committed: one at most.
    """

    batch_id: int
    offset: StreamOffset | None
    begun: tuple[int, ...]


class OffsetLog:
    """The log of one checkpoint; whoever changes it holds the checkpoint alone."""

    def __init__(self, job: JobFile) -> None:
        folder = Path(job.checkpoint_path)
        self._offsets, self._commits, self._state = folder / "offsets", folder / "commits", folder / "state"
        self._initial = InitialOffset(job)

    def standing(self) -> Standing:
        """Read how far the job has come.

        Raises:
            CheckpointDamaged: the log cannot be read.
        """
        planned, committed = batches(self._offsets), batches(self._commits)
        done = [number for number in planned if number in set(committed)]
        begun = tuple(number for number in planned if number not in set(committed))
        if done:
            return Standing(done[-1], self._read(done[-1]), begun)
        return Standing(-1, self._initial.read(), begun)

    def move(self, offset: StreamOffset) -> None:
        """Let the next micro-batch begin at ``offset``; one that was begun is given up.

        After a crash at any moment each partition is read on from before or from after the move.
        """
        standing = self.standing()
        self._drop_state_after(standing.batch_id + 1)
        if standing.batch_id >= 0:
            for number in standing.begun:
                self._drop(number)
            self._rewrite(standing.batch_id, offset)
            return
        # Spark repeats the first micro-batch, from the initial offset to the end that it logged: an empty one.
        for number in standing.begun:
            self._rewrite(number, offset)
        self._initial.write(offset)

    def _read(self, number: int) -> StreamOffset:
        try:
            offset: StreamOffset = json.loads(self._lines(number)[2])
        except ValueError as error:
            raise CheckpointDamaged(f"{self._offsets / str(number)} cannot be read; {REMEDY}") from error
        return offset

    def _lines(self, number: int) -> list[str]:
        file = self._offsets / str(number)
        lines = file.read_text(errors="replace").splitlines()
        if len(lines) != _LINES or lines[0] != _VERSION:
            raise CheckpointDamaged(f"{file} is no offset log of one source in version {_VERSION}; {REMEDY}")
        return lines

    def _drop_state_after(self, version: int) -> None:
        """Drop what a begun micro-batch left of the state: Spark would load a later version from a copy of it."""
        for file in list(self._state.rglob("*")):
            match = _STATE_FILE.fullmatch(file.name)
            if match and int(match[1]) > version:
                file.unlink(missing_ok=True)

    def _drop(self, number: int) -> None:
        self._checksum(number).unlink(missing_ok=True)
        (self._offsets / str(number)).unlink(missing_ok=True)

    def _rewrite(self, number: int, offset: StreamOffset) -> None:
        file = self._offsets / str(number)
        version, metadata, _ = self._lines(number)
        # The checksum first: a file that has none is read as it is.
        self._checksum(number).unlink(missing_ok=True)
        write_durably(file, f"{version}\n{metadata}\n{json.dumps(offset)}")

    def _checksum(self, number: int) -> Path:
        return self._offsets / f".{number}.crc"
