"""A preview's clock: ticks come in time, and grouping messages changes nothing."""

from dataclasses import dataclass, field

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamjob_cli import event_clock
from streamjob_cli.event_clock import EventClock, TooManyTicks
from streamjob_runtime.templates import Folded
from streamjob_runtime.templates.protocols import RESULTS

SCHEMA = {"message": pl.UInt32, "time": pl.Int64}


@dataclass
class Every:
    """Ticks at each multiple of a period once something came, and ``after`` ms after the last arrival."""

    period: int
    after: int | None = None
    seen: list[int] = field(default_factory=list)
    told: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    arrived: int | None = None

    def __call__(self, points: pl.DataFrame | None, now_ms: int) -> Folded:
        if points is None:
            self.told.append((now_ms, tuple(sorted(self.seen))))
            if self.arrived is not None and self.after is not None and now_ms >= self.arrived + self.after:
                self.arrived = None
        else:
            self.seen += points["time"].to_list()
            self.arrived = now_ms
        deadlines = [(now_ms // self.period + 1) * self.period]
        if self.arrived is not None and self.after is not None:
            deadlines.append(self.arrived + self.after)
        return Folded(RESULTS.to_frame(), {}, deadline=min(deadlines), is_steady=self.after is None)


def points_of(messages: list[list[int]], first: int = 0) -> pl.DataFrame:
    rows = [(first + index, time_ms) for index, times in enumerate(messages) for time_ms in times]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def ticks(template: Every, messages: list[list[int]], batch: int, until: int) -> list[tuple[int, tuple[int, ...]]]:
    clock = EventClock(template)
    for begin in range(0, len(messages), batch):
        list(clock.take(points_of(messages[begin : begin + batch])))
    list(clock.tick_until(until))
    return template.told


@pytest.mark.parametrize("batch", [1, 2, 9])
def test_a_deadline_that_a_message_reaches_ticks_before_it(batch: int) -> None:
    told = ticks(Every(10), [[3], [8], [10], [5], [31, 12]], batch, until=40)
    assert told == [(10, (3, 8)), (20, (3, 5, 8, 10)), (30, (3, 5, 8, 10)), (40, (3, 5, 8, 10, 12, 31))]


def test_nothing_ticks_before_the_first_message_or_beyond_the_end() -> None:
    assert ticks(Every(10), [], 1, until=100) == []
    assert ticks(Every(10), [[95], []], 1, until=99) == []


def test_a_gap_of_more_ticks_than_are_made_names_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_clock, "MOST_TICKS", 3)
    assert [tick for tick, _ in ticks(Every(10), [[3], [39], [69]], 3, until=99)] == [
        10,
        20,
        30,
        40,
        50,
        60,
        70,
        80,
        90,
    ]
    clock = EventClock(Every(10))
    made: list[Folded] = []
    with pytest.raises(TooManyTicks) as error:
        made.extend(clock.take(points_of([[3], [], [4, 40], [50]], first=7)))
    assert (error.value.begin_ms, error.value.end_ms, error.value.message) == (3, 40, 9)
    clock = EventClock(Every(10))
    made += clock.take(points_of([[3]]))
    with pytest.raises(TooManyTicks) as error:
        made.extend(clock.tick_until(10**15))
    assert error.value.message is None


@given(
    messages=st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=3), max_size=12),
    period=st.integers(1, 20),
    after=st.none() | st.integers(1, 30),
    batch=st.integers(1, 12),
)
def test_ticks_are_those_of_messages_one_by_one(
    messages: list[list[int]], period: int, after: int | None, batch: int
) -> None:
    assert ticks(Every(period, after), messages, batch, 70) == ticks(Every(period, after), messages, 1, 70)


def test_messages_up_to_the_deadline_are_folded_at_once_where_the_clock_makes_no_difference() -> None:
    folds = []

    def counting(points: pl.DataFrame | None, now_ms: int) -> Folded:
        folds.append((0 if points is None else points.height, now_ms))
        return Folded(RESULTS.to_frame(), {}, deadline=(now_ms // 1000 + 1) * 1000, is_steady=True)

    list(EventClock(counting).take(points_of([[time_ms] for time_ms in range(3000)])))
    assert folds == [(1, 0), (999, 999), (0, 1000), (1000, 1999), (0, 2000), (1000, 2999)]
