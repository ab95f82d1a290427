"""Chains of window jobs: a second job over the first one's results, on-time ones and their corrections included."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.exactness import exact
from oracles.windows import Number, Record, expected, policies_of
from unit.runtime.windows_bench import BASE, MINUTE, Run, window_job

DAY = "1d"
# Aggregations of ten minutes, and what makes those of an hour of them.
CHAINS = [("max", "max"), ("min", "min"), ("sum", "sum"), ("cnt", "sum")]
RECORDS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from(["M::A", "M::B"]),
        st.integers(0, 180 * 4).map(lambda quarter: BASE + quarter * 15_000),
        st.integers(-50, 150),
    ),
    max_size=60,
)


def chained(first: Run, second: Run, records: list[Record], cuts: list[int]) -> None:
    """Run both jobs side by side to their end; the second reads what the first one gives, as it gives it."""
    bounds = [0, *sorted(min(cut, len(records)) for cut in cuts), len(records)]
    for begin, end in pairwise(bounds):
        first.feed(records[begin:end])
        second.feed(given_by(first))
    first.close()
    second.feed(given_by(first))
    second.close()


def given_by(run: Run) -> list[Record]:
    """The results of the last micro-batch, as records."""
    return rows(run.emissions[-1])


def rows(batch: list[tuple[str, tuple[str, str, int], Number | None]]) -> list[Record]:
    return [(asset, point, time, value) for _, (asset, point, time), value in batch if value is not None]


@exact
@given(records=RECORDS, cuts=st.lists(st.integers(0, 60), max_size=8), kinds=st.sampled_from(CHAINS))
def test_hours_of_ten_minutes_are_the_hours_of_the_records_themselves(
    records: list[Record], cuts: list[int], kinds: tuple[str, str]
) -> None:
    inputs = {"input": "M::A"}, {"input": "M::B"}
    ours = [{**of, "aggregation": kinds[0], "output": f"M::Ten{place}"} for place, of in enumerate(inputs)]
    theirs = {"windowSize": "1h", "aggregation": kinds[1]}
    hours = [{**theirs, "input": f"M::Ten{place}", "output": f"M::Hour{place}"} for place in (0, 1)]
    first = Run(window_job(*ours, latency=DAY))
    second = Run(window_job(*hours, latency=DAY), calculated=["M::Ten0", "M::Ten1"])
    chained(first, second, records, cuts)
    direct = [{**of, **theirs, "aggregation": kinds[0], "output": f"M::Hour{n}"} for n, of in enumerate(inputs)]
    wanted = expected(records, *policies_of(window_job(*direct, latency=DAY)), is_ended=True)
    assert (first.late, second.late) == (0, 0)
    assert second.results == wanted.results


@settings(max_examples=100, deadline=None)
@given(records=RECORDS, cuts=st.lists(st.integers(0, 60), max_size=8), latency=st.sampled_from(["0s", "2m", "30m"]))
def test_a_job_over_results_gives_what_the_definition_says_of_those_results(
    records: list[Record], cuts: list[int], latency: str
) -> None:
    first = Run(window_job({"threshold": "[0, 100)", "output": "M::Ten"}, latency=latency))
    job = window_job(
        {"input": "M::Ten", "aggregation": "avg", "windowSize": "1h", "slide": "20m", "threshold": "(10, 90]"},
        {"input": "M::Ten", "aggregation": "cnt", "windowSize": "30m", "slide": "10m"},
        latency=latency,
    )
    second = Run(job, calculated=["M::Ten"])
    chained(first, second, records, cuts)
    seen = [record for batch in first.emissions for record in rows(batch)]
    wanted = expected(seen, *policies_of(job), replaced=["M::Ten"], is_ended=True)
    assert second.results == pytest.approx(wanted.results)
    assert (second.modes, second.late, second.outside) == (wanted.modes, wanted.late, wanted.outside)


def test_a_correction_within_the_first_jobs_latency_replaces_the_on_time_result() -> None:
    first = Run(window_job({"aggregation": "sum", "output": "M::Ten"}, latency="1h"))
    hour = {"input": "M::Ten", "aggregation": "sum", "windowSize": "1h", "output": "M::Hour"}
    second = Run(window_job(hour, latency="1h"), calculated=["M::Ten"])
    minutes = [(0, 1), (10, 2), (5, 4), (20, 8), (11, 16), (70, 32)]
    chained(first, second, [("a", "M::A", BASE + at * MINUTE, value) for at, value in minutes], [1, 2, 3, 4, 5])
    start = BASE // (60 * MINUTE) * 60 * MINUTE
    assert second.results[("a", "M::Hour", start)] == sum(
        v for at, v in minutes if BASE + at * MINUTE < start + 3_600_000
    )
