"""No cut into micro-batches, partitions or chunks changes a result: each equals plain loops over the whole input"""

import math
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from oracles.windows import Number, Record, expected, policies_of
from streamjob_runtime.templates.window_state import HEAD
from unit.runtime.windows_bench import BASE, Run, window_job

AGGREGATIONS = ["max", "min", "avg", "sum", "cnt"]
THRESHOLDS = ["(-inf, +inf)", "[0, 100)", "(0, 10]", "[-5, +inf)"]
SIZES = ["1s", "10s", "1m", "10m"]
# Window size and slide: 1 to 12 windows a record.
SPANS = [("10s", "10s"), ("10s", "5s"), ("10s", "1s"), ("12s", "1s"), ("1m", "5s"), ("1m", "20s"), ("10m", "1m")]


@st.composite
def jobs(draw: st.DrawFn) -> dict[str, Any]:
    tumbling = [{"windowSize": size} for size in SIZES]
    sliding = [{"windowSize": size, "slide": slide} for size, slide in SPANS]
    spans = draw(st.sampled_from([tumbling, sliding]))
    rows = st.builds(
        lambda span, row: span | row,
        st.sampled_from(spans),
        st.fixed_dictionaries(
            {
                "input": st.sampled_from(["M::A", "M::B"]),
                "aggregation": st.sampled_from(AGGREGATIONS),
                "threshold": st.sampled_from(THRESHOLDS),
            }
        ),
    )
    latency = draw(st.sampled_from(["0s", "1s", "15s", "5m", "1d"]))
    return window_job(*draw(st.lists(rows, min_size=1, max_size=5)), latency=latency)


VALUES = st.one_of(
    st.integers(-10, 110),
    st.integers(-(2**53), 2**53),
    st.floats(-1e6, 1e6, allow_nan=False),
    st.sampled_from([0, -0.0, 100, 1e15, -1e15, 2.0**-30, 1e18, -1e18]),
)
# Times around a few windows' ends, in steps that hit the ends themselves.
TIMES = st.one_of(
    st.integers(0, 40_000), st.sampled_from([0, 999, 1000, 9_999, 10_000, 59_999, 60_000, 600_000, 86_400_000, 10**12])
).map(lambda offset: BASE + offset)
SPREAD = st.tuples(st.sampled_from("abcd"), st.sampled_from(["M::A", "M::B", "M::C"]), TIMES, VALUES)
# One series out of order, over some windows of ten seconds.
DENSE = st.tuples(st.just("a"), st.just("M::A"), st.integers(0, 60).map(lambda half: BASE + half * 500), VALUES)
RECORDS = st.lists(SPREAD, max_size=40) | st.lists(DENSE, max_size=40)
PARTITION = {"a": 0, "b": 1, "c": 0, "d": 1}


def fed(job: dict[str, Any], records: list[Record], cuts: list[int], chunk: int) -> Run:
    run = Run(job)
    bounds = [0, *sorted(min(cut, len(records)) for cut in cuts), len(records)]
    for begin, end in pairwise(bounds):
        batch = records[begin:end]
        run.feed(*([row for row in batch if PARTITION[row[0]] == number] for number in (0, 1)), chunk=chunk)
    return run


@settings(max_examples=100, deadline=None)
@given(job=jobs(), records=RECORDS, cuts=st.lists(st.integers(0, 40), max_size=6), chunk=st.integers(1, 50))
def test_any_cut_into_micro_batches_gives_what_the_whole_input_gives(
    job: dict[str, Any], records: list[Record], cuts: list[int], chunk: int
) -> None:
    run, wanted = fed(job, records, cuts, chunk), expected(records, *policies_of(job))
    assert run.results.keys() == wanted.results.keys()
    for key, value in wanted.results.items():
        assert same(run.results[key], value), (key, run.results[key], value)
    assert run.modes == wanted.modes
    assert (run.late, run.outside) == (wanted.late, wanted.outside)
    assert all(len({key for _, key, _ in batch}) == len(batch) for batch in run.emissions)


def same(value: Number | None, wanted: Number | None) -> bool:
    if value is None or wanted is None or isinstance(value, int) or isinstance(wanted, int):
        return value == wanted and type(value) is type(wanted)
    return math.isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-15)


@settings(max_examples=25, deadline=None)
@given(job=jobs(), records=RECORDS, cuts=st.lists(st.integers(0, 40), max_size=6))
def test_the_state_after_a_cut_is_the_state_without_it(
    job: dict[str, Any], records: list[Record], cuts: list[int]
) -> None:
    cut, whole = fed(job, records, cuts, 1000), fed(job, records, [], 1000)
    assert {shard: sorted(store.blocks) for shard, store in cut.stores.items()} == {
        shard: sorted(store.blocks) for shard, store in whole.stores.items()
    }


@settings(max_examples=50, deadline=None)
@given(job=jobs(), records=RECORDS, cuts=st.lists(st.integers(0, 40), max_size=6))
def test_closing_makes_every_window_final_and_leaves_none_open(
    job: dict[str, Any], records: list[Record], cuts: list[int]
) -> None:
    run, wanted = fed(job, records, cuts, 1000), expected(records, *policies_of(job), is_ended=True)
    run.close()
    assert run.results.keys() == wanted.results.keys()
    for key, value in wanted.results.items():
        assert same(run.results[key], value), (key, run.results[key], value)
    assert run.modes == wanted.modes
    assert all(sorted(store.blocks) == [HEAD] for store in run.stores.values())
    run.close()
    assert run.emissions[-1] == []
