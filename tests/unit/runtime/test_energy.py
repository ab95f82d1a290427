"""What the energy templates have in common, rule by rule, in the words of their documentation."""

from typing import Any

import pytest

from unit.runtime.energy_bench import (
    AVERAGE,
    BASE,
    DAY,
    HOUR,
    INSTANT,
    METER,
    MINUTE,
    Run,
    closed,
    days,
    details,
    energy_job,
    rows,
)


def test_a_day_is_given_when_the_first_record_of_a_later_day_is_taken() -> None:
    run = Run(METER, energy_job(METER, {}))
    assert run.feed(rows((1, 10), (2, 15))) == []
    assert run.feed(rows((24, 15))) == [("final", ("a", "M::Day0", BASE), 5)], "even by a flat record at midnight"
    assert run.feed(rows((48.5, 9999))) == [("final", ("a", "M::Day0", BASE + DAY), 0)], "even by a rejected one"
    assert run.feed(rows((24 * 9, 9999))) == [("final", ("a", "M::Day0", BASE + 2 * DAY), 0)]
    assert sorted(days(run)) == [0, 1, 2], "days without a record have no result"


def test_an_interval_across_midnight_belongs_to_the_day_of_its_end() -> None:
    assert days(closed(METER, [(23, 10), (25, 16), (26, 17)])) == {0: 0, 1: 7}


def test_or_to_the_days_that_it_crosses_by_time() -> None:
    assert days(closed(METER, [(23, 10), (25, 16), (26, 17)], midnight="Proportional")) == {0: 3, 1: 4}
    assert days(closed(INSTANT, [(12, 1), (84, 2)], midnight="Proportional")) == {0: 24, 1: 48, 2: 48, 3: 24}


def test_a_day_that_was_given_is_given_again_with_its_share_of_a_flat_stretch() -> None:
    run = Run(METER, energy_job(METER, {"midnight": "Proportional"}))
    assert run.feed(rows((20, 10), (22, 16), (26, 16))) == [("final", ("a", "M::Day0", BASE), 6)]
    assert run.feed(rows((50, 44)))[0] == ("final", ("a", "M::Day0", BASE), 8)
    run.close()
    assert days(run) == {0: 8, 1: 24, 2: 2}


def test_details_are_counted_from_local_midnight_and_given_when_a_later_one_begins() -> None:
    policy = {"detailedOutput": "M::Detail", "interval": "30m"}
    run = Run(INSTANT, energy_job(INSTANT, policy, timezone="Asia/Kathmandu"))
    # Midnight is at 18:15 UTC: a detail begins at a quarter past and a quarter to.
    run.feed(rows((18.5, 2), (18.7, 2), (18.75, 2)))
    assert details(run) == {18.25: pytest.approx(0.4)}
    run.close()
    assert details(run) == {18.25: pytest.approx(0.4), 18.75: pytest.approx(0.1)}


def test_the_last_detail_of_a_day_ends_with_the_day() -> None:
    policy = {"detailedOutput": "M::Detail", "interval": "1h"}
    run = Run(INSTANT, energy_job(INSTANT, policy, timezone="Australia/Lord_Howe"))
    midnight = 1_712_408_400_000  # 2024-04-07, a day of 24.5 hours
    times = [midnight + number * 15 * MINUTE for number in range(4 * 26)]
    run.feed([("a", "M::A", time, 1) for time in times])
    run.close()
    by_hour = {
        (time - midnight) / HOUR: value for (_, point, time), value in run.results.items() if point == "M::Detail"
    }
    assert by_hour[24] == 0.5
    assert (by_hour[23], by_hour[24.5]) == (1, 1)
    assert run.results["a", "M::Day0", midnight] == 24.25


def test_the_running_total_leaves_when_it_changes() -> None:
    run = Run(METER, energy_job(METER, {"runningTotal": True}))
    assert run.feed(rows((1, 10))) == []
    assert run.feed(rows((2, 15), (3, 17))) == [("running", ("a", "M::Day0", BASE), 7)], "once a micro-batch"
    assert run.feed(rows((4, 17), (5, 1000))) == []
    both = [("final", ("a", "M::Day0", BASE), 7), ("running", ("a", "M::Day0", BASE + DAY), 1)]
    assert run.feed(rows((25, 1001))) == both


def test_assets_and_inputs_have_references_of_their_own() -> None:
    job = energy_job(METER, {}, {"input": "M::B", "scale": 2}, {"scale": 10, "slopeThreshold": "[0, 3]"})
    run = Run(METER, job)
    run.feed(
        [
            *rows((1, 10)),
            *rows((1, 1000), asset="b"),
            *rows((1, 500), point="M::B"),
            *rows((2, 15)),
            *rows((2, 1002), asset="b"),
            *rows((2, 501), point="M::B"),
        ]
    )
    run.close()
    assert run.results == {
        ("a", "M::Day0", BASE): 5,
        ("a", "M::Day1", BASE): 2,
        ("a", "M::Day2", BASE): 0,
        ("b", "M::Day0", BASE): 2,
        ("b", "M::Day2", BASE): 20,
    }
    assert run.counts["outside"] == 1


def test_the_days_are_the_jobs_else_the_ous() -> None:
    for job_zone, ou_zone in (({"timezone": "Asia/Kolkata"}, "UTC"), ({}, "Asia/Kolkata")):
        run = Run(INSTANT, energy_job(INSTANT, {}, **job_zone), ou_zone)
        run.feed(rows((18, 1), (19, 1)))
        assert list(run.results) == [("a", "M::Day0", BASE - round(5.5 * HOUR))]


def identity(kind: str = METER, ou_timezone: str = "UTC", latency: str = "0s", **policy: Any) -> str:
    return Run(kind, energy_job(kind, policy, latency=latency), ou_timezone).template.identity


def test_the_state_fits_a_job_that_calculates_the_same_and_no_other() -> None:
    assert identity(slopeThreshold="[0,100]") == identity(slopeThreshold="[0, 100.0]", scale=1)
    others = [
        identity(slopeThreshold="[0, 100)"),
        identity(scale=2),
        identity(rolloverModulus=1000),
        identity(latency="1m"),
        identity(midnight="Proportional"),
        identity(runningTotal=True),
        identity(detailedOutput="M::D", interval="1h"),
        identity(detailedOutput="M::D", interval="30m"),
        identity(dailyOutput="M::Other"),
        identity(input="M::B"),
        identity(ou_timezone="Europe/Berlin"),
        identity(INSTANT),
        identity(AVERAGE),
        identity(INSTANT, maxGap="1h"),
        identity(INSTANT, powerUnit="W", energyUnit="kWh"),
        identity(INSTANT, interpolation="LastValue"),
        identity(INSTANT, interpolation="Linear", maxGap="2h"),
        identity(slopeLimitAttribute="M::Limit"),
        identity(scaleAttribute="M::Ratio"),
    ]
    assert len({identity(), *others}) == 1 + len(others)
