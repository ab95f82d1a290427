"""How long a duration of a manifest may be."""

from collections.abc import Iterator

from streamjob_api.durations import Duration
from streamjob_api.rule_faults import RuleFault

SECOND_MS = 1_000
DAY_MS = 86_400_000


def limited(
    value: Duration | None, field: str, *, at_least_ms: int = 0, at_most_ms: int = DAY_MS
) -> Iterator[RuleFault]:
    """A duration, where one is given, stays within its limits."""
    if value is not None and not at_least_ms <= value.milliseconds <= at_most_ms:
        lowest, highest = _short(at_least_ms), _short(at_most_ms)
        yield RuleFault(f"'{value}' is out of range; write {lowest} to {highest}", (field,))


def not_zero(value: Duration | None, field: str) -> Iterator[RuleFault]:
    """A duration, where one is given, is a second or longer."""
    if value is not None and value.milliseconds < SECOND_MS:
        yield RuleFault(f"'{value}' is too short; write 1s or more", (field,))


def _short(milliseconds: int) -> str:
    units = (("d", DAY_MS), ("h", 3_600_000), ("m", 60_000), ("s", SECOND_MS))
    for name, size in units:
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{name}"
    return f"{milliseconds}ms" if milliseconds else "0s"
