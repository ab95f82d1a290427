"""Names for the arrays that templates calculate with."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
# Epoch milliseconds, or spans of them.
Times = NDArray[np.int64]
# Which series of a shard: the place of an asset and input in its state.
Slots = NDArray[np.int32]
# Places in other arrays.
Places = NDArray[np.intp]

# The time of what has not been yet: no record seen, none taken, no window closed.
NEVER = -(2**62)
