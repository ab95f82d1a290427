"""Whatever the micro-batches, partitions, shards and restarts: device states are those of plain loops"""

from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.exactness import exact
from oracles.device_state import Expected, Moment, Reading, expected
from unit.runtime.device_state_bench import BASE, MINUTE, SECOND, WATCHED, Run

ASSETS = "abcdefg"
VALUES = st.one_of(st.integers(-3, 3), st.floats(-3, 3), st.sampled_from(["on", "", "off"]), st.booleans())
READINGS = st.lists(
    st.tuples(
        st.sampled_from(ASSETS),
        st.sampled_from(["M::A", "M::B", "N::A"]),
        st.integers(0, 12).map(lambda at: BASE + at * SECOND),
        VALUES,
    ),
    max_size=6,
)
SITES = st.sampled_from(["north", "south", " south ", 7, 7.0, "7", 1.5, None, True, "", ["a"], "x" * 257])
# Around the silence of ten minutes, and the tenth of it.
PAUSES = st.one_of(
    st.integers(0, 11 * MINUTE), st.sampled_from([0, 1, MINUTE - 1, MINUTE, 5 * MINUTE, 10 * MINUTE - 1, 10 * MINUTE])
)


@st.composite
def jobs(draw: st.DrawFn) -> dict[str, Any]:
    job = WATCHED | {"points": draw(st.sampled_from([["M::A", "M::B"], ["M::B"], ["N::A", "M::A"]]))}
    left_out = draw(st.sampled_from([(), (), (), ("siteOutput",), ("siteOutput", "siteAttribute"), ("all",)]))
    if left_out == ("all",):
        return {"points": job["points"]}
    return {name: value for name, value in job.items() if name not in left_out}


@st.composite
def moments(draw: st.DrawFn) -> list[Moment]:
    clocks = accumulate(draw(st.lists(PAUSES, min_size=1, max_size=10)), initial=BASE)
    sites: dict[str, Any] = {}
    found = []
    for now in clocks:
        sites = sites | draw(st.dictionaries(st.sampled_from(ASSETS), SITES, max_size=3))
        found.append(Moment(now, draw(st.one_of(READINGS, READINGS, st.just([]))), sites))
    return found


PARTITION = {asset: number % 3 for number, asset in enumerate(ASSETS)}


def parted(readings: list[Reading]) -> list[list[Reading]]:
    return [[row for row in readings if PARTITION[row[0]] == number] for number in range(3)]


def assert_is(run: Run, wanted: Expected) -> None:
    assert plain(run.results) == plain(wanted.results)
    assert plain(run.latest) == plain(wanted.latest)
    assert run.devices == {
        asset: (device.is_online, device.since, device.told_last_seen) for asset, device in wanted.devices.items()
    }
    assert run.sites == wanted.sites
    assert +run.counts == wanted.counts


def plain(values: dict[Any, Any]) -> dict[Any, str]:
    """Values with their types, zero without its sign."""
    return {key: repr(value).replace("-0.0", "0.0") for key, value in values.items()}


@exact
@given(
    job=jobs(),
    moments=moments(),
    restarts=st.sets(st.integers(0, 10)),
    chunk=st.integers(1, 4),
    shards=st.sampled_from([1, 2, 3, 7]),
)
def test_any_micro_batches_partitions_shards_and_restarts_give_what_plain_loops_give(
    job: dict[str, Any], moments: list[Moment], restarts: set[int], chunk: int, shards: int
) -> None:
    run = Run(job, shards=shards)
    for number, moment in enumerate(moments):
        if number in restarts:
            run.restart()
        run.at(moment, partitions=parted(list(moment.readings)), chunk=chunk)
        wanted = expected(moments[: number + 1], job)
        assert_is(run, wanted)
        online = [device.last_seen for device in wanted.devices.values() if device.is_online]
        assert run.deadline == (min(online) + 10 * MINUTE if online else None)


@settings(max_examples=150, deadline=None)
@given(moments=moments(), cuts=st.lists(st.integers(0, 6), max_size=10))
def test_while_the_clock_is_looked_at_in_time_no_cut_of_a_micro_batch_matters(
    moments: list[Moment], cuts: list[int]
) -> None:
    """Records of one clock may as well come in several micro-batches, and the clock be looked at in between."""
    whole, cut = Run(WATCHED), Run(WATCHED)
    for number, moment in enumerate(moments):
        for run in (whole, cut):
            while run.deadline is not None and run.deadline < moment.now:
                run.at(Moment(run.deadline, [], moment.sites))
        whole.at(moment)
        begin = cuts[number] if number < len(cuts) else 0
        head, tail = moment.readings[:begin], moment.readings[begin:]
        if is_due(cut, moment.now):
            head, tail = moment.readings, []
        cut.at(Moment(moment.now, head, moment.sites))
        cut.at(Moment(moment.now, tail, moment.sites))
    assert plain(whole.latest) == plain(cut.latest)
    assert whole.devices == cut.devices
    assert {key: value for key, value in whole.results.items() if key[1] == "M::Connection"} == {
        key: value for key, value in cut.results.items() if key[1] == "M::Connection"
    }


def is_due(run: Run, now: int) -> bool:
    """Whether somebody has been silent for exactly long enough: of such a time all records must come at once."""
    return run.deadline is not None and run.deadline <= now


@pytest.mark.parametrize("job", [WATCHED, {"points": ["M::A"]}], ids=["watched", "latest values alone"])
def test_a_tick_that_nothing_is_due_at_changes_nothing(job: dict[str, Any]) -> None:
    run = Run(job)
    run.at(Moment(BASE, [("a", "M::A", BASE, 1)], {"a": "north"}))
    before = dict(run.results), dict(run.latest), dict(run.devices), dict(run.sites)
    run.restart()
    run.at(Moment(BASE + 10 * MINUTE - 1))
    assert (run.results, run.latest, run.devices, run.sites) == before
    assert run.emissions[-1] == []
