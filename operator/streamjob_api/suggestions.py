"""Did you mean ...? The nearest known name to one that is unknown."""

from collections.abc import Iterable
from difflib import get_close_matches

# Beyond it nothing is a slip of the pen, and comparing would only take time.
_MAX_NAME_LENGTH = 300


def did_you_mean(name: str, known: Iterable[str], *, at_least: float = 0.6) -> str:
    """``; did you mean 'Reading'?``, to be put behind a message; empty when no known name is near.

    Args:
        at_least: how alike the names have to be, from 0 to 1.
    """
    if len(name) > _MAX_NAME_LENGTH:
        return ""
    spellings = {spelling.casefold(): spelling for spelling in known}
    nearest = get_close_matches(name.casefold(), spellings, n=1, cutoff=at_least)
    return f"; did you mean '{spellings[nearest[0]]}'?" if nearest else ""
