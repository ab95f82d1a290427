"""Tumbling windows: what each rule of the contract says, in a few rows."""

from typing import Any

import pytest

from oracles.windows import Key, Number, Record
from unit.runtime.windows_bench import BASE, MINUTE, Run, template_of, window_job

T10 = 10 * MINUTE
CLOSING = ("a", "M::A", BASE + T10, 0)


def last(job: dict[str, Any], *records: Record) -> dict[Key, Number | None]:
    run = Run(job)
    run.feed(records)
    return run.results


def value_of(aggregation: str, *values: Number, **policy: str) -> Number | None:
    job = window_job({"aggregation": aggregation, "output": "M::X", **policy})
    records: list[Record] = [("a", "M::A", BASE + number, value) for number, value in enumerate(values)]
    return last(job, *records, CLOSING).get(("a", "M::X", BASE))


def test_window_start_is_inclusive_and_end_exclusive() -> None:
    records = [("a", "M::A", BASE - 1, 1), ("a", "M::A", BASE, 2), ("a", "M::A", BASE + T10 - 1, 3), CLOSING]
    results = last(window_job({"aggregation": "cnt", "output": "M::X"}), *records)
    assert results == {("a", "M::X", BASE - T10): 1, ("a", "M::X", BASE): 2}


def test_windows_of_a_day_begin_at_midnight_utc() -> None:
    midnight = 19_700 * 86_400_000
    records = [("a", "M::A", midnight + 5, 7), ("a", "M::A", midnight + 86_400_000, 1)]
    assert last(window_job({"windowSize": "1d", "output": "M::X"}), *records) == {("a", "M::X", midnight): 7}


@pytest.mark.parametrize(
    ("aggregation", "result"), [("max", 5), ("min", -2), ("avg", 1.5), ("sum", 6.0), ("cnt", 4), ("count", 4)]
)
def test_aggregation_of_integers(aggregation: str, result: Number) -> None:
    value = value_of(aggregation, 5, -2, 0, 3)
    assert value == result
    assert type(value) is type(result)


def test_one_float_makes_extremes_floats_and_leaves_the_count_an_integer() -> None:
    assert isinstance(value_of("max", 5, 1.5), float)
    assert isinstance(value_of("min", 5, 1.5), float)
    assert isinstance(value_of("cnt", 5, 1.5), int)


@pytest.mark.parametrize(
    ("threshold", "count"),
    [
        ("(1, 3)", 1),
        ("(1, 3]", 2),
        ("[1, 3)", 2),
        ("[1, 3]", 3),
        ("(-inf, 2)", 2),
        ("(-inf, 2]", 3),
        ("(2, +inf)", 2),
        ("[2, +inf)", 3),
        ("(-inf, +inf)", 5),
    ],
)
def test_every_form_of_threshold(threshold: str, count: int) -> None:
    assert value_of("cnt", 0, 1, 2, 3, 4, threshold=threshold) == count


def test_a_window_whose_values_are_all_outside_gives_no_count() -> None:
    assert value_of("cnt", 100, 200, threshold="[0, 100)") is None


def test_a_value_outside_the_threshold_advances_the_watermark() -> None:
    job = window_job({"threshold": "[0, 100)", "output": "M::X"})
    assert last(job, ("a", "M::A", BASE, 1), ("a", "M::A", BASE + T10, 500)) == {("a", "M::X", BASE): 1}


def test_a_sum_beyond_the_largest_double_is_null() -> None:
    job = window_job({"aggregation": "sum", "output": "M::X"}, {"aggregation": "avg", "output": "M::Y"})
    records = [("a", "M::A", BASE, 1.7e308), ("a", "M::A", BASE + 1, 1.7e308), CLOSING]
    assert last(job, *records) == {("a", "M::X", BASE): None, ("a", "M::Y", BASE): None}


def test_a_sum_keeps_the_small_term_between_two_that_cancel() -> None:
    assert value_of("sum", 1e17, 0.125, -1e17) == 0.125


def test_a_watermark_belongs_to_one_asset_and_one_input() -> None:
    job = window_job({"output": "M::X"}, {"input": "M::B", "output": "M::Y"})
    records = [("a", "M::A", BASE, 1), ("b", "M::A", BASE + 9 * T10, 2), ("a", "M::B", BASE + 9 * T10, 3)]
    assert last(job, *records) == {}


def test_a_record_is_late_at_the_very_end_of_the_latency() -> None:
    run = Run(window_job({"aggregation": "cnt", "output": "M::X"}, latency="1m"))
    run.feed([("a", "M::A", BASE, 1), ("a", "M::A", BASE + T10 + MINUTE - 1, 1), ("a", "M::A", BASE + 1, 1)])
    run.feed([("a", "M::A", BASE + T10 + MINUTE, 1), ("a", "M::A", BASE + 2, 1)])
    run.feed([("a", "M::A", BASE + 3, 1)])
    assert (run.late, run.results) == (2, {("a", "M::X", BASE): 2})


def test_a_record_is_late_or_not_by_each_window_size() -> None:
    run = Run(window_job({"output": "M::X"}, {"windowSize": "1m", "output": "M::Y"}))
    run.feed([("a", "M::A", BASE, 1), ("a", "M::A", BASE + 2 * MINUTE, 2), ("a", "M::A", BASE + 1, 9), CLOSING])
    assert run.late == 1
    assert run.results == {("a", "M::X", BASE): 9, ("a", "M::Y", BASE): 1, ("a", "M::Y", BASE + 2 * MINUTE): 2}


