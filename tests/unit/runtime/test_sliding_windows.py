"""Sliding windows: what each rule of the contract says, in a few rows; and what they may cost."""

import pytest

from oracles.windows import Record, expected, policies_of
from streamjob_runtime.shards import Shards
from unit.runtime.windows_bench import BASE, MINUTE, Run, points_of, template_of, window_job

T10 = 10 * MINUTE
SLIDE = {"windowSize": "10m", "slide": "5m", "aggregation": "cnt", "output": "M::X"}


def at(offset: int, value: int = 1) -> Record:
    return ("a", "M::A", BASE + offset, value)


def fed(run: Run, *batches: list[Record]) -> dict[float, int | float | None]:
    """Feed micro-batches; the results by the minute, from BASE, at which their windows start."""
    for batch in batches:
        run.feed(batch)
    return {(time - BASE) / MINUTE: value for (_, _, time), value in run.results.items()}


def test_a_record_belongs_to_every_window_that_holds_its_time() -> None:
    run = Run(window_job({**SLIDE, "slide": "2m"}))
    assert fed(run, [at(0), at(2 * T10)]) == {-8: 1, -6: 1, -4: 1, -2: 1, 0: 1}


def test_a_record_at_the_start_of_a_window_belongs_to_it_and_one_at_its_end_does_not() -> None:
    records = [at(-1, 1), at(0, 2), at(T10 - 1, 4), at(T10, 8), at(4 * T10, 0)]
    found = fed(Run(window_job({**SLIDE, "aggregation": "sum"})), records)
    assert found == {-10: 1, -5: 3, 0: 6, 5: 12, 10: 8}


def test_windows_without_any_record_have_no_result() -> None:
    found = fed(Run(window_job(SLIDE)), [at(0)], [at(6 * T10)], [at(9 * T10)])
    assert found == {-5: 1, 0: 1, 55: 1, 60: 1}


def test_a_slide_of_the_windows_size_tumbles() -> None:
    sliding = Run(window_job({**SLIDE, "slide": "10m"}))
    tumbling = Run(window_job({"aggregation": "cnt", "output": "M::X"}))
    records = [at(0), at(3 * T10), at(5), at(3 * T10 + 1), at(9 * T10)]
    assert fed(sliding, records) == fed(tumbling, records)
    assert sliding.late == tumbling.late == 1


@pytest.mark.parametrize("cut", range(7))
def test_a_record_counts_in_the_windows_that_it_is_not_too_late_for(cut: int) -> None:
    records = [at(0), at(6 * MINUTE), at(1), at(2), at(T10 - 1), at(4 * T10)]
    assert fed(Run(window_job(SLIDE)), records[:cut], records[cut:]) == {-5: 1, 0: 5, 5: 2}


@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_a_record_is_late_once_whatever_the_number_of_windows_that_it_misses(cut: int) -> None:
    records = [at(3 * T10), at(2 * T10 + 1), at(2 * T10 - 1), at(3 * T10 - 1)]
    run = Run(window_job({**SLIDE, "slide": "1m"}))
    run.feed(records[:cut])
    run.feed(records[cut:])
    assert run.late == 3


def test_a_record_is_late_for_each_size_and_slide() -> None:
    run = Run(window_job(SLIDE, {**SLIDE, "slide": "2m", "output": "M::Y"}, {**SLIDE, "output": "M::Z"}))
    run.feed([at(3 * T10), at(0)])
    assert run.late == 2


def test_a_record_is_late_at_the_very_end_of_the_latency() -> None:
    run = Run(window_job(SLIDE, latency="1m"))
    found = fed(run, [at(0), at(6 * MINUTE - 1), at(1)], [at(6 * MINUTE), at(2)], [at(4 * T10)])
    assert (found, run.late) == ({-5: 2, 0: 5, 5: 2}, 1)


