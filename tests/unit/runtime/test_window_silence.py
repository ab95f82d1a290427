"""Closing the windows of silent assets: what each rule says, in a few rows."""

import pytest

from oracles.windows import Record
from unit.runtime.windows_bench import BASE, MINUTE, Run, template_of, window_job

T10 = 10 * MINUTE
NOW = BASE + 1_000 * T10
SUM = {"aggregation": "sum", "output": "M::X"}


def at(offset: int, value: int, asset: str = "a") -> Record:
    return (asset, "M::A", BASE + offset, value)


def emitted(run: Run) -> list[tuple[str, str, int, float | None]]:
    """Mode, asset, minutes after BASE and value of what the last micro-batch gave."""
    return [(mode, asset, (time - BASE) // MINUTE, value) for mode, (asset, _, time), value in run.emissions[-1]]


def silent(*policies: dict[str, str], latency: str = "0s", calculated: tuple[str, ...] = ()) -> Run:
    return Run(window_job(*(policies or (SUM,)), latency=latency), idle_timeout="1h", calculated=calculated)


@pytest.mark.parametrize("calculated", [(), ("M::A",)])
@pytest.mark.parametrize("slide", [{}, {"slide": "5m"}])
def test_open_windows_of_a_silent_asset_leave_as_final(slide: dict[str, str], calculated: tuple[str, ...]) -> None:
    run = silent({**SUM, **slide}, latency="1d", calculated=calculated)
    run.feed([at(6 * MINUTE, 3)], now=NOW)
    run.feed(now=NOW + 60 * MINUTE - 1)
    assert emitted(run) == []
    run.feed(now=NOW + 60 * MINUTE)
    assert emitted(run) == [("final", "a", start, 3.0) for start in ((0, 5) if slide else (0,))]
    assert [sorted(store.blocks) for store in run.stores.values()] == [[-1]]
    assert set(run.deadlines.values()) == {None}


def test_the_deadline_is_that_of_the_shards_first_silent_asset() -> None:
    run = Run(window_job(SUM), idle_timeout="1h")
    run.feed([at(0, 1)], now=NOW)
    (shard,) = run.stores
    assert run.deadlines == {shard: NOW + 60 * MINUTE}
    run.feed([at(1, 1)], now=NOW + MINUTE)
    assert run.deadlines == {shard: NOW + 61 * MINUTE}


def test_a_shard_without_open_windows_has_no_deadline() -> None:
    run = silent({**SUM, "threshold": "[0, 1]"})
    run.feed([at(0, 7)], now=NOW)
    assert set(run.deadlines.values()) == {None}


def test_a_record_of_any_kind_ends_the_silence() -> None:
    run = silent({**SUM, "threshold": "[0, 9]"})
    run.feed([at(0, 3)], now=NOW)
    run.feed([at(1, 99)], now=NOW + 59 * MINUTE)
    run.feed(now=NOW + 118 * MINUTE)
    assert emitted(run) == []
    run.feed(now=NOW + 119 * MINUTE)
    assert emitted(run) == [("final", "a", 0, 3.0)]


def test_records_of_the_micro_batch_in_which_the_timeout_is_over_count() -> None:
    run = silent()
    run.feed([at(0, 3)], now=NOW)
    run.feed([at(1, 4)], now=NOW + 60 * MINUTE)
    assert emitted(run) == []


def test_records_for_closed_windows_are_late_and_later_windows_go_on() -> None:
    run = silent(SUM, {**SUM, "windowSize": "1d", "output": "M::Y"}, latency="1d")
    run.feed([at(T10, 3)], now=NOW)
    run.feed(now=NOW + 60 * MINUTE)
    run.feed([at(T10 + 1, 4), at(1, 5), at(2 * T10, 6)], now=NOW + 61 * MINUTE)
    # By ten minutes two are late; by the day all three.
    assert (run.late, emitted(run)) == (5, [])
    run.feed([at(3 * T10, 0)], now=NOW + 62 * MINUTE)
    assert emitted(run) == [("onTime", "a", 20, 6.0)]


def test_a_tick_long_after_its_time_begins_the_silence_anew() -> None:
    run = silent()
    run.feed([at(0, 3)], now=NOW)
    run.feed(now=NOW + 61 * MINUTE + 1)
    assert emitted(run) == []
    assert set(run.deadlines.values()) == {NOW + 121 * MINUTE + 1}
    run.feed(now=NOW + 122 * MINUTE)
    assert emitted(run) == [("final", "a", 0, 3.0)]


def test_assets_are_silent_each_for_itself() -> None:
    run = silent()
    run.feed([at(0, 3), at(0, 5, "b")], now=NOW)
    run.feed([at(1, 1, "b")], now=NOW + 30 * MINUTE)
    run.feed(now=NOW + 60 * MINUTE)
    assert emitted(run) == [("final", "a", 0, 3.0)]


def test_state_from_before_there_was_a_timeout_is_closed_a_timeout_after_the_first_fold() -> None:
    run = Run(window_job(SUM, latency="1d"))
    run.feed([at(0, 3)], [at(0, 4, "b")], now=NOW)
    run.idle_timeout = "1h"
    run.restart([])
    run.deadlines = dict.fromkeys(run.stores, 0)
    run.feed(now=NOW + 500 * MINUTE)
    assert emitted(run) == []
    run.feed(now=NOW + 560 * MINUTE)
    assert sorted(emitted(run)) == [("final", "a", 0, 3.0), ("final", "b", 0, 4.0)]


def test_windows_that_were_closed_stay_closed_without_a_timeout() -> None:
    run = silent()
    run.feed([at(0, 3)], now=NOW)
    run.feed(now=NOW + 60 * MINUTE)
    run.idle_timeout = None
    run.restart([])
    run.feed([at(1, 4)], now=NOW + 61 * MINUTE)
    run.close()
    assert (run.late, emitted(run)) == (1, [])


def test_only_a_job_with_a_timeout_uses_the_clock() -> None:
    assert not template_of(window_job(SUM)).uses_clock
    assert template_of(window_job(SUM), idle_timeout="1h").uses_clock