def test_a_late_record_counts_once_for_policies_that_differ_in_the_aggregation_only() -> None:
    run = Run(window_job({"aggregation": "max"}, {"aggregation": "min"}, {"aggregation": "avg"}))
    run.feed([CLOSING, ("a", "M::A", BASE, 1)])
    assert run.late == 1


def test_a_record_outside_counts_once_for_windows_that_differ_in_size_only() -> None:
    run = Run(window_job({"threshold": "[0, 1]"}, {"threshold": "[0, 1]", "windowSize": "1m"}, {"threshold": "[0, 9)"}))
    run.feed([("a", "M::A", BASE, 5)])
    assert run.outside == 1


def test_with_latency_a_window_leaves_on_time_then_again_when_changed_then_finally() -> None:
    run = Run(window_job({"output": "M::X"}, latency="1h"))
    run.feed([("a", "M::A", BASE, 1)])
    run.feed([CLOSING])
    run.feed([("a", "M::A", BASE + 1, 7)])
    run.feed([("a", "M::A", BASE + T10 + 1, 0)])
    run.feed([("a", "M::A", BASE + T10 + 60 * MINUTE, 0)])
    key = ("a", "M::X", BASE)
    of_key = [[(mode, value) for mode, seen, value in batch if seen == key] for batch in run.emissions]
    assert of_key == [[], [("onTime", 1)], [("onTime", 7)], [], [("final", 7)]]


def test_a_window_that_is_over_at_once_leaves_only_finally() -> None:
    run = Run(window_job({"output": "M::X"}, latency="1m"))
    run.feed([("a", "M::A", BASE, 1), ("a", "M::A", BASE + 2 * T10, 2)])
    assert run.emissions == [[("final", ("a", "M::X", BASE), 1)]]


def test_without_latency_a_window_leaves_once() -> None:
    run = Run(window_job({"output": "M::X"}))
    run.feed([("a", "M::A", BASE, 1)])
    run.feed([CLOSING])
    run.feed([("a", "M::A", BASE + 1, 9)])
    assert run.emissions == [[], [("final", ("a", "M::X", BASE), 1)], []]


def test_a_final_window_leaves_the_state() -> None:
    run = Run(window_job({"output": "M::X"}))
    run.feed([("a", "M::A", BASE, 1)])
    run.feed([("a", "M::A", BASE + 5 * T10, 1)])
    (store,) = run.stores.values()
    assert sorted(store.blocks) == [-1, BASE + 5 * T10]


def test_a_fold_reads_only_the_buckets_that_change() -> None:
    run = Run(window_job({"output": "M::X"}, latency="1d"))
    for number in range(100):
        run.feed([("a", "M::A", BASE + number * T10, 1)])
    (store,) = run.stores.values()
    store.read.clear()
    run.feed([("a", "M::A", BASE + 100 * T10, 1)])
    assert sorted(store.read) == [-1, BASE + 99 * T10]


def test_a_gap_of_years_touches_only_the_open_windows() -> None:
    run = Run(window_job({"windowSize": "1s", "output": "M::X"}, latency="1d"))
    run.feed([("a", "M::A", BASE, 1)])
    run.feed([("a", "M::A", BASE + 20 * 365 * 86_400_000, 1)])
    (store,) = run.stores.values()
    assert store.read == [-1, -1, BASE]
    assert run.results == {("a", "M::X", BASE): 1}


def test_an_asset_that_comes_through_two_partitions_at_once_is_counted() -> None:
    run = Run(window_job({"output": "M::X"}))
    run.feed([("a", "M::A", BASE, 1)], [("a", "M::A", BASE + 1, 1)], [("b", "M::A", BASE, 1)])
    assert run.several_partitions == 1


def test_points_that_no_policy_reads_change_nothing() -> None:
    run = Run(window_job({"output": "M::X"}))
    run.feed([("a", "M::Other", BASE, 1)])
    assert (run.stores, run.late, run.outside) == ({}, 0, 0)


POLICIES = [{"input": "M::A", "output": "M::X"}, {"input": "M::B", "output": "M::Y", "threshold": "[0, 100)"}]


def test_identity_does_not_depend_on_the_order_of_policies_or_on_spelling() -> None:
    respelled = [{**POLICIES[1], "threshold": "[0,100.0)", "windowSize": "600s"}, POLICIES[0]]
    assert template_of(window_job(*respelled)).identity == template_of(window_job(*POLICIES)).identity


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": "[0, 100]"},
        {"windowSize": "5m"},
        {"aggregation": "min"},
        {"output": "M::Z"},
        {"input": "M::C"},
    ],
)
def test_identity_changes_with_what_is_calculated(change: dict[str, str]) -> None:
    changed = window_job(POLICIES[0], {**POLICIES[1], **change})
    assert template_of(changed).identity != template_of(window_job(*POLICIES)).identity


def test_identity_changes_with_the_latency() -> None:
    assert template_of(window_job(*POLICIES)).identity != template_of(window_job(*POLICIES, latency="1s")).identity


def test_identity_of_tumbling_windows_stays_what_it_was_in_the_first_version() -> None:
    job = window_job(
        {"output": "M::X", "threshold": "[0, 100)"},
        {"input": "M::B", "aggregation": "avg", "output": "M::Y", "windowSize": "1h"},
        latency="5m",
    )
    assert template_of(job).identity == "03f877422f9b116fa82290ac9aec077058fe595eb81a0724238677e1e00b75a4"
