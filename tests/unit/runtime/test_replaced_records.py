"""Records that replace each other in windows: what each rule says, in a few rows."""

from typing import Any

import pytest

from oracles.windows import Key, Number, Record
from unit.runtime.windows_bench import BASE, MINUTE, Run, template_of, window_job

T10 = 10 * MINUTE
CLOSING: Record = ("a", "M::A", BASE + T10, 0)
SUM = {"aggregation": "sum", "output": "M::X", "threshold": "[0, 100)"}
OF_BASE = ("a", "M::X", BASE)


def at(offset: int, value: Number) -> Record:
    return ("a", "M::A", BASE + offset, value)


def last(job: dict[str, Any], *batches: list[Record]) -> dict[Key, Number | None]:
    run = Run(job, calculated=["M::A"])
    for batch in batches:
        run.feed(batch)
    return run.results


@pytest.mark.parametrize(
    ("aggregation", "value"), [("max", 5), ("min", 2), ("avg", 3.5), ("sum", 7.0), ("cnt", 2)], ids=str
)
def test_a_repeated_time_replaces_the_earlier_value(aggregation: str, value: Number) -> None:
    job = window_job({"aggregation": aggregation, "output": "M::X"})
    assert last(job, [at(0, 9), at(1, 5)], [at(0, 2), CLOSING]) == {OF_BASE: value}
    assert last(job, [at(0, 9), at(1, 5), at(0, 2), CLOSING]) == {OF_BASE: value}


def test_only_inputs_that_jobs_calculate_pay_for_it() -> None:
    job = window_job(SUM, {**SUM, "input": "M::B", "output": "M::Y"})
    run = Run(job, calculated=["M::A"])
    run.feed([("a", point, BASE, 1) for point in ("M::A", "M::B") for _ in range(3)])
    run.feed([("a", point, BASE + T10, 1) for point in ("M::A", "M::B")])
    assert run.results == {OF_BASE: 1.0, ("a", "M::Y", BASE): 3.0}


def test_replace_same_time_is_for_every_input() -> None:
    run = Run(window_job(SUM, duplicates="ReplaceSameTime"))
    run.feed([at(0, 1), at(0, 2), CLOSING])
    assert run.results == {OF_BASE: 2.0}


def test_a_replacement_outside_the_threshold_takes_the_value_back() -> None:
    assert last(window_job(SUM), [at(0, 9), at(1, 5)], [at(0, 100), CLOSING]) == {OF_BASE: 5.0}


def test_a_value_outside_the_threshold_is_replaced_like_any_other() -> None:
    assert last(window_job(SUM), [at(0, 100)], [at(0, 4)], [CLOSING]) == {OF_BASE: 4.0}


@pytest.mark.parametrize(("aggregation", "value"), [("max", None), ("avg", None), ("sum", None), ("cnt", 0)])
@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_window_whose_only_value_was_taken_back_says_so(aggregation: str, value: int | None, cut: int) -> None:
    records = [at(0, 9), at(0, 100), at(0, 200), CLOSING]
    assert last(window_job({**SUM, "aggregation": aggregation}), records[:cut], records[cut:]) == {OF_BASE: value}


def test_values_outside_the_threshold_alone_open_no_window() -> None:
    assert last(window_job(SUM), [at(0, 100)], [at(0, 200)], [CLOSING]) == {}


def test_a_replacement_that_comes_too_late_is_late_and_changes_nothing() -> None:
    run = Run(window_job(SUM, latency="1m"), calculated=["M::A"])
    run.feed([at(0, 9), at(T10 + MINUTE, 0), at(0, 2)])
    run.feed([at(0, 3)])
    assert (run.results, run.late) == ({OF_BASE: 9.0}, 2)


def test_within_the_latency_each_replacement_gives_another_on_time_result() -> None:
    run = Run(window_job(SUM, latency="1m"), calculated=["M::A"])
    for record in [at(0, 9), CLOSING, at(0, 2), at(0, 2), at(T10 + MINUTE, 0)]:
        run.feed([record])
    of_base = [[(mode, value) for mode, key, value in batch if key == OF_BASE] for batch in run.emissions]
    assert of_base == [[], [("onTime", 9)], [("onTime", 2)], [("onTime", 2)], [("final", 2)]]


@pytest.mark.parametrize("cut", range(5))
def test_a_replacement_counts_in_the_windows_that_it_is_not_too_late_for(cut: int) -> None:
    records = [at(6 * MINUTE, 9), at(T10, 0), at(6 * MINUTE, 2), at(3 * T10, 0)]
    found = last(window_job({**SUM, "slide": "5m"}), records[:cut], records[cut:])
    assert {(time - BASE) // MINUTE: value for (_, _, time), value in found.items()} == {0: 9.0, 5: 2.0, 10: 0.0}


def test_records_leave_the_state_with_the_last_of_their_windows() -> None:
    run = Run(window_job(SUM, latency="1m"), calculated=["M::A"])
    run.feed([at(5, 9), at(T10 + MINUTE - 1, 1)])
    (store,) = run.stores.values()
    assert sorted(store.blocks) == [-1, BASE + 1, BASE + T10 + 1]
    run.feed([at(T10 + MINUTE, 1)])
    assert sorted(store.blocks) == [-1, BASE + T10 + 1]


def test_a_fold_writes_an_eighth_of_a_long_window() -> None:
    run = Run(window_job({**SUM, "windowSize": "1d"}), calculated=["M::A"])
    for hour in range(12):
        run.feed([at(hour * 6 * T10, 1)])
    (store,) = run.stores.values()
    store.read.clear()
    store.written.clear()
    run.feed([at(70 * T10 + 1, 1)])
    assert len(store.read) == len(store.written) == 2


def test_windows_that_were_open_go_on_when_their_input_becomes_calculated() -> None:
    run = Run(window_job(SUM))
    run.feed([at(0, 1), at(0, 2)])
    run.restart(["M::A"])
    run.feed([at(0, 4), at(0, 8), at(1, 16)])
    run.feed([CLOSING])
    assert run.results == {OF_BASE: 27.0}


def test_windows_that_were_open_go_on_when_their_input_is_calculated_no_more() -> None:
    run = Run(window_job(SUM), calculated=["M::A"])
    run.feed([at(5, 1), at(5, 2)])
    run.restart([])
    run.feed([at(5, 4), at(5, 8), at(1, 16)])
    (store,) = run.stores.values()
    assert sorted(store.blocks) == [-1, BASE]
    run.feed([CLOSING])
    assert run.results == {OF_BASE: 30.0}


def test_a_checkpoint_is_good_whether_inputs_are_calculated_or_not_but_not_for_other_duplicates() -> None:
    jobs = [window_job(SUM), window_job(SUM, duplicates="ReplaceSameTime")]
    assert template_of(jobs[0], ["M::A"]).identity == template_of(jobs[0]).identity
    assert template_of(jobs[1]).identity != template_of(jobs[0]).identity
