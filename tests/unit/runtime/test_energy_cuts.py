"""No cut into micro-batches, partitions, chunks or shards changes a day's energy: each equals plain loops over all."""

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import cycle, pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fixtures.exactness import exact
from oracles.energy import Expected, day_start, expected
from oracles.energy_order import Beside
from oracles.windows import Key, Number, Record
from streamjob_api.timezones import TimeZone
from unit.runtime.energy_bench import AVERAGE, BASE, DAY, HOUR, INSTANT, METER, MINUTE, Run, energy_job

# A zone, and a midnight of it: the one before its clocks change, twice.
MIDNIGHTS = [
    ("UTC", 1_700_006_400_000),
    ("Europe/Berlin", 1_711_839_600_000),  # 2024-03-31, 23 hours
    ("America/New_York", 1_730_606_400_000),  # 2024-11-03, 25 hours
    ("Asia/Kathmandu", 1_700_072_100_000),  # UTC+05:45
    ("Australia/Lord_Howe", 1_712_408_400_000),  # 2024-04-07, 24.5 hours
]
SLOPES = [{"slopeThreshold": slope} for slope in ("[0, 50]", "[1, 10]", "[1, 10)", "(0, 1000000]", "[0, +inf)")]
SCALES = [{}, {"scale": 3}, {"scale": 0.5}]
THRESHOLDS = [{"threshold": threshold} for threshold in ("[0, 12]", "(0, 20)", "(-inf, +inf)", "[-5, +inf)")]
GAPS = [{"maxGap": gap} for gap in ("30m", "1h", "6h")]
ROLLOVERS = [{}, {"rolloverModulus": 30}, {"rolloverModulus": 20.5}]
LIMIT, RATIO = {"slopeLimitAttribute": "M::Limit"}, {"scaleAttribute": "M::Ratio"}
UNITS = [{}, *({"powerUnit": power, "energyUnit": energy} for power in ("kW", "W") for energy in ("kWh", "Wh"))]


@st.composite
def policies(draw: st.DrawFn, kind: str, number: int) -> dict[str, Any]:
    policy: dict[str, Any] = {"input": draw(st.sampled_from(["M::A", "M::A", "M::B"]))}
    if kind == METER:
        policy |= draw(st.sampled_from([*SLOPES, LIMIT])) | draw(st.sampled_from([*SCALES, RATIO]))
        policy |= draw(st.sampled_from(ROLLOVERS))
    else:
        interpolation = draw(st.sampled_from(["Ignore", "LastValue", "Linear", "Linear"]))
        policy |= draw(st.sampled_from(THRESHOLDS)) | draw(st.sampled_from(UNITS)) | {"interpolation": interpolation}
        policy |= draw(st.sampled_from(GAPS if interpolation == "Linear" else [{}, *GAPS]))
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
    st.integers(0, 3),
    st.floats(-20, 40, allow_nan=False),
    st.sampled_from([0, -0.0, 1e308, -1e308, 12, 20, -5]),
)
USABLE = st.one_of(st.integers(1, 20), st.floats(0.01, 1e6))
UNUSABLE = st.sampled_from([None, 0, -1, -0.5, True, "3", [3], 10**400])
PAUSES = [1000, 20 * MINUTE, HOUR - 1, HOUR, HOUR, HOUR + MINUTE, HOUR + MINUTE + 1, 3 * HOUR]
GRID = st.one_of(
    st.integers(-8, 8).map(lambda quarter: quarter * 15 * MINUTE),
    st.integers(-200, 200).map(lambda quarter: quarter * 15 * MINUTE),
    st.integers(-2 * DAY, 3 * DAY),
    st.sampled_from([-1, 0, 1, 23 * HOUR, 24 * HOUR - 1, 24 * HOUR, 24 * HOUR + 30 * MINUTE, 25 * HOUR, 9 * DAY]),
)


@dataclass(frozen=True)
class Case:
    """A job, what it is told beside its block, and what arrives."""

    kind: str
    job: dict[str, Any]
    records: list[Record]
    attributes: dict[tuple[str, str], Any]
    calculated: frozenset[str]

    @property
    def beside(self) -> Beside:
        """For the oracle."""
        return Beside(calculated=self.calculated, attributes=self.attributes)

    def run(self, *, has_one_store: bool = False, idle_timeout: str | None = None) -> Run:
        """For the template."""
        return Run(
            self.kind,
            self.job,
            calculated=self.calculated,
            attributes=self.attributes,
            has_one_store=has_one_store,
            idle_timeout=idle_timeout,
        )


@dataclass(frozen=True)
class Layout:
    """How records come to the template."""

    cuts: list[int]
    chunk: int
    partitions: int
    has_one_store: bool
    has_restarts: bool


