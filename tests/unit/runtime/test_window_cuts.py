"""No cut into micro-batches, partitions or chunks changes a result: each equals plain loops over the whole input"""

import math
from collections.abc import Collection
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.exactness import exact
from oracles.windows import Expected, Number, Record, expected, expected_by_clock, expected_of_parts, policies_of
from streamjob_runtime.templates.window_state import HEAD
from unit.runtime.windows_bench import BASE, Run, window_job

INPUTS = ["M::A", "M::B"]
AGGREGATIONS = ["max", "min", "avg", "sum", "cnt"]
THRESHOLDS = ["(-inf, +inf)", "[0, 100)", "(0, 10]", "[-5, +inf)"]
SIZES = ["1s", "2s", "5s", "10s", "10m"]
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
                "input": st.sampled_from(["M::A", *INPUTS]),
                "aggregation": st.sampled_from(AGGREGATIONS),
                "threshold": st.sampled_from(THRESHOLDS),
            }
        ),
    )
    latency = draw(st.sampled_from(["0s", "0s", "1s", "2s", "15s", "5m", "1d"]))
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
SPREAD = st.tuples(st.sampled_from("abcd"), st.sampled_from([*INPUTS, "M::C"]), TIMES, VALUES)
# One series out of order, over some windows of ten seconds.
DENSE = st.tuples(st.just("a"), st.just("M::A"), st.integers(0, 60).map(lambda half: BASE + half * 500), VALUES)
# Time goes on by half a second a record, and some come back; most lie at the end of a short window, many are outside.
STEP = st.tuples(
    st.sampled_from("aaab"),
    st.sampled_from(["M::A", *INPUTS]),
    st.tuples(st.sampled_from([0, 0, 0, 1, 2, 4, 8]), st.sampled_from([0, 0, 0, -1, 1])),
    st.sampled_from([-7, 0, 3, 10, 10.5, 50, 100, 1e18]),
)


