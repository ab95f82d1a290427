"""Days of energy that are closed because their meter is silent."""

import pytest

from unit.runtime.energy_bench import AVERAGE, BASE, DAY, HOUR, INSTANT, METER, MINUTE, Run, days, energy_job, rows


def test_a_silent_meter_has_its_day_closed_once() -> None:
    policy = {"detailedOutput": "M::Detail", "interval": "1h"}
    run = Run(METER, energy_job(METER, policy), idle_timeout="2h")
    day, detail = ("a", "M::Day0", BASE), ("a", "M::Detail", BASE + 2 * HOUR)
    run.feed(rows((1, 10), (2, 15)), now=BASE)
    assert run.deadline == BASE + 2 * HOUR
    assert run.feed(now=BASE + 2 * HOUR - 1) == []
    assert run.feed(now=BASE + 2 * HOUR) == [("final", day, 5), ("final", detail, 5)]
    assert run.deadline is None
    assert run.feed(now=BASE + 9 * HOUR) == [], "once"
    assert run.feed(rows((2.5, 17)), now=BASE + 10 * HOUR) == [], "the reference stays"
    assert run.deadline == BASE + 12 * HOUR
    assert run.feed(rows((26, 18)), now=BASE + 11 * HOUR) == [("final", day, 7), ("final", detail, 7)]


def test_what_was_closed_is_not_given_again_unless_it_changed() -> None:
    run = Run(METER, energy_job(METER, {}), idle_timeout="1h")
    run.feed(rows((1, 10), (2, 15)), now=BASE)
    assert len(run.feed(now=BASE + HOUR)) == 1
    assert run.feed(rows((26, 18)), now=BASE + 2 * HOUR) == []
    run.close()
    assert days(run) == {0: 5, 1: 3}


def test_silence_takes_what_waits() -> None:
    run = Run(INSTANT, energy_job(INSTANT, {}, latency="5h"), idle_timeout="1h")
    run.feed(rows((1, 4), (3, 6), (2, 5)), now=BASE)
    assert run.feed(now=BASE + HOUR) == [("final", ("a", "M::Day0", BASE), 11)]
    run.feed(rows((2.5, 7), (4, 1)), now=BASE + 2 * HOUR)
    run.close()
    assert (days(run), run.counts["late"]) == ({0: 12}, 1)


def test_a_record_that_is_dropped_does_not_have_a_closed_day_given_again() -> None:
    run = Run(METER, energy_job(METER, {}), idle_timeout="1h")
    run.feed(rows((1, 10), (2, 15)), now=BASE)
    assert len(run.feed(now=BASE + HOUR)) == 1
    run.feed(rows((1.5, 12)), now=BASE + 2 * HOUR)
    assert (run.counts["late"], run.deadline) == (1, None)
    assert run.feed(now=BASE + 3 * HOUR) == []
    assert run.feed(rows((26, 18)), now=BASE + 4 * HOUR) == []


def test_a_record_that_is_dropped_ends_a_silence_before_the_day_is_closed() -> None:
    run = Run(METER, energy_job(METER, {}), idle_timeout="1h")
    run.feed(rows((1, 10), (2, 15)), now=BASE)
    run.feed(rows((1.5, 12)), now=BASE + HOUR // 2)
    assert run.deadline == BASE + HOUR + HOUR // 2


def test_a_record_that_only_waits_does_not_have_a_closed_day_given_again() -> None:
    run = Run(METER, energy_job(METER, {}, latency="1h"), idle_timeout="1h")
    run.feed(rows((1, 10), (2, 15)), now=BASE)
    assert run.feed(now=BASE + HOUR) == [("final", ("a", "M::Day0", BASE), 5)]
    run.feed(rows((26, 18)), now=BASE + 2 * HOUR)
    run.restart()
    assert run.deadline == BASE + 3 * HOUR
    assert run.feed(rows((28, 19)), now=BASE + 2 * HOUR) == [], "the record of the next day is taken"
    assert run.feed(now=BASE + 3 * HOUR) == [("final", ("a", "M::Day0", BASE + DAY), 4)]


def test_silence_that_nobody_heard_begins_anew() -> None:
    run = Run(AVERAGE, energy_job(AVERAGE, {}, latency="10m"), idle_timeout="1h")
    run.feed(rows((0, 6), (1 / 6, 6)), now=BASE)
    run.restart()
    started = BASE + 3 * HOUR
    assert run.feed(now=started) == [], "the records of three hours may wait in the topic"
    assert run.deadline == started + HOUR
    run.feed(rows((1 / 12, 12)), now=started + 1000)
    assert run.counts["late"] == 0
    run.feed(now=started + 1000 + HOUR)
    assert days(run) == {0: pytest.approx(1.5)}


def test_a_tick_may_come_a_minute_late() -> None:
    for late_ms, count in ((MINUTE, 1), (MINUTE + 1, 0)):
        run = Run(METER, energy_job(METER, {}), idle_timeout="1h")
        run.feed(rows((1, 10), (2, 15)), now=BASE)
        assert len(run.feed(now=BASE + HOUR + late_ms)) == count


def test_series_are_silent_one_by_one() -> None:
    run = Run(INSTANT, energy_job(INSTANT, {}), idle_timeout="1h")
    run.feed(rows((1, 4), (2, 4)), rows((1, 2), (2, 2), asset="b"), now=BASE)
    run.feed(rows((3, 4)), now=BASE + HOUR // 2)
    assert run.feed(now=BASE + HOUR) == [("final", ("b", "M::Day0", BASE), 2)]
    assert run.deadline == BASE + HOUR + HOUR // 2


def test_a_job_that_begins_to_watch_counts_silence_from_then_on() -> None:
    job = energy_job(METER, {})
    before, after = Run(METER, job), Run(METER, job, idle_timeout="1h")
    before.feed(rows((1, 10), (2, 15)), now=BASE)
    assert before.deadline is None
    after.stores = before.stores
    assert after.feed(now=BASE + DAY) == []
    assert after.deadline == BASE + DAY + HOUR
    assert after.feed(now=BASE + DAY + HOUR) == [("final", ("a", "M::Day0", BASE), 5)]
    assert before.template.identity == after.template.identity