AT_ONCE = Layout([], 1000, 1, has_one_store=True, has_restarts=False)
LAYOUTS = st.builds(
    Layout,
    cuts=st.lists(st.integers(0, 40), max_size=6),
    chunk=st.integers(1, 50),
    partitions=st.integers(1, 2),
    has_one_store=st.booleans(),
    has_restarts=st.booleans(),
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    zone, midnight = draw(st.sampled_from(MIDNIGHTS))
    row = st.tuples(st.sampled_from("aab"), st.sampled_from(["M::A", "M::A", "M::B"]), GRID, VALUES)
    rows = draw(st.lists(row, max_size=40))
    disorder = draw(st.sampled_from([0, 0, 30 * MINUTE, 6 * HOUR, 100 * DAY]))
    jitter = draw(st.lists(st.integers(0, disorder), min_size=len(rows), max_size=len(rows)))
    arrival = sorted(range(len(rows)), key=lambda place: rows[place][2] + jitter[place])
    records = [
        (asset, point, midnight + offset, value) for asset, point, offset, value in map(rows.__getitem__, arrival)
    ]
    kind, job = draw(jobs(zone))
    bound = any("Attribute" in name for policy in job["policies"] for name in policy)
    names = st.tuples(st.sampled_from("ab"), st.sampled_from(["M::Limit", "M::Ratio"]))
    attributes = draw(st.dictionaries(names, USABLE | UNUSABLE)) if bound else {}
    calculated = draw(st.sampled_from([frozenset(), frozenset(), frozenset({"M::A"})]))
    return Case(kind, job, records, attributes, calculated)


def fed(case: Case, layout: Layout) -> Run:
    """The template's results, of records cut into micro-batches."""
    run = case.run(has_one_store=layout.has_one_store)
    records = case.records
    for begin, end in pairwise([0, *sorted(min(cut, len(records)) for cut in layout.cuts), len(records)]):
        run.feed(*parted(records[begin:end], layout), chunk=layout.chunk)
        if layout.has_restarts:
            run.restart()
    return run


def parted(records: list[Record], layout: Layout) -> list[list[Record]]:
    """Records by partition; an asset's are all in one."""
    return [[row for row in records if "ab".index(row[0]) % layout.partitions == n] for n in range(layout.partitions)]


def assert_same(run: Run, wanted: Expected) -> None:
    assert run.results.keys() == wanted.results.keys()
    for key, value in wanted.results.items():
        assert same(run.results[key], value), (key, run.results[key], value)
    assert run.modes == wanted.modes
    counted = run.counts["late"], run.counts["repeated"], run.counts["outside"]
    assert counted == (wanted.late, wanted.repeated, wanted.outside)


def same(value: Number | None, wanted: Number | None) -> bool:
    if value is None or wanted is None:
        return value is wanted
    return math.isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-9)


@exact
@given(case=cases(), layout=LAYOUTS)
def test_any_cut_into_micro_batches_gives_what_the_whole_input_gives(case: Case, layout: Layout) -> None:
    run = fed(case, layout)
    assert_same(run, expected(case.records, case.kind, case.job, case.beside))
    assert run.results == fed(case, AT_ONCE).results, "to the last bit"
    for batch in run.emissions:
        times: dict[tuple[str, str], list[int]] = defaultdict(list)
        for _, (asset, point, time), _ in batch:
            times[asset, point].append(time)
        assert all(given == sorted(set(given)) for given in times.values())


@exact
@given(case=cases(), layout=LAYOUTS)
def test_closing_takes_what_waits_and_makes_every_day_final(case: Case, layout: Layout) -> None:
    run = fed(case, layout)
    run.close()
    assert_same(run, expected(case.records, case.kind, case.job, case.beside, is_ended=True))
    assert not any(store.blocks for store in run.stores.values())
    assert run.close() == []


@exact
@given(
    case=cases(),
    layout=LAYOUTS,
    pauses=st.lists(st.sampled_from(PAUSES), min_size=9, max_size=9),
)
def test_silence_closes_what_is_open_and_leaves_the_reference(case: Case, layout: Layout, pauses: list[int]) -> None:
    run, records = case.run(has_one_store=layout.has_one_store, idle_timeout="1h"), case.records
    clock, begin, looks = BASE, 0, []
    # Every other micro-batch is a tick.
    ends = [end for cut in sorted(layout.cuts) for end in (min(cut, len(records)),) * 2]
    for end, pause in zip([*ends, len(records)], cycle(pauses), strict=False):
        clock, is_early = clock + pause, run.deadline is None or clock + pause < run.deadline
        left = run.feed(*(parted(records[begin:end], layout) if end > begin else []), chunk=layout.chunk, now=clock)
        assert not (is_early and end == begin and left), "nothing is due before the deadline"
        looks.append((clock, end))
        begin = end
        if layout.has_restarts:
            run.restart()
    assert_same(run, expected(records, case.kind, case.job, replace(case.beside, idle_timeout_ms=HOUR, looks=looks)))


@exact
@given(case=cases(), layout=LAYOUTS)
def test_the_details_of_a_day_add_up_to_the_day(case: Case, layout: Layout) -> None:
    details = {"detailedOutput": "M::Detail", "interval": "30m", "dailyOutput": "M::Day", "input": "M::A"}
    job = case.job | {"policies": [case.job["policies"][0] | details]}
    run = fed(replace(case, job=job, records=[row for row in case.records if abs(row[3]) < 1e6]), layout)
    run.close()
    assert_details_add_up(run, job["timezone"])


def assert_details_add_up(run: Run, timezone: str) -> None:
    zone = TimeZone.parse(timezone).zone
    added: dict[Key, float] = defaultdict(float)
    for (asset, output, time), value in run.results.items():
        if output == "M::Detail":
            added[asset, "M::Day", day_start(time, zone)] += value or 0.0
    days = {key: value for key, value in run.results.items() if key[1] == "M::Day"}
    assert added.keys() == days.keys()
    assert all(same(added[key], value) for key, value in days.items())
