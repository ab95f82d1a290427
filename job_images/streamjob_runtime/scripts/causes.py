"""Why a script gave nothing, in words that hold no value of a record."""

from types import CodeType
from typing import Final

# The name under which a script's lines are known.
FILE: Final = "<script>"
MAX_CAUSE: Final = 200


class Refused(Exception):  # noqa: N818 (what becomes of what the script gave)
    """What a script gave, or did, cannot be taken; the message is for its author."""


def cause_of(error: BaseException, max_memory: int) -> str:
    """Return the cause of what a script raised, without the error's own words: these may quote values.

    Args:
        error: what it raised.
        max_memory: what it may take, in MiB.
    """
    where = _line(error)
    if isinstance(error, MemoryError):
        return f"the script took more memory than {max_memory} MiB{where}"
    if isinstance(error, Refused):
        return f"the script {error}{where}"[:MAX_CAUSE]
    return f"the script failed: {type(error).__name__[:60]}{where}"


def _line(error: BaseException) -> str:
    """Return in which line of the script it was, the innermost one; nothing where it was in none."""
    line, place = None, error.__traceback__
    while place is not None:
        code: CodeType = place.tb_frame.f_code
        if code.co_filename == FILE:
            line = place.tb_lineno
        place = place.tb_next
    return "" if line is None else f" in line {line}"


def one_line(text: object) -> str:
    """Return a cause that a script names as one line that a log and a header can hold."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text)[:MAX_CAUSE])
