"""What scripts print, in the driver's log."""

import sys
import time
from collections.abc import Callable

_LINES_A_MINUTE = 60
_LINE_LENGTH = 300


def _to_log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Printed:
    """Lines of one script; what goes beyond so many a minute is left out, and said to be."""

    def __init__(self, name: str, tell: Callable[[str], None] = _to_log) -> None:
        self._name, self._tell = name, tell
        self._open = b""
        self._since, self._lines = time.monotonic(), 0

    def add(self, text: bytes) -> None:
        """Take what was printed."""
        *whole, rest = (self._open + text).split(b"\n")
        self._open = rest[-_LINE_LENGTH * 4 :]
        for line in whole:
            self._line(line[: _LINE_LENGTH * 4].decode(errors="replace"))

    def end(self) -> None:
        """Tell the line that has no end."""
        if self._open:
            self._line(self._open.decode(errors="replace"))
        self._open = b""

    def _line(self, line: str) -> None:
        now = time.monotonic()
        if now - self._since >= 60:
            self._since, self._lines = now, 0
        self._lines += 1
        if self._lines <= _LINES_A_MINUTE:
            shown = "".join(letter if letter.isprintable() else " " for letter in line[:_LINE_LENGTH])
            self._tell(f"script of {self._name}: {shown}")
        elif self._lines == _LINES_A_MINUTE + 1:
            self._tell(
                f"script of {self._name}: it prints more than {_LINES_A_MINUTE} lines a minute, which are left out"
            )
