"""What a person sees while the cluster starts: one line a step, with the time it took, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status

HEARTBEAT_SECONDS = 30.0  # on a log, where no spinner turns, a long step says this often that it lives


class Step:
    """A running step; ``note`` says how far it is."""

    def __init__(self, title: str, console: Console, status: Status | None) -> None:
        self.title = title
        self.has_failed = False
        """Set by a step whose failure is not the command's: it goes on and tells about it later."""
        self.started = time.monotonic()
        self._console = console
        self._status = status
        self._said = self.started

    @property
    def elapsed(self) -> str:
        return elapsed(time.monotonic() - self.started)

    def note(self, text: str) -> None:
        if self._status:
            self._status.update(f"{self.title} ({text}, {self.elapsed})")
        elif time.monotonic() - self._said > HEARTBEAT_SECONDS:
            self._said = time.monotonic()
            self._console.print(f"  … {self.title} ({text}, {self.elapsed})", highlight=False, markup=False)


class Progress:
    """The steps of one command."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, soft_wrap=True)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show a step while it runs, and how long it took when it is done. A failed one says so."""
        with self._shown(title) as status:
            step = Step(title, self.console, status)
            try:
                yield step
            except BaseException:
                self._say("✗", f"{title} failed after {step.elapsed}")
                raise
        self._say("✗" if step.has_failed else "✓", f"{title} ({step.elapsed})")

    def say(self, text: str) -> None:
        self._say("·", text)

    def _say(self, sign: str, text: str) -> None:
        self.console.print(f"{sign} {text}", highlight=False, markup=False)

    @contextmanager
    def _shown(self, title: str) -> Iterator[Status | None]:
        if self.console.is_terminal:
            with self.console.status(title) as status:
                yield status
        else:
            sys.stderr.flush()
            yield None


def elapsed(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``2 min 46 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
