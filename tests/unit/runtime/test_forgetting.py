"""Forgetting some assets and points leaves what there would be had their records never come; nothing else changes."""

from collections.abc import Sequence
from itertools import product
from typing import Any, Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles.device_state import Moment
from oracles.merging import Beside
from streamjob_api.points import PointRef
from streamjob_runtime.blocks import from_bytes, to_bytes
from streamjob_runtime.rows import Kind
from streamjob_runtime.templates import Template
from streamjob_runtime.templates.chosen import Chosen
from streamjob_runtime.templates.protocols import Held
from unit.runtime import (
    device_state_bench,
    energy_bench,
    merging_bench,
    test_energy_cuts,
    test_merging_cuts,
    test_window_cuts,
    windows_bench,
)
from unit.runtime.windows_bench import BASE, MINUTE, MemoryStore

POINTS = ["M::A", "M::B", "N::A", "N::C"]
Pairs = tuple[list[str], list[str]]
# Assets, by id or pattern, and points.
CHOSEN: st.SearchStrategy[Pairs] = st.tuples(
    st.sampled_from([["a"], ["b"], ["a", "b"], ["[ac]"], ["*"], ["nobody"]]),
    st.sampled_from([["M::A"], ["M::B"], ["M::A", "M::B"], POINTS]),
)


class Run(Protocol):
    """A template with its state, as the tests of each template have it."""

    stores: dict[int, MemoryStore]
    template: Template
    emissions: list[list[Any]]

    def feed(self, *partitions: Any, now: int = 0) -> Any: ...

    def close(self) -> Any: ...


def chosen_of(pairs: Pairs) -> Chosen:
    return Chosen.of(pairs[0], map(PointRef.parse, pairs[1]))


def forget(run: Run, pairs: Pairs, now: int = 0) -> None:
    for store in run.stores.values():
        assert run.template.forget(store, chosen_of(pairs), now) == {}


def held(run: Run) -> list[str]:
    everything = Chosen.of(["*"], run.template.inputs)
    return sorted(map(repr, (row for store in run.stores.values() for row in run.template.held(store, everything))))


def is_of(pairs: Pairs, record: Sequence[Any]) -> bool:
    return record[1] in pairs[1] and chosen_of(pairs).has(record[0])


def assert_as_if_never_had(
    run: Run, other: Run, records: Sequence[Any], place: int, pairs: Pairs, looks: Sequence[int] = ()
) -> None:
    """``run`` has all records before ``place`` and then forgets; ``other`` never has those that are forgotten."""
    before, after = records[:place], records[place:]
    run.feed(before)
    forget(run, pairs)
    other.feed([record for record in before if not is_of(pairs, record)])
    assert held(run) == held(other)
    for both in (run, other):
        both.feed(after)
        for now in looks:
            both.feed(now=now)
        both.close()
    assert plain(run.emissions[1:]) == plain(other.emissions[1:])


def plain(emissions: Sequence[Sequence[Any]]) -> list[list[str]]:
    return [sorted(map(repr, batch)) for batch in emissions]


@settings(max_examples=100, deadline=None)
@given(
    job=test_window_cuts.jobs(),
    records=test_window_cuts.RECORDS,
    place=st.integers(0, 30),
    pairs=CHOSEN,
    calculated=test_window_cuts.CALCULATED,
    timeout=st.sampled_from([None, "1h"]),
)
def test_windows(
    job: dict[str, Any], records: list[Any], place: int, pairs: Pairs, calculated: set[str], timeout: str | None
) -> None:
    run, other = (windows_bench.Run(job, calculated=calculated, idle_timeout=timeout) for _ in range(2))
    assert_as_if_never_had(run, other, records, place, pairs, looks=[61 * MINUTE] if timeout else [])


@settings(max_examples=100, deadline=None)
@given(
    case=test_energy_cuts.cases(),
    place=st.integers(0, 30),
    pairs=CHOSEN,
    timeout=st.sampled_from([None, "1h"]),
    has_one_store=st.booleans(),
)
def test_energy(
    case: test_energy_cuts.Case, place: int, pairs: Pairs, timeout: str | None, has_one_store: bool
) -> None:
    run, other = (case.run(has_one_store=has_one_store, idle_timeout=timeout) for _ in range(2))
    assert_as_if_never_had(run, other, case.records, place, pairs, looks=[61 * MINUTE] if timeout else [])


