"""A preview's last values are what plain loops over the whole input give, however it is cut."""

import math
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles.windows import Key, Number, Record, expected, policies_of
from streamjob_api.stream_job import StreamJobSpec
from streamjob_cli.trial import Trial
from streamjob_runtime.records import encode
from streamjob_runtime.templates import for_job
from unit.cli.previews import START, job, last_values, line


def trial(windows: dict[str, Any], now_ms: int | None = None) -> Trial:
    spec = StreamJobSpec.model_validate(job(windows=windows)["spec"])
    return Trial(spec, for_job(spec), None, now_ms)


def fed(run: Trial, records: list[Record], batch: int) -> list[str]:
    """The records that a preview writes."""
    lines = [line(record).encode() for record in records]
    parts = [list(run.feed(lines[begin : begin + batch])[0]) for begin in range(0, len(lines), batch)]
    return [text for results in [*parts, list(run.close())] for rows in results for text in _records(rows)]


def _records(results: pl.DataFrame) -> list[str]:
    return encode(results, "o1")["record"].to_list()


ROWS = st.fixed_dictionaries(
    {
        "input": st.sampled_from(["M::A", "M::B"]),
        "aggregation": st.sampled_from(["max", "min", "avg", "sum", "cnt"]),
        "threshold": st.sampled_from(["(-inf, +inf)", "[0, 100)"]),
        "windowSize": st.sampled_from(["10s", "1m", "10m"]),
    }
)
# By the kind of window: what its policies say of the slide.
KINDS: dict[str, list[dict[str, str]]] = {"Tumbling": [{}], "Sliding": [{"slide": "10s"}, {"slide": "5s"}]}
JOBS = st.sampled_from(sorted(KINDS)).flatmap(
    lambda kind: st.builds(
        lambda rows, latency: {
            "windowType": kind,
            "latency": latency,
            "policies": [{**row, "output": f"M::Out{number}"} for number, row in enumerate(rows)],
        },
        st.lists(st.builds(lambda row, slide: row | slide, ROWS, st.sampled_from(KINDS[kind])), min_size=1, max_size=4),
        st.sampled_from(["0s", "15s", "5m"]),
    )
)
RECORDS = st.lists(
    st.tuples(
        st.sampled_from("abcde"),
        st.sampled_from(["M::A", "M::B", "M::C"]),
        st.integers(0, 900_000).map(lambda offset: START + offset),
        st.integers(-10, 110) | st.floats(-1e6, 1e6),
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(windows=JOBS, records=RECORDS, batch=st.integers(1, 60))
def test_the_last_values_are_the_oracles(windows: dict[str, Any], records: list[Record], batch: int) -> None:
    run = trial(windows)
    values, wanted = last_values(fed(run, records, batch)), expected(records, *policies_of(windows), is_ended=True)
    assert values.keys() == wanted.results.keys()
    for key, value in wanted.results.items():
        assert _same(values[key], value), (key, values[key], value)
    assert (run.counted["late"], run.counted["outside"]) == (wanted.late, wanted.outside)
    assert run.counted["messages"] == len(records)


def _same(value: Number | None, wanted: Number | None) -> bool:
    if value is None or wanted is None or isinstance(wanted, int):
        return value == wanted and type(value) is type(wanted)
    return math.isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-12)


def test_results_come_as_they_happen_and_the_rest_at_the_end_by_time() -> None:
    run = trial({"policies": [{"input": "M::A", "aggregation": "max", "windowSize": "1m", "output": "M::Max"}]})
    records: list[Record] = [(asset, "M::A", START + 30_000 * n, n) for n in range(6) for asset in "ab"]
    results, _ = run.feed([line(record).encode() for record in records])
    assert _keys(pl.concat(results)) == [("a", 0), ("b", 0), ("a", 60_000), ("b", 60_000)]
    assert _keys(pl.concat(run.close())) == [("a", 120_000), ("b", 120_000)]
    assert list(run.close()) == []


def test_results_of_many_ticks_are_given_out_in_parts() -> None:
    block = {"trigger": {"mode": "Frequency", "every": "1s"}, "policies": [{"logic": "${M::A} + 1", "output": "M::B"}]}
    template = {"name": "multi-point-merging", "version": "1.0"}
    spec = StreamJobSpec.model_validate({"template": template, "multiPointMerging": block})
    run = Trial(spec, for_job(spec), None, START + 1_000_000)
    given = list(run.feed([line(("a", "M::A", START, 1)).encode()])[0])
    parts = [part["time"].to_list() for part in [*given, *run.close()]]
    assert [time for part in parts for time in part] == [START + 1000 * second for second in range(1, 1001)]
    assert max(map(len, parts)) <= 200


def _keys(results: pl.DataFrame) -> list[tuple[str, int]]:
    """Asset and time; those of one time by asset, since their order says nothing."""
    times = [time - START for time in results["time"]]
    assert times == sorted(times)
    return sorted(zip(results["asset"], times, strict=True), key=lambda row: (row[1], row[0]))


def test_without_a_clock_no_time_lies_in_the_future_and_with_one_it_does() -> None:
    far: Key = ("a", "M::Max", START)
    windows = {"policies": [{"input": "M::A", "aggregation": "max", "windowSize": "10m", "output": "M::Max"}]}
    assert far in last_values(fed(trial(windows), [("a", "M::A", START, 1)], 10))
    run = trial(windows, now_ms=START - 600_000)
    assert fed(run, [("a", "M::A", START, 1)], 10) == []
    assert run.counted["refused.FutureTime"] == 1
