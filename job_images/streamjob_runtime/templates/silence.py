"""Assets that have been silent for too long, by the clock of the engine."""

from streamjob_runtime.templates.arrays import Flags, Times

# A tick that comes later than this after its time finds that nobody was looking: the job was stopped, or far behind.
# What its assets sent meanwhile may wait in the topic, so that their silence must not be held against them.
TICK_TOLERANCE_MS = 60_000


def silent(arrivals: Times, now_ms: int, timeout_ms: int) -> tuple[Flags, Times]:
    """Return who is silent, and the arrivals from which silence counts from now on.

    Args:
        arrivals: when something last arrived.
        now_ms: the clock.
        timeout_ms: how long a silence may last. One that is longer by more than TICK_TOLERANCE_MS begins anew.
    """
    too_long = now_ms - timeout_ms - arrivals
    arrivals = arrivals.copy()
    arrivals[too_long > TICK_TOLERANCE_MS] = now_ms
    return (too_long >= 0) & (too_long <= TICK_TOLERANCE_MS), arrivals
