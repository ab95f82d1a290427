"""Sums that do not depend on the order of their terms.

A plain float sum differs with the order of addition, and much so where terms cancel; the cuts into micro-batches would
show in the results. Here each value is split into three parts on fixed grids, and each part is summed by itself:

    coarse   multiples of 2**20, exact while it stays below 2**73
    fine     the rest, multiples of 2**-10, exact for some 2**24 terms
    rest     below 2**-11, an ordinary sum: its error is 2**-64 a term

Values of 2**71 and beyond go to ``rest`` whole, and are summed like plain floats. A sum that overflows is not finite,
and leaves as null.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

PARTS = ("coarse", "fine", "rest")

# Adding and subtracting 1.5 * 2**(52 + k) rounds a float of less than 2**(51 + k) to a multiple of 2**k.
_TO_COARSE = 1.5 * 2.0**72
_TO_FINE = 1.5 * 2.0**42
_SPLIT_BELOW = 2.0**71


def split(value: pl.Expr) -> list[pl.Expr]:
    """Split values into PARTS; the sum of the three is the value, exactly."""
    small = pl.when(value.abs() < _SPLIT_BELOW).then(value).otherwise(0.0)
    coarse = (small + _TO_COARSE) - _TO_COARSE
    fine = ((small - coarse) + _TO_FINE) - _TO_FINE
    return [coarse.alias("coarse"), fine.alias("fine"), (value - coarse - fine).alias("rest")]


def total(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums that rows of PARTS stand for; zeros where there are none."""
    whole: NDArray[np.float64] = parts.sum(axis=0)
    return whole