def walked(steps: list[tuple[str, str, tuple[int, int], Number]]) -> list[Record]:
    return [
        (asset, point, BASE + (place // 2 - back) * 1000 + off, value)
        for place, (asset, point, (back, off), value) in enumerate(steps)
    ]


def listed(records: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Lists of all lengths; left alone, they are of some five."""
    return st.sampled_from([1, 2, 5, 10, 20, 30]).flatmap(
        lambda most: st.lists(records, min_size=most // 2, max_size=most)
    )


WALKS = listed(STEP).map(walked)
RECORDS = st.one_of(WALKS, WALKS, listed(DENSE), listed(SPREAD))
# Where micro-batches end.
CUTS: st.SearchStrategy[list[int]] = st.one_of(
    st.just([]), st.lists(st.integers(0, 40), max_size=2), st.lists(st.integers(0, 40), max_size=8)
)
PARTITION = {"a": 0, "b": 1, "c": 0, "d": 1}


CALCULATED = st.sampled_from([{"M::A"}, {"M::A"}, {"M::B"}, set(INPUTS), set()])


def fed(
    job: dict[str, Any], records: list[Record], cuts: list[int], chunk: int, calculated: Collection[str] = ()
) -> Run:
    run = Run(job, calculated=calculated)
    for batch in cut(records, cuts):
        run.feed(*parted(batch), chunk=chunk)
    return run


def cut(records: list[Record], cuts: list[int]) -> list[list[Record]]:
    bounds = [0, *sorted(min(place, len(records)) for place in cuts), len(records)]
    return [records[begin:end] for begin, end in pairwise(bounds)]


def parted(records: list[Record]) -> list[list[Record]]:
    return [[row for row in records if PARTITION[row[0]] == number] for number in (0, 1)]


def check(run: Run, wanted: Expected) -> None:
    assert run.results.keys() == wanted.results.keys()
    for key, value in wanted.results.items():
        assert same(run.results[key], value), (key, run.results[key], value)
    assert run.modes == wanted.modes
    assert (run.late, run.outside) == (wanted.late, wanted.outside)
    assert all(len({key for _, key, _ in batch}) == len(batch) for batch in run.emissions)


@exact
@given(job=jobs(), records=RECORDS, cuts=CUTS, chunk=st.integers(1, 50))
def test_any_cut_into_micro_batches_gives_what_the_whole_input_gives(
    job: dict[str, Any], records: list[Record], cuts: list[int], chunk: int
) -> None:
    check(fed(job, records, cuts, chunk), expected(records, *policies_of(job)))


@exact
@given(
    job=jobs(),
    records=RECORDS,
    cuts=CUTS,
    chunk=st.integers(1, 50),
    calculated=CALCULATED,
)
def test_any_cut_gives_what_the_whole_input_gives_where_records_replace_each_other(
    job: dict[str, Any], records: list[Record], cuts: list[int], chunk: int, calculated: set[str]
) -> None:
    run = fed(job, records, cuts, chunk, calculated)
    check(run, expected(records, *policies_of(job), replaced=calculated))


@settings(max_examples=50, deadline=None)
@given(job=jobs(), records=RECORDS, cuts=CUTS)
def test_replace_same_time_is_as_if_all_inputs_were_calculated(
    job: dict[str, Any], records: list[Record], cuts: list[int]
) -> None:
    run = fed({**job, "duplicates": "ReplaceSameTime"}, records, cuts, 1000)
    check(run, expected(records, *policies_of(job), replaced=INPUTS))


@exact
@given(job=jobs(), records=RECORDS, parts=st.lists(st.tuples(st.integers(0, 40), CALCULATED), max_size=6))
def test_what_is_open_goes_on_when_an_input_becomes_or_ceases_to_be_calculated(
    job: dict[str, Any], records: list[Record], parts: list[tuple[int, set[str]]]
) -> None:
    run, given_parts = Run(job), []
    for batch, calculated in zip(cut(records, [at for at, _ in parts]), [*(of for _, of in parts), set()], strict=True):
        run.restart(calculated)
        run.feed(*parted(batch))
        given_parts.append((calculated, batch))
    check(run, expected_of_parts(given_parts, *policies_of(job)))


# Where a micro-batch ends, often where the one before does, and minutes that pass before it.
STEPS = st.lists(
    st.tuples(st.sampled_from([0, 5, 10, 15, 20, 30]), st.sampled_from([0, 1, 9, 10, 10, 11, 12, 25])), max_size=12
)


@exact
@given(job=jobs(), records=RECORDS, steps=STEPS, calculated=CALCULATED)
def test_silent_assets_are_closed_as_the_clock_says(
    job: dict[str, Any], records: list[Record], steps: list[tuple[int, int]], calculated: set[str]
) -> None:
    run, now, batches = Run(job, calculated=calculated, idle_timeout="10m"), BASE, []
    for batch, (_, minutes) in zip(cut(records, [at for at, _ in steps]), [*steps, (0, 10)], strict=True):
        now += minutes * 60_000
        batches.append((now, batch))
        run.feed(*parted(batch), now=now)
    check(run, expected_by_clock(batches, *policies_of(job), 600_000, replaced=calculated))


def same(value: Number | None, wanted: Number | None) -> bool:
    if value is None or wanted is None or isinstance(value, int) or isinstance(wanted, int):
        return value == wanted and type(value) is type(wanted)
    return math.isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-15)


@settings(max_examples=25, deadline=None)
@given(job=jobs(), records=RECORDS, cuts=CUTS, calculated=CALCULATED)
def test_the_state_after_a_cut_is_the_state_without_it(
    job: dict[str, Any], records: list[Record], cuts: list[int], calculated: set[str]
) -> None:
    several, whole = fed(job, records, cuts, 1000, calculated), fed(job, records, [], 1000, calculated)
    assert {shard: sorted(store.blocks) for shard, store in several.stores.items()} == {
        shard: sorted(store.blocks) for shard, store in whole.stores.items()
    }


@settings(max_examples=50, deadline=None)
@given(job=jobs(), records=RECORDS, cuts=CUTS, calculated=CALCULATED)
def test_closing_makes_every_window_final_and_leaves_none_open(
    job: dict[str, Any], records: list[Record], cuts: list[int], calculated: set[str]
) -> None:
    run = fed(job, records, cuts, 1000, calculated)
    run.close()
    check(run, expected(records, *policies_of(job), replaced=calculated, is_ended=True))
    assert all(sorted(store.blocks) == [HEAD] for store in run.stores.values())
    run.close()
    assert run.emissions[-1] == []