@settings(max_examples=100, deadline=None)
@given(
    job=test_merging_cuts.jobs(test_merging_cuts.LOGICS, "ABC"),
    records=test_merging_cuts.RECORDS,
    place=st.integers(0, 30),
    pairs=CHOSEN,
    shards=st.sampled_from([1, 64]),
)
def test_merging_at_records(job: dict[str, Any], records: list[Any], place: int, pairs: Pairs, shards: int) -> None:
    run, other = (merging_bench.Run(job, shards=shards) for _ in range(2))
    assert_as_if_never_had(run, other, records, place, pairs)


@settings(max_examples=100, deadline=None)
@given(
    job=test_merging_cuts.jobs(test_merging_cuts.MIXED, "ATU"),
    records=test_merging_cuts.MIXED_RECORDS,
    place=st.integers(0, 30),
    pairs=st.tuples(st.just(["a", "c"]), st.sampled_from([["M::T"], ["M::A", "M::U"], ["M::A", "M::T", "M::U"]])),
)
def test_merging_of_texts(job: dict[str, Any], records: list[Any], place: int, pairs: Pairs) -> None:
    types = test_merging_cuts.mixed(set(), {("a", "M::Q"): "x", ("a", "M::P"): 2.0})
    run, other = (merging_bench.Run(job, test_merging_cuts.surroundings(types)) for _ in range(2))
    assert_as_if_never_had(run, other, records, place, pairs)


def test_merging_by_the_clock() -> None:
    job = merging_bench.ticking_job("10s", {})
    run, other = (merging_bench.Run(job, test_merging_cuts.surroundings(Beside())) for _ in range(2))
    records = [("a", "M::A", BASE, 5), ("a", "M::B", BASE, 3), ("b", "M::A", BASE, 1), ("b", "M::B", BASE, 1)]
    run.feed(records, now=BASE)
    forget(run, (["a"], ["M::B"]))
    other.feed([records[0], *records[2:]], now=BASE)
    assert held(run) == held(other)
    assert run.feed(now=BASE + 10_000) == other.feed(now=BASE + 10_000) == [(("b", "M::Out0", BASE + 10_000), 0.0)]


def test_records_of_others_that_wait_stay_with_their_series() -> None:
    job = energy_bench.energy_job(energy_bench.METER, {}, latency="1d")
    run, other = (energy_bench.Run(energy_bench.METER, job, has_one_store=True) for _ in range(2))
    records = [(asset, "M::A", BASE + at * MINUTE, at) for at in (0, 60) for asset in "abc"]
    assert_as_if_never_had(run, other, records, len(records), (["b"], ["M::A"]))
    merging = merging_bench.merging_job({"logic": "${M::A} * 1"}, latency="1d")
    merged, never = (merging_bench.Run(merging, shards=1) for _ in range(2))
    assert_as_if_never_had(merged, never, records, len(records), (["b"], ["M::A"]))
    assert len(merged.emissions[-1]) == 4


def test_forgetting_the_only_asset_leaves_no_window_behind() -> None:
    run = windows_bench.Run(windows_bench.window_job({}, latency="1d"))
    run.feed([("a", "M::A", BASE, 1), ("a", "M::A", BASE + 30 * MINUTE, 1)])
    (store,) = run.stores.values()
    assert len(store.blocks) == 3
    forget(run, (["a"], ["M::A"]))
    assert sorted(store.blocks) == [-1]
    assert held(run) == []


@pytest.mark.parametrize(
    "run",
    [
        windows_bench.Run(windows_bench.window_job({"slide": "1m"})),
        energy_bench.Run(energy_bench.METER, energy_bench.energy_job(energy_bench.METER, {})),
        merging_bench.Run(merging_bench.merging_job({})),
    ],
    ids=["windows", "energy", "merging"],
)
def test_forgetting_what_is_not_there_writes_nothing(run: Run) -> None:
    run.feed([("a", "M::A", BASE, 1)])
    (store,) = run.stores.values()
    blocks = dict(store.blocks)
    forget(run, (["b"], POINTS))
    forget(run, (["a"], ["N::A"]))
    assert store.blocks == blocks


