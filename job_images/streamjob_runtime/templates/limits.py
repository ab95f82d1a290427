"""Thresholds over arrays."""

from streamjob_api.intervals import Interval
from streamjob_runtime.templates.arrays import Flags, Floats


def within(values: Floats, interval: Interval) -> Flags:
    """Whether each value lies in the interval; NaN lies in none."""
    above = values >= interval.low if interval.low_included else values > interval.low
    below = values <= interval.high if interval.high_included else values < interval.high
    return above & below
