"""When which shard must be folded again: told by the driver's main process to the planner, another one, by a file."""

import json
from collections.abc import Sequence
from pathlib import Path

from streamjob_runtime.offsets import ALL

_FILE = "deadlines.json"
Deadlines = dict[int, int | None]


class DeadlineFile:
    """The deadlines of all shards of a job whose template uses the clock; that there is a file says so.

    It is empty until the deadline of every shard is known, as after a start.
    """

    def __init__(self, scratch_dir: str) -> None:
        self._file = Path(scratch_dir) / _FILE

    def remove(self) -> None:
        """The template does not use the clock."""
        self._file.unlink(missing_ok=True)

    def write(self, deadlines: Deadlines) -> None:
        """Replace what the planner reads, at once and as a whole; need not survive the machine."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(".draft")
        draft.write_text(json.dumps(deadlines))
        draft.replace(self._file)

    def read(self) -> Deadlines | None:
        """What was written last; None where the template does not use the clock."""
        try:
            text = self._file.read_text()
        except FileNotFoundError:
            return None
        return {int(shard): deadline for shard, deadline in json.loads(text).items()}


def due(deadlines: Deadlines | None, now_ms: int) -> Sequence[int] | str:
    """The shards that tick now: ALL while their deadlines are not known, none where nobody uses the clock."""
    if deadlines is None:
        return ()
    if not deadlines:
        return ALL
    return [shard for shard, deadline in sorted(deadlines.items()) if deadline is not None and deadline <= now_ms]
