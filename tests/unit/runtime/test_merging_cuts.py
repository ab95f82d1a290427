"""No cut into micro-batches, partitions, chunks or shards changes a result: each equals plain loops over all input"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fixtures.exactness import exact
from oracles.expressions import Value
from oracles.merging import Beside, Expected, Record, expected, ticked
from streamjob_runtime.templates.surroundings import NoScalar
from unit.runtime.merging_bench import BASE, Known, Run, calculated, merging_job, names, ticking_job

LOGICS = [
    ("M", "${M::A} - ${M::B}"),
    ("M", "${M::A} / ${M::B}"),
    ("M", "if (${M::A} > ${M::C}) { ${M::B} } else { ${M::A} % 3 }"),
    ("M", "max(${M::A}, ${M::B}, ${M::C})"),
    ("M", "${M::C} * 1e200 * ${M::B}"),
    ("N", "${N::A} + ${N::B}"),
    ("N", "-${N::B}"),
]
# Over texts T, truth values U and W, and attributes: numbers P and texts Q.
MIXED = [
    ("M", 'if (${M::T} == "on") { ${M::A} } else { ${M::B} / 2 }'),
    ("M", '${M::T} + "-" + ${M::Q}'),
    ("M", "${M::U} && ${M::A} > ${M::P}"),
    ("M", "!${M::U} || ${M::W}"),
    ("M", "if (${M::U}) { ${M::P} } else { ${M::A} + 1 }"),
    ("M", "${M::T} < ${M::Q}"),
    ("N", "${N::A} * ${N::P}"),
]


def policies(draw: st.DrawFn, logics: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Some policies without triggers."""
    rows = []
    for number in range(draw(st.integers(1, 4))):
        model, logic = draw(st.sampled_from(logics))
        row = {"logic": logic, "output": f"{model}::Out{number}"}
        max_age = draw(st.sampled_from([None, None, "1s", "5s"]))
        rows.append(row | ({"maxAge": max_age} if max_age else {}))
    return rows


@st.composite
def jobs(draw: st.DrawFn, logics: Sequence[tuple[str, str]], points: str) -> dict[str, Any]:
    """Jobs that records trigger."""
    rows = [
        {**row, "triggerPoint": f"{row['output'][0]}::{draw(st.sampled_from(points))}"}
        for row in policies(draw, logics)
    ]
    return merging_job(*rows, latency=draw(st.sampled_from(["0s", "0s", "1s", "5s", "1m"])))


