"""The highest time before each record, of its own sequence."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streamjob_runtime.templates.arrays import NEVER
from streamjob_runtime.templates.running_maximum import earlier_maximum

TIMES = st.integers(-(2**61), 2**61)


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 4), TIMES), min_size=1, max_size=30),
    known=st.lists(st.one_of(st.just(NEVER), TIMES), min_size=5, max_size=5),
)
def test_it_is_the_maximum_of_all_that_came_before(rows: list[tuple[int, int]], known: list[int]) -> None:
    seen, wanted = list(known), []
    for slot, time in rows:
        wanted.append(seen[slot])
        seen[slot] = max(seen[slot], time)
    slots, times = np.array([slot for slot, _ in rows], np.int32), np.array([time for _, time in rows], np.int64)
    assert earlier_maximum(slots, times, np.array(known, np.int64)).tolist() == wanted
