"""No cut into micro-batches, partitions or chunks changes a day's energy: each equals plain loops over all records"""

import math
from collections import defaultdict
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from oracles.energy import Expected, day_start, expected
from oracles.windows import Key, Number, Record
from streamjob_api.timezones import TimeZone
from unit.runtime.energy_bench import AVERAGE, DAY, HOUR, INSTANT, METER, MINUTE, Run, energy_job

# A zone, and a midnight of it: the one before its clocks change, twice.
MIDNIGHTS = [
    ("UTC", 1_700_006_400_000),
    ("Europe/Berlin", 1_711_839_600_000),  # 2024-03-31, 23 hours
    ("America/New_York", 1_730_606_400_000),  # 2024-11-03, 25 hours
    ("Asia/Kathmandu", 1_700_072_100_000),  # UTC+05:45
    ("Australia/Lord_Howe", 1_712_408_400_000),  # 2024-04-07, 24.5 hours
]
READINGS = {
    "slopeThreshold": st.sampled_from(["[0, 50]", "[1, 10]", "(0, 1000000]", "[0, +inf)"]),
    "scale": st.sampled_from([1, 3, 0.5]),
    "rolloverModulus": st.sampled_from([30, 20.5]),
}
POWERS = {
    "threshold": st.sampled_from(["[0, 12]", "(0, 20)", "(-inf, +inf)", "[-5, +inf)"]),
    "interpolation": st.sampled_from(["Ignore", "LastValue"]),
    "maxGap": st.sampled_from(["1h", "6h"]),
}
UNITS = [{}, *({"powerUnit": power, "energyUnit": energy} for power in ("kW", "W") for energy in ("kWh", "Wh"))]


@st.composite
def policies(draw: st.DrawFn, kind: str, number: int) -> dict[str, Any]:
    policy: dict[str, Any] = {"input": draw(st.sampled_from(["M::A", "M::A", "M::B"]))}
    for name, values in (READINGS if kind == METER else POWERS).items():
        if name in {"slopeThreshold", "threshold", "interpolation"} or draw(st.booleans()):
            policy[name] = draw(values)
    if kind != METER:
        policy |= draw(st.sampled_from(UNITS))
    if draw(st.booleans()):
        policy |= {"detailedOutput": f"M::Detail{number}", "interval": draw(st.sampled_from(["10m", "30m", "1h"]))}
    return policy | {
        "midnight": draw(st.sampled_from(["AttributeToEnd", "Proportional"])),
        "runningTotal": draw(st.booleans()),
    }


Job = tuple[str, dict[str, Any]]


@st.composite
def jobs(draw: st.DrawFn, zone: str) -> Job:
    kind = draw(st.sampled_from([METER, INSTANT, AVERAGE]))
    rows = [draw(policies(kind, number)) for number in range(draw(st.integers(1, 3)))]
    return kind, energy_job(kind, *rows, timezone=zone, latency=draw(st.sampled_from(["0s", "0s", "20m", "5h"])))


VALUES = st.one_of(
    st.integers(0, 30),
    st.integers(0, 30),
    st.floats(-20, 40, allow_nan=False),
    st.sampled_from([0, -0.0, 1e308, -1e308]),
)
GRID = st.one_of(
    st.integers(-8, 8).map(lambda quarter: quarter * 15 * MINUTE),
    st.integers(-200, 200).map(lambda quarter: quarter * 15 * MINUTE),
    st.integers(-2 * DAY, 3 * DAY),
    st.sampled_from([-1, 0, 1, 23 * HOUR, 24 * HOUR - 1, 24 * HOUR, 24 * HOUR + 30 * MINUTE, 25 * HOUR, 9 * DAY]),
)


@st.composite
def inputs(draw: st.DrawFn) -> tuple[Job, list[Record]]:
    zone, midnight = draw(st.sampled_from(MIDNIGHTS))
    row = st.tuples(st.sampled_from("aab"), st.sampled_from(["M::A", "M::A", "M::B"]), GRID, VALUES)
    rows = draw(st.lists(row, max_size=40))
    disorder = draw(st.sampled_from([0, 0, 30 * MINUTE, 6 * HOUR, 100 * DAY]))
    jitter = draw(st.lists(st.integers(0, disorder), min_size=len(rows), max_size=len(rows)))
    arrival = sorted(range(len(rows)), key=lambda place: rows[place][2] + jitter[place])
    records = [
        (asset, point, midnight + offset, value) for asset, point, offset, value in map(rows.__getitem__, arrival)
    ]
    return draw(jobs(zone)), records


PARTITION = {"a": 0, "b": 1}


def fed(job: Job, records: list[Record], cuts: list[int], chunk: int) -> Run:
    run = Run(*job)
    for begin, end in pairwise([0, *sorted(min(cut, len(records)) for cut in cuts), len(records)]):
        batch = records[begin:end]
        run.feed(*([row for row in batch if PARTITION[row[0]] == number] for number in (0, 1)), chunk=chunk)
    return run


def assert_same(run: Run, wanted: Expected) -> None:
    assert run.results.keys() == wanted.results.keys()
    for key, value in wanted.results.items():
        assert same(run.results[key], value), (key, run.results[key], value)
    assert run.modes == wanted.modes
    assert (run.counts["late"], run.counts["outside"]) == (wanted.late, wanted.outside)


def same(value: Number | None, wanted: Number | None) -> bool:
    if value is None or wanted is None:
        return value is wanted
    return math.isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-9)


CUTS = st.lists(st.integers(0, 40), max_size=6)


@settings(max_examples=100, deadline=None)
@given(case=inputs(), cuts=CUTS, chunk=st.integers(1, 50))
def test_any_cut_into_micro_batches_gives_what_the_whole_input_gives(
    case: tuple[Job, list[Record]], cuts: list[int], chunk: int
) -> None:
    job, records = case
    run = fed(job, records, cuts, chunk)
    assert_same(run, expected(records, *job))
    assert run.results == fed(job, records, [], 1000).results, "to the last bit"
    for batch in run.emissions:
        times: dict[tuple[str, str], list[int]] = defaultdict(list)
        for _, (asset, point, time), _ in batch:
            times[asset, point].append(time)
        assert all(given == sorted(set(given)) for given in times.values())


@settings(max_examples=40, deadline=None)
@given(case=inputs(), cuts=CUTS)
def test_closing_takes_what_waits_and_makes_every_day_final(case: tuple[Job, list[Record]], cuts: list[int]) -> None:
    job, records = case
    run = fed(job, records, cuts, 1000)
    run.close()
    assert_same(run, expected(records, *job, is_ended=True))
    assert not any(store.blocks for store in run.stores.values())
    assert run.close() == []


@settings(max_examples=40, deadline=None)
@given(case=inputs(), cuts=CUTS)
def test_the_details_of_a_day_add_up_to_the_day(case: tuple[Job, list[Record]], cuts: list[int]) -> None:
    (kind, job), records = case
    details = {"detailedOutput": "M::Detail", "interval": "30m", "dailyOutput": "M::Day", "input": "M::A"}
    job = job | {"policies": [job["policies"][0] | details]}
    run = fed((kind, job), [row for row in records if abs(row[3]) < 1e6], cuts, 1000)
    run.close()
    zone = TimeZone.parse(job["timezone"]).zone
    added: dict[Key, float] = defaultdict(float)
    for (asset, output, time), value in run.results.items():
        if output == "M::Detail":
            added[asset, "M::Day", day_start(time, zone)] += value or 0.0
    days = {key: value for key, value in run.results.items() if key[1] == "M::Day"}
    assert added.keys() == days.keys()
    assert all(same(added[key], value) for key, value in days.items())
