"""Every place of many ranges, without a loop."""

import numpy as np

from streamjob_runtime.templates.arrays import Places


def each_of(begin: Places, end: Places) -> tuple[Places, Places]:
    """Return for each place of each range ``[begin, end)`` the number of its range, and the place itself."""
    times = np.maximum(end - begin, 0)
    number = np.repeat(np.arange(len(times)), times)
    within = np.arange(len(number)) - np.repeat(np.cumsum(times) - times, times)
    return number, begin[number] + within