class Devices(device_state_bench.Run):
    """Device states with a driver that can be told to forget."""

    def forget(self, pairs: Pairs, now: int) -> None:
        told = []
        for shard, store in self._stores.items():
            beside = self._template.forget(store, chosen_of(pairs), now)
            told += [(shard, from_bytes(to_bytes(frame))) for kind, frame in beside.items() if kind is Kind.SITES]
        states = self._totals.take(told)
        self.sites |= {site: (online, offline, time) for site, time, online, offline in states.iter_rows()}

    def rows(self) -> list[Held]:
        everything = Chosen.of(["*"], self._template.inputs)
        return [row for store in self._stores.values() for row in self._template.held(store, everything)]

    def held(self) -> list[str]:
        return [repr(row) for row in self.rows()]


def test_a_forgotten_device_is_gone_from_its_site_and_comes_back_as_a_new_one() -> None:
    run, second = Devices(device_state_bench.WATCHED), 1000
    sites = {"a": "north", "b": "north"}
    run.at(Moment(BASE, [("a", "M::A", BASE, 1), ("a", "M::B", BASE, 2), ("b", "M::A", BASE, 1)], sites))
    assert run.sites["north"][:2] == (2, 0)
    run.forget((["a"], ["M::A"]), BASE + second)
    assert run.sites["north"][:2] == (2, 0), "a value of it is left"
    run.forget((["a"], ["M::B"]), BASE + second)
    assert run.sites["north"] == (1, 0, BASE + second)
    assert not any("'a'" in row for row in run.held())
    run.at(Moment(BASE + 2 * second, [("a", "M::A", BASE - MINUTE, 7)], sites))
    assert run.sites["north"] == (2, 0, BASE + 2 * second)
    assert run.latest["a", "M::A"] == (BASE - MINUTE, 7)


@settings(max_examples=100, deadline=None)
@given(
    moments=st.lists(
        st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["M::A", "M::B"]), st.integers(0, 9)), max_size=4),
        max_size=4,
    ),
    asset=st.sampled_from(["a", "b", "*"]),
)
def test_device_states_are_as_if_a_forgotten_device_had_never_sent(
    moments: list[list[tuple[str, str, int]]], asset: str
) -> None:
    run, other = (Devices(device_state_bench.WATCHED) for _ in range(2))
    gone = set("ab") if asset == "*" else {asset}
    for number, rows in enumerate(moments):
        readings = [(name, point, BASE + at, at) for name, point, at in rows]
        now = BASE + number * 4 * MINUTE
        run.at(Moment(now, readings, {}))
        other.at(Moment(now, [row for row in readings if row[0] not in gone], {}))
    run.forget(([asset], ["M::A", "M::B"]), BASE + 20 * MINUTE)
    assert sorted(run.held()) == sorted(other.held())


@given(
    st.lists(st.sampled_from(["a", "b", "ab", "abc", "x-1"]), max_size=3),
    st.lists(st.sampled_from(["*", "a*", "?b", "x-[0-9]", "[*]"]), max_size=2),
)
def test_pairs_are_all_of_the_assets_with_all_of_the_points(ids: list[str], patterns: list[str]) -> None:
    wanted = {
        "*": ["a", "b", "ab", "abc", "x-1"],
        "a*": ["a", "ab", "abc"],
        "?b": ["ab"],
        "x-[0-9]": ["x-1"],
        "[*]": [],
    }
    assets = ["a", "b", "ab", "abc", "x-1"]
    names = [PointRef("M", "A"), PointRef("M", "B")]
    chosen = Chosen.of([*ids, *patterns], [names[1]])
    told = set(ids) | {asset for pattern in patterns for asset in wanted[pattern]}
    series = list(product(assets, range(2)))
    flags = chosen.flags([asset for asset, _ in series], [number for _, number in series], names)
    assert flags.tolist() == [asset in told and number == 1 for asset, number in series]
