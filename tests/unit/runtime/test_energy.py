"""The energy templates, rule by rule, in the words of their documentation."""

from collections.abc import Sequence
from typing import Any

import pytest

from oracles.windows import Number, Record
from unit.runtime.energy_bench import AVERAGE, BASE, DAY, HOUR, INSTANT, METER, MINUTE, AssetAttributes, Run, energy_job

POWERS = [(1, 4), (2, 6), (3, 50), (4, 8)]


def rows(*pairs: tuple[float, Number], asset: str = "a", point: str = "M::A") -> list[Record]:
    """Records of (hours after the first midnight, value)."""
    return [(asset, point, BASE + round(hours * HOUR), value) for hours, value in pairs]


def days(run: Run, output: str = "M::Day0") -> dict[int, Number | None]:
    """Values by number of the day."""
    return {(time - BASE) // DAY: value for (_, point, time), value in run.results.items() if point == output}


def details(run: Run, output: str = "M::Detail") -> dict[float, Number | None]:
    """Values by hours after the first midnight."""
    return {(time - BASE) / HOUR: value for (_, point, time), value in run.results.items() if point == output}


def closed(kind: str, pairs: Sequence[tuple[float, Number]], **policy: Any) -> Run:
    """A run over one meter's records, to its end."""
    run = Run(kind, energy_job(kind, policy))
    run.feed(rows(*pairs))
    run.close()
    return run


@pytest.mark.parametrize(
    ("pairs", "policy", "energy"),
    [
        pytest.param([(1, 10)], {}, 0, id="the first record is the reference"),
        pytest.param([(1, 10), (2, 15)], {}, 5, id="a difference"),
        pytest.param([(1, 10), (2, 15)], {"scale": 3}, 15, id="times the scale"),
        pytest.param([(1, 10), (2, 60)], {"slopeThreshold": "[0, 50]", "scale": 3}, 150, id="the slope is unscaled"),
        pytest.param([(1, 10), (2, 60.5)], {"slopeThreshold": "[0, 50]"}, 0, id="a jump is lost"),
        pytest.param([(1, 10), (2, 60)], {"slopeThreshold": "[0, 50)"}, 0, id="a bound may be excluded"),
        pytest.param([(1, 10), (2, 90), (3, 95)], {"slopeThreshold": "[0, 50]"}, 5, id="a jump moves the reference"),
        pytest.param([(1, 10), (2, 3), (3, 8)], {}, 5, id="a reset loses its interval alone"),
        pytest.param([(1, 10), (2, 10), (4, 40)], {"slopeThreshold": "[0, 10]"}, 30, id="flat: over the whole stretch"),
        pytest.param([(1, 10), (3.9, 10), (4, 40)], {"slopeThreshold": "[0, 10]"}, 30, id="flat till shortly before"),
        pytest.param([(1, 99), (2, 4)], {"rolloverModulus": 100}, 5, id="a rollover"),
        pytest.param([(1, 50), (2, 4)], {"rolloverModulus": 100, "slopeThreshold": "[0, 50]"}, 0, id="no rollover"),
        pytest.param([(1, 99), (2, 98), (3, 99)], {"rolloverModulus": 100}, 100, id="modulus: slope 99 is in range"),
    ],
)
def test_a_meters_day_is_the_sum_of_its_accepted_differences(
    pairs: Sequence[tuple[float, Number]], policy: dict[str, Any], energy: float
) -> None:
    assert days(closed(METER, pairs, **policy)) == {0: energy}


LINE = {"interpolation": "Linear", "maxGap": "4h"}


@pytest.mark.parametrize(
    ("kind", "pairs", "policy", "energy"),
    [
        pytest.param(INSTANT, [(1, 4), (2, 50), (5, 8)], LINE, 5 + 3 * 8, id="instant: each holds back"),
        pytest.param(AVERAGE, [(1, 4), (2, 50), (5, 8)], LINE, 4 * 6, id="average: one trapezoid"),
        pytest.param(INSTANT, [(1, 4), (2, 50), (3, -50), (5, 8)], LINE, 5 + 6 + 16, id="several passed over"),
        pytest.param(AVERAGE, [(1, 4), (3, 50), (5.1, 8)], LINE, 0, id="longer than the longest gap"),
        pytest.param(INSTANT, [(1, 4), (3, 50), (5.1, 8)], LINE, 0, id="instant: longer than the longest gap"),
        pytest.param(AVERAGE, [(1, 4), (3, 50), (5.1, 8), (6.1, 6)], LINE, 7, id="what ends it is the new reference"),
        pytest.param(INSTANT, [(1, 50), (2, 4), (3, 6)], LINE, 6, id="nothing before the first valid one"),
        pytest.param(AVERAGE, [(1, 4), (2, 6), (3, 50)], LINE, 5, id="nothing after the last valid one"),
        pytest.param(INSTANT, [(1, 4), (2, 6)], LINE | {"powerUnit": "kW", "energyUnit": "Wh"}, 6000, id="units"),
    ],
)
def test_a_straight_line_is_drawn_where_powers_are_invalid(
    kind: str, pairs: Sequence[tuple[float, Number]], policy: dict[str, Any], energy: float
) -> None:
    run = closed(kind, pairs, threshold="[0, 12]", **policy)
    assert days(run) == {0: energy}
    one_by_one = Run(kind, energy_job(kind, {"threshold": "[0, 12]", **policy}))
    for pair in pairs:
        one_by_one.feed(rows(pair))
    one_by_one.close()
    assert one_by_one.results == run.results


def test_the_energy_of_a_line_goes_where_it_ends_or_to_the_days_that_it_crosses() -> None:
    pairs = [(23, 4), (24, 50), (25, 8)]
    assert days(closed(AVERAGE, pairs, threshold="[0, 12]", **LINE)) == {0: 0, 1: 12}
    assert days(closed(AVERAGE, pairs, threshold="[0, 12]", midnight="Proportional", **LINE)) == {0: 6, 1: 6}


def test_policies_of_one_input_have_references_of_their_own_where_lines_are_drawn() -> None:
    job = energy_job(INSTANT, *(LINE | {"threshold": threshold} for threshold in ("[0, 12]", "[0, 5]", "[5, 100]")))
    run = Run(INSTANT, job)
    for pair in POWERS:
        run.feed(rows(pair))
    run.close()
    assert [days(run, f"M::Day{number}") for number in range(3)] == [{0: 21}, {0: 0}, {0: 58}]
    assert run.counts["outside"] == 1 + 3 + 1


@pytest.mark.parametrize(
    ("kind", "interpolation", "energy"),
    [
        (INSTANT, "Ignore", 14),
        (INSTANT, "LastValue", 20),
        (INSTANT, "Linear", 21),
        (AVERAGE, "Ignore", 5),
        (AVERAGE, "LastValue", 18),
        (AVERAGE, "Linear", 19),
    ],
)
def test_the_example_of_an_invalid_power(kind: str, interpolation: str, energy: float) -> None:
    run = closed(kind, POWERS, threshold="[0, 12]", interpolation=interpolation, maxGap="2h")
    assert (days(run), run.counts["outside"]) == ({0: energy}, 1)


@pytest.mark.parametrize(
    ("kind", "pairs", "policy", "energy"),
    [
        pytest.param(INSTANT, [(1, 4), (3, 6)], {}, 12, id="instant: it holds back"),
        pytest.param(AVERAGE, [(1, 4), (3, 6)], {}, 10, id="average: a trapezoid"),
        pytest.param(INSTANT, [(1, 50), (2, 50), (3, 6)], {"interpolation": "LastValue"}, 6, id="no last value yet"),
        pytest.param(AVERAGE, [(1, 50), (2, 4), (3, 6)], {"interpolation": "LastValue"}, 5, id="none at the begin"),
        pytest.param(AVERAGE, [(1, 4), (2, 50), (3, 50)], {"interpolation": "LastValue"}, 8, id="both ends invalid"),
        pytest.param(INSTANT, [(1, 4), (2, 6), (4, 6)], {"maxGap": "1h"}, 6, id="longer than the longest gap"),
        pytest.param(INSTANT, [(1, 4), (2, 6)], {"powerUnit": "W", "energyUnit": "kWh"}, 0.006, id="W to kWh"),
        pytest.param(AVERAGE, [(1, 4), (2, 6)], {"powerUnit": "kW", "energyUnit": "Wh"}, 5000, id="kW to Wh"),
        pytest.param(INSTANT, [(1, 4), (2, 6)], {"powerUnit": "W", "energyUnit": "Wh"}, 6, id="nothing to convert"),
    ],
)
def test_a_power_is_integrated(
    kind: str, pairs: Sequence[tuple[float, Number]], policy: dict[str, Any], energy: float
) -> None:
    assert days(closed(kind, pairs, threshold="[0, 12]", **policy)) == {0: energy}


@pytest.mark.parametrize(
    ("kind", "interpolation", "energy"),
    [
        (INSTANT, "Ignore", 14),
        (INSTANT, "LastValue", 20),
        (INSTANT, "Linear", 21),
        (AVERAGE, "Ignore", 5),
        (AVERAGE, "LastValue", 18),
        (AVERAGE, "Linear", 19),
    ],
)
def test_the_last_valid_power_is_known_in_later_micro_batches(kind: str, interpolation: str, energy: float) -> None:
    run = Run(kind, energy_job(kind, {"threshold": "[0, 12]", "interpolation": interpolation, "maxGap": "2h"}))
    for power in POWERS:
        run.feed(rows(power))
    run.close()
    assert days(run) == {0: energy}


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


def test_what_is_out_of_order_is_dropped_and_counted() -> None:
    run = Run(METER, energy_job(METER, {}))
    run.feed(rows((2, 10), (1, 5), (2, 11), (3, 12)))
    run.feed(rows((2.5, 99)))
    run.close()
    assert (days(run), run.counts["late"]) == ({0: 2}, 3)


def test_a_flat_record_does_not_make_an_earlier_one_late() -> None:
    run = Run(METER, energy_job(METER, {"slopeThreshold": "[0, 50]"}))
    run.feed(rows((10, 100), (10.5, 100)))
    run.feed(rows((10.25, 105), (11, 110), (10.75, 120)))
    run.close()
    assert (days(run), run.counts["late"]) == ({0: 10}, 1)


def test_a_power_out_of_order_is_late_even_where_the_last_one_was_the_same() -> None:
    run = Run(INSTANT, energy_job(INSTANT, {}))
    run.feed(rows((10, 4), (10.5, 4), (10.25, 6), (11, 8)))
    run.close()
    assert (days(run), run.counts["late"]) == ({0: 6}, 1)


def test_a_day_that_was_given_is_given_again_with_a_record_that_came_after_a_flat_one() -> None:
    run = Run(METER, energy_job(METER, {}))
    assert run.feed(rows((20, 10), (25, 10))) == [("final", ("a", "M::Day0", BASE), 0)]
    assert run.feed(rows((23, 12))) == [("final", ("a", "M::Day0", BASE), 2)]
    run.feed(rows((26, 13)))
    run.close()
    assert days(run) == {0: 2, 1: 1}


def test_a_calculated_input_keeps_the_first_of_a_repeated_time_once_the_reference_has_moved_on() -> None:
    run = Run(METER, energy_job(METER, {}), calculated=["M::A"])
    run.feed(rows((1, 10), (2, 15), (1, 12), (2, 17), (3, 20)))
    run.close()
    assert (days(run), run.counts["repeated"], run.counts["late"]) == ({0: 10}, 2, 0)


def test_a_calculated_input_replaces_what_waits_at_the_same_time() -> None:
    for calculated, energy, late in (([], 5, 2), (["M::A"], 7, 0)):
        run = Run(METER, energy_job(METER, {}, latency="2h"), calculated=calculated)
        run.feed(rows((1, 10), (2, 14)))
        run.feed(rows((2, 16), (2, 17), (3, 15), (5, 15)))
        run.close()
        assert (days(run), run.counts["late"]) == ({0: energy}, late)
        assert run.counts["repeated"] == 0


def test_a_latency_puts_records_in_order() -> None:
    run = Run(METER, energy_job(METER, {}, latency="1h"))
    run.feed(rows((1, 10), (1.5, 12), (1.25, 11)))
    run.feed(rows((24, 30)))
    assert days(run) == {}, "the record of the next day waits"
    run.feed(rows((25, 31)))
    assert days(run) == {0: 2}
    assert run.counts["late"] == 0


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


BOUND = {"slopeLimitAttribute": "M::Limit", "scaleAttribute": "M::Ratio"}


def test_slope_and_scale_are_the_assets() -> None:
    attributes = {("a", "M::Limit"): 5, ("a", "M::Ratio"): 10, ("b", "M::Limit"): 4.9, ("b", "M::Ratio"): 1}
    run = Run(METER, energy_job(METER, BOUND), attributes=attributes)
    run.feed(rows((1, 10), (2, 15)), rows((1, 10), (2, 15), asset="b"))
    run.close()
    assert run.results == {("a", "M::Day0", BASE): 50, ("b", "M::Day0", BASE): 0}
    assert run.counts["outside"] == 1
    assert run.counts["attributeMissing"] + run.counts["attributeInvalid"] == 0


def test_an_attribute_counts_as_it_is_when_the_interval_is_accepted() -> None:
    attributes = AssetAttributes({("a", "M::Limit"): 100, ("a", "M::Ratio"): 2})
    run = Run(METER, energy_job(METER, BOUND), attributes=attributes)
    run.feed(rows((1, 10), (2, 15)))
    attributes.values["a", "M::Ratio"] = 3
    run.feed(rows((3, 20)))
    attributes.values["a", "M::Limit"] = 4
    run.feed(rows((4, 25)))
    run.close()
    assert days(run) == {0: 25}


@pytest.mark.parametrize("value", [0, -1, True, "3", [3], 10**400], ids=repr)
def test_an_attribute_that_is_no_number_above_0_is_as_if_it_were_not_there(value: Any) -> None:
    for given, reason in ((None, "attributeMissing"), (value, "attributeInvalid")):
        attributes = dict.fromkeys([("a", "M::Limit"), ("a", "M::Ratio")], given)
        run = Run(METER, energy_job(METER, BOUND, {"dailyOutput": "M::Fixed"}, BOUND), attributes=attributes)
        run.feed(rows((1, 10), (2, 9999)))
        run.feed(rows((3, 9)))
        run.close()
        assert (days(run), days(run, "M::Fixed")) == ({0: 9989}, {0: 0})
        assert run.counts[reason] == 2 * 2, "a micro-batch and policy"
        assert sum(run.counts[name] for name in ("attributeMissing", "attributeInvalid")) == 4


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


def test_a_series_in_two_partitions_is_told() -> None:
    run = Run(METER, energy_job(METER, {}))
    run.feed(rows((1, 10)), rows((2, 15)))
    assert run.counts["severalPartitions"] == 1


def test_a_sum_that_overflows_is_null() -> None:
    run = closed(INSTANT, [(1, 1e308), (2, 1e308)])
    assert days(run) == {0: None}
