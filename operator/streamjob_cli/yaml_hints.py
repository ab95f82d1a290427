"""What people mean by YAML that is none: remedies beside the parser's own words."""

import re

_INTERVAL = re.compile(r"threshold: *[\[(]", re.IGNORECASE)


def hint(text: str, first: int, last: int, column: int) -> str:
    """Return the remedy for a fault, or nothing where none is known.

    Args:
        text: the whole text.
        first: line at which what is wrong begins, from 0.
        last: line at which it was noticed.
        column: where in that line.
    """
    lines = text.splitlines()
    near = [line for number in {first, last} for line in lines[number : number + 1]]
    if any("{{" in line for line in near):
        return "; a chart is checked after it is rendered: helm template ./chart | streamjob validate -"
    if any(map(_INTERVAL.search, near)):
        return '; put quotes around an interval, as in "[0, 100)"'
    if "\t" in "".join(lines[last : last + 1])[: column + 1]:
        return "; indent with blanks, not with tabs"
    return ""
