"""Did you mean ...? The nearest known name to one that is unknown."""

from collections.abc import Iterable
from difflib import get_close_matches

# Beyond it nothing is a slip of the pen, and comparing would only take time.
_MAX_NAME_LENGTH = 300


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'Reading'?``, to be put behind a message; empty when no known name is near."""
    if len(name) > _MAX_NAME_LENGTH:
        return ""
    spellings = {spelling.casefold(): spelling for spelling in known}
    nearest = get_close_matches(name.casefold(), spellings, n=1)
    return f"; did you mean '{spellings[nearest[0]]}'?" if nearest else ""
