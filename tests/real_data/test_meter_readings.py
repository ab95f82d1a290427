"""Energy by meter reading: days are the sums that pandas gives for local days, and the days that a package ships.

A meter's register is cumulated from the energy of its intervals. Its reading is stamped one millisecond before its
interval ends, so that the reading of midnight belongs to the day that ends.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from real_data.agreement import assert_agree
from real_data.data_sets import HOURLY_METERS, ILLINOIS, daily_file, household, meter
from real_data.runs import METER, Outcome, messages, records, run
from real_data.times import ZONES, bounds, day_starts, detail_starts, epoch_ms, hours_between, sums_by

WITH_GAPS = "uk-electricity-hdd-only-hourly-sample-2"
HOUR, HALF_HOUR = pd.Timedelta("1h"), pd.Timedelta("30min")
_BEFORE_THE_END = pd.Timedelta("1ms")


def register(energies: "pd.Series[float]", length: pd.Timedelta) -> "pd.Series[float]":
    """A meter that begins with 0 where its first interval begins; an interval that came twice counts once."""
    once = energies[~energies.index.duplicated()]
    times = pd.DatetimeIndex(once.index)
    begin = pd.Series(0.0, times[:1])
    return pd.concat([begin, once.cumsum().set_axis(times + length - _BEFORE_THE_END)])


def steps(readings: "pd.Series[float]") -> "pd.Series[float]":
    """What each reading adds; the first one nothing."""
    return readings.diff().fillna(0.0)


def slopes(readings: "pd.Series[float]") -> "pd.Series[float]":
    """What each reading adds by the hours since the one before; the first one nothing."""
    return pd.Series([0.0, *np.diff(readings.to_numpy()) / hours_between(readings.index)], readings.index)


def run_meter(readings: "pd.Series[float]", zone: str = "UTC", **policy: Any) -> Outcome:
    return run_meters({"a": readings}, zone, **policy)


def run_meters(readings: Mapping[str, "pd.Series[float]"], zone: str, **policy: Any) -> Outcome:
    policies = [{"input": "M::A", "slopeThreshold": "[0, 1000]", "dailyOutput": "M::Day", **policy}]
    arriving = pl.concat([records(values, asset=asset) for asset, values in readings.items()])
    lines = messages(arriving.sort("time", maintain_order=True))
    return run(METER, {"timezone": zone, "policies": policies}, lines)


@pytest.fixture(scope="module")
def four_meters() -> dict[str, "pd.Series[float]"]:
    """Registers in Illinois, each hour from November 2015 to February 2018: clocks change four times."""
    return {name: register(meter(f"{name}-hourly"), HOUR) for name in HOURLY_METERS}


@pytest.fixture(scope="module")
def register_with_gaps() -> "pd.Series[float]":
    """Each half-hour, with gaps of up to 29 days."""
    return register(meter(WITH_GAPS), HALF_HOUR)


@pytest.mark.parametrize("zone", ZONES)
def test_days_and_their_details_are_pandas_sums(zone: str, four_meters: dict[str, "pd.Series[float]"]) -> None:
    outcome = run_meters(four_meters, zone, detailedOutput="M::Detail", interval="1h")
    for name, readings in four_meters.items():
        days = sums_by(day_starts(readings.index, zone), steps(readings))
        assert_agree(outcome.series("Day", name), days, absolute=1e-8)
        hours = sums_by(detail_starts(readings.index, zone, "1h"), steps(readings))
        assert_agree(outcome.series("Detail", name), hours, absolute=1e-8)


@pytest.mark.parametrize("name", HOURLY_METERS)
def test_days_are_those_of_the_file_that_the_package_ships(
    name: str, four_meters: dict[str, "pd.Series[float]"]
) -> None:
    """Both files are rounded to hundredths, so that a day may differ by half of one for each hour and for itself."""
    outcome = run_meter(four_meters[name], ILLINOIS)
    shipped, days = daily_file(name), outcome.series("Day")[:-1]  # of the last day the hours have only the first
    assert list(days.index) == list(shipped.index)
    hours = hours_between(outcome.series("Day").index)
    assert np.unique(hours, return_counts=True)[1].tolist() == [2, 805, 2]  # 23, 24 and 25 hours
    difference = days.to_numpy() - shipped.to_numpy()
    assert (abs(difference) <= 0.005 * (hours + 1) + 1e-9).all()
    assert abs(difference).mean() < 0.02
    assert abs(difference.mean()) < 0.0025


def test_the_file_of_days_tells_one_time_zone_from_the_next(four_meters: dict[str, "pd.Series[float]"]) -> None:
    """What the test above would say if days began an hour early."""
    name = HOURLY_METERS[0]
    days = run_meter(four_meters[name], "America/New_York").series("Day").to_numpy()
    difference = abs(days[: len(daily_file(name))] - daily_file(name).to_numpy())
    assert (difference > 0.13).mean() > 0.8


def test_days_with_gaps_and_repeated_records_are_pandas_sums(register_with_gaps: "pd.Series[float]") -> None:
    starts = pd.DatetimeIndex(meter(WITH_GAPS).index)
    twice = register_with_gaps.loc[starts[starts.duplicated()] + HALF_HOUR - _BEFORE_THE_END]
    outcome = run_meter(pd.concat([register_with_gaps, twice]), "Europe/London")
    assert outcome.counted["late"] == len(twice) == 24
    days = sums_by(day_starts(register_with_gaps.index, "Europe/London"), steps(register_with_gaps))
    assert_agree(outcome.series("Day"), days, absolute=1e-8)


def test_proportional_days_are_the_register_read_between_its_records(register_with_gaps: "pd.Series[float]") -> None:
    """What numpy interpolates at each midnight; 29 days of silence share what the next reading adds."""
    midnights = bounds(register_with_gaps.index, "Europe/London")
    at_midnight = np.interp(epoch_ms(midnights), epoch_ms(register_with_gaps.index), register_with_gaps.to_numpy())
    outcome = run_meter(register_with_gaps, "Europe/London", midnight="Proportional")
    assert_agree(outcome.series("Day"), pd.Series(np.diff(at_midnight), midnights[:-1]), absolute=1e-8)


def test_slopes_beyond_the_threshold_are_those_that_pandas_finds(register_with_gaps: "pd.Series[float]") -> None:
    is_beyond = slopes(register_with_gaps) > 4.001
    outcome = run_meter(register_with_gaps, slopeThreshold="[0, 4.001]", scale=3)
    assert outcome.counted["outside"] == is_beyond.sum() > 100
    accepted = 3 * steps(register_with_gaps).mask(is_beyond, 0.0)
    assert_agree(outcome.series("Day"), sums_by(day_starts(register_with_gaps.index, "UTC"), accepted), absolute=1e-8)


def test_a_meter_of_three_digits_loses_nothing_with_its_modulus_and_one_interval_without(
    four_meters: dict[str, "pd.Series[float]"],
) -> None:
    readings = four_meters["il-electricity-cdd-hdd"]
    begins_again = (readings // 1000).diff() > 0
    assert begins_again.sum() > 20
    days = day_starts(readings.index, ILLINOIS)
    whole = run_meter(readings % 1000, ILLINOIS, rolloverModulus=1000)
    assert_agree(whole.series("Day"), sums_by(days, steps(readings)), absolute=1e-8)
    lossy = run_meter(readings % 1000, ILLINOIS)
    assert lossy.counted["outside"] == begins_again.sum()
    assert_agree(lossy.series("Day"), sums_by(days, steps(readings).mask(begins_again, 0.0)), absolute=1e-8)


def test_the_households_first_day_of_2007() -> None:
    """45.816733 kWh: the sum of 1,440 minute means by 60."""
    minutes = household("2007-01-01", "2007-01-03")["Power"] / 60
    outcome = run_meter(register(minutes, pd.Timedelta("1min")))
    assert outcome.series("Day")[pd.Timestamp("2007-01-01T00:00Z")] == pytest.approx(45.816733, abs=1e-6)
