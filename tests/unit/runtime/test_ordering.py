"""Records in the order of their time: who is taken, who waits, who is late."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamjob_runtime.templates.arrays import NEVER
from streamjob_runtime.templates.ordering import Reached, put_in_order

Row = tuple[int, int]


class Series:
    """Two series that are put in order, micro-batch by micro-batch."""

    def __init__(self, latency_ms: int) -> None:
        self.latency_ms = latency_ms
        self.reached = Reached(np.full(2, NEVER), np.full(2, NEVER))
        self.waiting: list[Row] = []
        self.taken: list[Row] = []
        self.late = 0

    def feed(self, rows: Sequence[Row]) -> "Series":
        """Run one micro-batch of (series, time)."""
        everything = [*self.waiting, *rows]
        slot = np.array([row[0] for row in everything], np.int32)
        time = np.array([row[1] for row in everything], np.int64)
        order = put_in_order(slot, time, len(self.waiting), self.reached, self.latency_ms)
        self.taken += [everything[place] for place in order.taken]
        self.waiting = [everything[place] for place in order.waiting]
        self.late += order.late
        self.reached = order.reached
        return self

    def times(self, number: int = 0) -> list[int]:
        """What was taken of one series."""
        return [time for series, time in self.taken if series == number]


@pytest.mark.parametrize(
    ("latency", "times", "taken", "late"),
    [
        pytest.param(0, [5, 7, 6, 9], [5, 7, 9], 1, id="without latency what goes back is late"),
        pytest.param(0, [5, 5, 6], [5, 6], 1, id="the first of two at the same time stays"),
        pytest.param(10, [5, 7, 6], [], 0, id="all wait within the latency"),
        pytest.param(10, [5, 7, 6, 16], [5, 6], 0, id="the watermark reaches the time plus the latency"),
        pytest.param(10, [5, 30, 12, 11], [5, 12], 1, id="at once when its time is up, unless a later one was taken"),
        pytest.param(10, [5, 5, 15], [5], 1, id="at the time of one that waits"),
        pytest.param(10, [5, 15, 5], [5], 1, id="at the time of the last one taken"),
    ],
)
def test_a_record_is_taken_late_or_waits(latency: int, times: list[int], taken: list[int], late: int) -> None:
    for batches in ([times], [[time] for time in times]):
        series = Series(latency)
        for batch in batches:
            series.feed([(0, time) for time in batch])
        assert (series.times(), series.late) == (taken, late)


ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 60)), max_size=30)


@settings(max_examples=200, deadline=None)
@given(rows=ROWS, latency=st.sampled_from([0, 1, 10, 25]), cuts=st.lists(st.integers(0, 30), max_size=5))
def test_one_by_one_and_at_once_are_the_same(rows: list[Row], latency: int, cuts: list[int]) -> None:
    one_by_one, cut = Series(latency), Series(latency)
    for row in rows:
        one_by_one.feed([row])
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(rows)], strict=True):
        cut.feed(rows[begin:end])
    for number in (0, 1):
        assert cut.times(number) == one_by_one.times(number) == sorted(set(cut.times(number)))
    assert sorted(cut.waiting) == sorted(one_by_one.waiting)
    assert cut.late == one_by_one.late
    assert len(cut.taken) + len(cut.waiting) + cut.late == len(rows)