@st.composite
def ticking(draw: st.DrawFn, logics: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Jobs that the clock triggers."""
    return ticking_job(draw(st.sampled_from(["1s", "5s", "10s"])), *policies(draw, logics))


NUMBERS = st.one_of(st.integers(-5, 5), st.floats(-5, 5), st.sampled_from([0, -0.0, 2**53, 1e200]))
TEXTS = st.sampled_from(["on", "off", "", 'é"\\', "false"])
TIMES = st.one_of(st.integers(0, 24).map(lambda half: half * 500), st.integers(0, 200_000)).map(lambda at: BASE + at)
POINTS = [f"{model}::{point}" for model in "MN" for point in "ABC"]
RECORDS: st.SearchStrategy[list[Record]] = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(POINTS), TIMES, NUMBERS), max_size=40
)


def values_of(point: str) -> st.SearchStrategy[Value]:
    """Values of a point, now and then of another type where points may have them."""
    strategies: dict[str, st.SearchStrategy[Value]] = {"T": TEXTS, "U": st.booleans()}
    right = strategies.get(point[-1], NUMBERS)
    other: st.SearchStrategy[Value] = st.one_of(NUMBERS, TEXTS, st.booleans())
    return st.one_of(right, right, right, other) if point[-1] in "TUW" else right


MIXED_RECORDS: st.SearchStrategy[list[Record]] = st.lists(
    st.sampled_from(["M::A", "M::B", "M::T", "M::U", "M::W", "N::A"]).flatmap(
        lambda point: st.tuples(st.sampled_from("abc"), st.just(point), TIMES, values_of(point))
    ),
    max_size=40,
)
SCALARS = st.one_of(st.none(), NUMBERS, TEXTS, st.booleans(), st.just(NoScalar()), st.just(10**400))
ATTRIBUTES = st.dictionaries(st.tuples(st.sampled_from("abc"), st.sampled_from(["M::P", "M::Q", "N::P"])), SCALARS)
CALCULATED = st.sets(st.sampled_from([*POINTS, "M::T", "M::U"]))
PARTITION = {"a": 0, "b": 1, "c": 0}


@dataclass(frozen=True)
class Layout:
    """How the input is laid out: cuts into micro-batches, the size of chunks, the number of shards."""

    cuts: list[int]
    chunk: int
    shards: int

    def run(self, job: dict[str, Any], beside: Beside) -> Run:
        return Run(job, surroundings(beside), self.shards)

    def feed(self, run: Run, records: Sequence[Record], now: int = 0) -> None:
        run.feed(
            *([row for row in records if PARTITION[row[0]] == number] for number in (0, 1)), chunk=self.chunk, now=now
        )

    def batches(self, records: list[Record]) -> list[list[Record]]:
        bounds = [0, *sorted(min(cut, len(records)) for cut in self.cuts), len(records)]
        return [records[begin:end] for begin, end in pairwise(bounds)]


LAYOUTS = st.builds(
    Layout, st.lists(st.integers(0, 40), max_size=6), st.integers(1, 50), st.sampled_from([1, 2, 64, 64])
)


def surroundings(beside: Beside) -> Any:
    types = {
        "texts": [name for name, kind in beside.types.items() if kind == "text"],
        "truthValues": [name for name, kind in beside.types.items() if kind == "truth"],
    }
    known = Known({key: value for key, value in beside.known.items()})  # noqa: C416 (its values are of any type)
    return calculated(*beside.calculated, attributes=known, known=names(beside.attributes, **types))


def mixed(points: set[str], known: dict[tuple[str, str], Any]) -> Beside:
    """Texts, truth values and attributes."""
    told = {"M::T": "text", "M::U": "truth", "M::Q": "text", "M::W": "truth"}
    return Beside(points, told, ("M::P", "M::Q", "N::P"), known)


def fed(job: dict[str, Any], records: list[Record], layout: Layout, beside: Beside) -> Run:
    run = layout.run(job, beside)
    for batch in layout.batches(records):
        layout.feed(run, batch)
    return run


def assert_is(run: Run, wanted: Expected) -> None:
    assert plain(run.histories) == plain(wanted.histories)
    assert run.counts == wanted.counts


def plain(histories: dict[Any, list[Value]]) -> dict[Any, list[str]]:
    """Values with their types, zero without its sign."""
    return {
        key: [repr(value if isinstance(value, str | bool) else value + 0) for value in values]
        for key, values in histories.items()
    }


@exact
@given(job=jobs(LOGICS, "ABC"), records=RECORDS, layout=LAYOUTS, repeating=CALCULATED)
def test_any_layout_gives_what_the_whole_input_gives(
    job: dict[str, Any], records: list[Record], layout: Layout, repeating: set[str]
) -> None:
    beside = Beside(repeating)
    run = fed(job, records, layout, beside)
    assert_is(run, expected(records, job, beside))
    for *series, _ in run.histories:
        times = [time for batch in run.emissions for (*other, time), _ in batch if other == series]
        assert times == sorted(times)
    run.close()
    assert_is(run, expected(records, job, beside, is_ended=True))
    assert run.close() == []


DENSE: st.SearchStrategy[list[Record]] = st.lists(
    st.tuples(
        st.just("a"), st.sampled_from(["M::A", "M::B"]), st.integers(0, 12).map(lambda at: BASE + at * 1000), NUMBERS
    ),
    min_size=10,
    max_size=40,
)


@exact
@given(
    records=DENSE,
    layout=LAYOUTS,
    latency=st.sampled_from(["0s", "2s", "5s"]),
    repeating=st.sets(st.sampled_from(["M::A", "M::B"])),
)
def test_any_disorder_and_repetition_gives_what_the_whole_input_gives(
    records: list[Record], layout: Layout, latency: str, repeating: set[str]
) -> None:
    job = merging_job({}, {"triggerPoint": "M::B", "logic": "${M::A} * 2"}, latency=latency)
    beside = Beside(repeating)
    assert_is(fed(job, records, layout, beside), expected(records, job, beside))


@exact
@given(job=jobs(MIXED, "ABTUW"), records=MIXED_RECORDS, layout=LAYOUTS, repeating=CALCULATED, known=ATTRIBUTES)
def test_texts_truth_values_and_attributes_give_what_the_whole_input_gives(
    job: dict[str, Any], records: list[Record], layout: Layout, repeating: set[str], known: dict[tuple[str, str], Any]
) -> None:
    beside = mixed(repeating, known)
    run = layout.run(job, beside)
    taken = [record for record in records if accepted(record, run)]
    for batch in layout.batches(taken):
        layout.feed(run, batch)
    assert_is(run, expected(taken, job, beside))


def accepted(record: Record, run: Run) -> bool:
    _, point, _, value = record
    return not isinstance(value, str | bool) or point in set(map(str, run.template.texts))


@st.composite
def clocked(draw: st.DrawFn, records: list[Record]) -> list[tuple[int, list[Record]]]:
    """Micro-batches with the time of the clock: some without records, some long after the one before."""
    batches, rest = [], records
    now = BASE + draw(st.integers(0, 20_000))
    while rest:
        count = draw(st.integers(0, 6))
        batches.append((now, rest[:count]))
        rest = rest[count:]
        now += draw(st.sampled_from([0, 1, 300, 999, 1000, 1001, 5000, 30_000]))
    return [*batches, (now, []), (now + 10_000, [])]


@exact
@given(
    data=st.data(),
    job=ticking(LOGICS),
    records=RECORDS,
    layout=LAYOUTS,
    repeating=CALCULATED,
    restarts=st.sets(st.integers(0, 9)),
)
def test_ticks_give_what_the_whole_input_gives(
    data: st.DataObject,
    job: dict[str, Any],
    records: list[Record],
    layout: Layout,
    repeating: set[str],
    restarts: set[int],
) -> None:
    beside, batches = Beside(repeating), data.draw(clocked(records))
    run = layout.run(job, beside)
    for number, (now, batch) in enumerate(batches):
        if number in restarts:
            run.start_again(now)
        layout.feed(run, batch, now)
        assert all(due > now for due in run.deadlines.values())
    seen = [(now, part) for number, (now, batch) in enumerate(batches) for part in parts(number in restarts, batch)]
    assert_is(run, ticked(seen, job, beside))
    assert run.close() == []


def parts(is_restart: bool, batch: list[Record]) -> list[list[Record]]:
    """A restart ticks before it reads on."""
    return [[], batch] if is_restart else [batch]


@exact
@given(data=st.data(), job=ticking(MIXED), records=MIXED_RECORDS, layout=LAYOUTS, known=ATTRIBUTES)
def test_ticks_over_texts_and_attributes_give_what_the_whole_input_gives(
    data: st.DataObject, job: dict[str, Any], records: list[Record], layout: Layout, known: dict[tuple[str, str], Any]
) -> None:
    beside = mixed(set(), known)
    run = layout.run(job, beside)
    taken = [record for record in records if accepted(record, run)]
    batches = data.draw(clocked(taken))
    for now, batch in batches:
        layout.feed(run, batch, now)
    assert_is(run, ticked(batches, job, beside))
