"""How far the reading has come, on standard error, for people who wait."""

import sys
import time
from typing import TYPE_CHECKING, Self

from streamjob_cli.input_lines import InputLines

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_AFTER_SECONDS = 1.0


class ReadProgress:
    """A bar that appears when reading takes long, if standard error is a terminal."""

    def __init__(self, lines: InputLines, *, is_wanted: bool) -> None:
        self._lines = lines
        self._is_wanted = is_wanted and sys.stderr.isatty()
        self._begun = time.monotonic()
        self._read = 0
        self._bar: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> Self:
        return self

    def advance(self, count: int) -> None:
        """So many lines more have been read."""
        self._read += count
        if not self._is_wanted or time.monotonic() - self._begun < _AFTER_SECONDS:
            return
        progress, task = self._bar = self._bar or self._started()
        completed = None if self._lines.size is None else self._lines.position()
        progress.update(task, completed=completed, description=f"{self._read:,} lines")

    def _started(self) -> "tuple[Progress, TaskID]":
        from rich.console import Console  # noqa: PLC0415 (most previews are over before)
        from rich.progress import Progress  # noqa: PLC0415

        progress = Progress(console=Console(stderr=True), transient=True)
        progress.start()
        return progress, progress.add_task("", total=self._lines.size)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar[0].stop()
