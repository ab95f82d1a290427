"""The highest time before each record, of its own asset and input."""

import numpy as np
from numpy.typing import NDArray


def earlier_maximum(slot: NDArray[np.int32], time: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each record the maximum of ``known[slot]`` and of the times of earlier records of its slot.

    Args:
        slot: which sequence a record belongs to, in arrival order.
        time: the records' times.
        known: by slot, the maximum from before.
    """
    order = np.argsort(slot, kind="stable")
    slots, times = slot[order], time[order]
    is_first = np.concatenate([[True], slots[1:] != slots[:-1]])
    before = np.concatenate([times[:1], times[:-1]])
    before[is_first] = known[slots[is_first]]
    # One running maximum over all sequences: ranks, each sequence lifted above the one before it.
    values, rank = np.unique(before, return_inverse=True)
    lift = np.cumsum(is_first) * len(values)
    running = np.maximum.accumulate(rank + lift) - lift
    result = np.empty_like(time)
    result[order] = values[running]
    return result