def test_with_latency_each_window_leaves_on_time_then_when_changed_then_finally() -> None:
    run = Run(window_job(SLIDE, latency="5m"))
    fed(run, [at(0)], [at(T10)], [at(1)], [at(T10 + 1)], [at(T10 + 5 * MINUTE)])
    emissions = [[(mode, (key[2] - BASE) // MINUTE, value) for mode, key, value in batch] for batch in run.emissions]
    assert emissions == [
        [],
        [("final", -5, 1), ("onTime", 0, 1)],
        [("onTime", 0, 2)],
        [],
        [("final", 0, 2), ("onTime", 5, 2)],
    ]


def test_a_late_record_changes_windows_whose_other_panes_lie_in_other_buckets() -> None:
    run = Run(window_job({**SLIDE, "slide": "1m"}, latency="1h"))
    fed(run, [at(0)], [at(8 * MINUTE)], [at(30 * MINUTE)], [at(1)])
    changed = {(key[2] - BASE) // MINUTE: (mode, value) for mode, key, value in run.emissions[-1]}
    assert changed == {start: ("onTime", 2 if start < -1 else 3) for start in range(-9, 1)}


def test_a_window_leaves_on_time_when_the_watermark_alone_reaches_its_end() -> None:
    run = Run(window_job({**SLIDE, "slide": "1m"}, latency="1h"))
    fed(run, [at(0)], [at(8 * MINUTE)], [at(9 * MINUTE)], [at(11 * MINUTE)])
    assert run.emissions[-1] == [
        ("onTime", ("a", "M::X", BASE), 3),
        ("onTime", ("a", "M::X", BASE + MINUTE), 2),
    ]


def test_sums_of_overlapping_windows_keep_the_small_term_between_two_that_cancel() -> None:
    run = Run(window_job({**SLIDE, "aggregation": "sum"}))
    values = [("a", "M::A", BASE + number * MINUTE, value) for number, value in enumerate([1e17, 0.125, -1e17])]
    assert fed(run, [*values, at(4 * T10, 0)]) == {-5: 0.125, 0: 0.125}


def test_a_pane_leaves_the_state_with_the_last_of_its_windows() -> None:
    run = Run(window_job(SLIDE, latency="1m"))
    fed(run, [at(0)], [at(T10 + MINUTE - 1)])
    (store,) = run.stores.values()
    assert sorted(store.blocks) == [-1, BASE, BASE + T10]
    fed(run, [at(T10 + MINUTE)])
    assert sorted(store.blocks) == [-1, BASE + T10]


def test_a_fold_within_a_slide_reads_and_writes_one_bucket() -> None:
    run = Run(window_job({**SLIDE, "windowSize": "1h", "slide": "1m"}, latency="1d"))
    fed(run, *([at(number * MINUTE)] for number in range(104)))
    (store,) = run.stores.values()
    store.read.clear()
    store.written.clear()
    fed(run, [at(103 * MINUTE + 1)])
    assert sorted(store.read) == sorted(store.written) == [-1, BASE + 100 * MINUTE]


def test_a_window_reads_about_the_square_root_of_its_panes() -> None:
    run = Run(window_job({**SLIDE, "windowSize": "1h", "slide": "1m"}, latency="0s"))
    fed(run, *([at(number * MINUTE)] for number in range(100)))
    (store,) = run.stores.values()
    store.read.clear()
    fed(run, [at(100 * MINUTE)])
    assert len(store.read) <= 10


def test_a_gap_of_years_touches_only_the_open_panes() -> None:
    run = Run(window_job({**SLIDE, "windowSize": "3s", "slide": "1s"}))
    assert len(fed(run, [at(0)], [at(20 * 365 * 86_400_000)])) == 3
    (store,) = run.stores.values()
    assert len(store.read) == 3


def test_the_panes_of_a_micro_batch_do_not_grow_with_the_overlap() -> None:
    records = [at(number * 1000) for number in range(600)]
    heights = []
    for size in ("1m", "6m", "1h", "1d"):
        combiner = template_of(window_job({**SLIDE, "windowSize": size, "slide": "1m"})).combiner(Shards.of(8))
        combiner.add(points_of(records))
        heights.append([block.height for block in combiner.finish().blocks.values()])
    assert heights == [[11]] * 4


def test_the_longest_window_with_the_shortest_slide_is_exact() -> None:
    job = window_job({**SLIDE, "windowSize": "1d", "slide": "1s", "aggregation": "max"}, latency="1h")
    records = [at(0, 3), at(5_000, 7), at(2_000, 9), at(90_000_000, 1)]
    run = Run(job)
    for record in records:
        run.feed([record])
    wanted = expected(records, *policies_of(job))
    assert (run.results, run.modes, run.late) == (wanted.results, wanted.modes, wanted.late)


def test_the_slide_and_the_kind_of_window_are_part_of_the_identity() -> None:
    jobs = [window_job(SLIDE), window_job({**SLIDE, "slide": "1m"}), window_job({**SLIDE, "slide": "10m"})]
    jobs.append(window_job({name: value for name, value in SLIDE.items() if name != "slide"}))
    assert len({template_of(job).identity for job in jobs}) == 4
