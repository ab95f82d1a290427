"""The parts of a start, and the percentiles of several."""

import pytest

from benchmarks.start.milestones import PARTS, Start, split, spread, totals


def start(slower: float = 0.0) -> Start:
    at = {"pod": 0.2, "scheduled": 0.5, "container": 1.5, "answers": 4.0, "spark": 9.0, "query": 10.0}
    return Start({**at, "batch": 14.0 + slower, "running": 11.0})


def test_parts_add_up_to_the_first_micro_batch() -> None:
    parts = start().parts()
    assert list(parts) == list(PARTS.values())
    assert sum(parts.values()) == pytest.approx(14.0)
    assert parts["JVM and session"] == pytest.approx(5.0)


def test_only_the_part_that_was_slower_differs() -> None:
    found = split([start(), start(), start(2.0)])
    assert (found["query"].p50, found["query"].p99) == (1.0, 1.0)
    assert found["first micro-batch"].p50 == 4.0
    assert found["first micro-batch"].p99 > 5.9


def test_running_is_counted_from_the_application() -> None:
    assert totals([start()])["running"].p50 == 11.0


def test_one_start_is_its_own_percentiles() -> None:
    assert spread([3.0]) == spread([3.0, 3.0])
