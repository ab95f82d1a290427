"""No cut into micro-batches, partitions or chunks changes a result: each equals plain loops over the whole input"""

from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from oracles.merging import expected
from oracles.windows import Record
from unit.runtime.merging_bench import BASE, Run, merging_job

LOGICS = [
    ("M", "${M::A} - ${M::B}"),
    ("M", "${M::A} / ${M::B}"),
    ("M", "if (${M::A} > ${M::C}) { ${M::B} } else { ${M::A} % 3 }"),
    ("M", "max(${M::A}, ${M::B}, ${M::C})"),
    ("M", "${M::C} * 1e200 * ${M::B}"),
    ("N", "${N::A} + ${N::B}"),
    ("N", "-${N::B}"),
]


@st.composite
def jobs(draw: st.DrawFn) -> dict[str, Any]:
    rows = []
    for number in range(draw(st.integers(1, 4))):
        model, logic = draw(st.sampled_from(LOGICS))
        trigger = f"{model}::{draw(st.sampled_from('ABC'))}"
        row = {"triggerPoint": trigger, "logic": logic, "output": f"{model}::Out{number}"}
        max_age = draw(st.sampled_from([None, None, "1s", "5s"]))
        rows.append(row | ({"maxAge": max_age} if max_age else {}))
    return merging_job(*rows, latency=draw(st.sampled_from(["0s", "0s", "1s", "5s", "1m"])))


VALUES = st.one_of(st.integers(-5, 5), st.floats(-5, 5), st.sampled_from([0, -0.0, 2**53, 1e200]))
TIMES = st.one_of(st.integers(0, 24).map(lambda half: half * 500), st.integers(0, 200_000)).map(lambda at: BASE + at)
POINTS = [f"{model}::{point}" for model in "MN" for point in "ABC"]
RECORDS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(POINTS), TIMES, VALUES), max_size=40)
PARTITION = {"a": 0, "b": 1, "c": 0}


def fed(job: dict[str, Any], records: list[Record], cuts: list[int], chunk: int) -> Run:
    run = Run(job)
    bounds = [0, *sorted(min(cut, len(records)) for cut in cuts), len(records)]
    for begin, end in pairwise(bounds):
        batch = records[begin:end]
        run.feed(*([row for row in batch if PARTITION[row[0]] == number] for number in (0, 1)), chunk=chunk)
    return run


@settings(max_examples=150, deadline=None)
@given(job=jobs(), records=RECORDS, cuts=st.lists(st.integers(0, 40), max_size=6), chunk=st.integers(1, 50))
def test_any_cut_into_micro_batches_gives_what_the_whole_input_gives(
    job: dict[str, Any], records: list[Record], cuts: list[int], chunk: int
) -> None:
    run = fed(job, records, cuts, chunk)
    assert_is(run, records, job, is_ended=False)
    emitted = [key for batch in run.emissions for key, _ in batch]
    assert len(emitted) == len(set(emitted))
    for *series, _ in emitted:
        times = [time for *other, time in emitted if other == series]
        assert times == sorted(times)
    run.close()
    assert_is(run, records, job, is_ended=True)
    assert run.close() == []


def assert_is(run: Run, records: list[Record], job: dict[str, Any], *, is_ended: bool) -> None:
    wanted = expected(records, job, is_ended=is_ended)
    assert {key: plain(value) for key, value in run.results.items()} == {
        key: plain(value) for key, value in wanted.results.items()
    }
    assert run.counts == wanted.counts


def plain(value: float) -> str:
    """A value with its type, zero without its sign."""
    return repr(value + 0)


DENSE = st.lists(
    st.tuples(
        st.just("a"), st.sampled_from(["M::A", "M::B"]), st.integers(0, 12).map(lambda at: BASE + at * 1000), VALUES
    ),
    min_size=10,
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(records=DENSE, cuts=st.lists(st.integers(0, 40), max_size=2), latency=st.sampled_from(["2s", "5s"]))
def test_any_disorder_within_a_latency_gives_what_the_whole_input_gives(
    records: list[Record], cuts: list[int], latency: str
) -> None:
    job = merging_job({}, {"triggerPoint": "M::B", "logic": "${M::A} * 2"}, latency=latency)
    assert_is(fed(job, records, cuts, 1000), records, job, is_ended=False)
