"""Energy by power: by average power what scipy's trapezoids give, by instant power what numpy's sums give."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.integrate import cumulative_trapezoid, trapezoid

from real_data.agreement import assert_agree
from real_data.data_sets import household, meter, photovoltaic
from real_data.runs import AVERAGE, INSTANT, Outcome, messages, records, run
from real_data.times import bounds, day_starts, detail_starts, epoch_ms, hours_between, sums_by

WITH_GAPS = ("uk-electricity-hdd-only-hourly-sample-1", "uk-electricity-hdd-only-hourly-sample-2")
PARIS, DENVER = "Europe/Paris", "America/Denver"


def run_power(block: str, powers: "pd.Series[float]", zone: str = "UTC", batches: int = 7, **policy: Any) -> Outcome:
    policies = [{"input": "M::A", "dailyOutput": "M::Day", **policy}]
    return run(block, {"timezone": zone, "policies": policies}, messages(records(powers)), batches)


def trapezoids(powers: "pd.Series[float]") -> "pd.Series[float]":
    """The energy of the interval that each record ends, by scipy; the first one ends none."""
    return pd.Series(np.diff(integral(powers), prepend=0.0), powers.index)


def integral(powers: "pd.Series[float]") -> NDArray[np.float64]:
    """The energy up to each record."""
    energies: NDArray[np.float64] = cumulative_trapezoid(powers, epoch_ms(powers.index) / 3_600_000, initial=0)
    return energies


def rectangles(powers: "pd.Series[float]") -> "pd.Series[float]":
    """The energy of the interval that each record ends, its power taken for all of it; the first one ends none."""
    return pd.Series([0.0, *powers.to_numpy()[1:] * hours_between(powers.index)], powers.index)


Energies = Callable[["pd.Series[float]"], "pd.Series[float]"]
ENERGIES = pytest.mark.parametrize(("block", "energies"), [(AVERAGE, trapezoids), (INSTANT, rectangles)])


@ENERGIES
@pytest.mark.parametrize("zone", ["UTC", PARIS, "Asia/Kolkata"])
def test_days_and_details_are_sums_of_the_energies(block: str, energies: Energies, zone: str) -> None:
    """Three months of minutes; in Paris clocks change on 25 March 2007."""
    powers = household("2007-01-01", "2007-04-01")["Power"]
    outcome = run_power(block, powers, zone, detailedOutput="M::Detail", interval="30m")
    wanted = energies(powers)
    assert_agree(outcome.series("Day"), sums_by(day_starts(powers.index, zone), wanted), absolute=1e-8)
    details = sums_by(detail_starts(powers.index, zone, "30m"), wanted)
    assert len(details) > 90 * 48 - 3
    assert_agree(outcome.series("Detail"), details, absolute=1e-8)


def test_a_day_of_average_power_is_one_integral_by_scipy() -> None:
    """From the last record before its midnight to the last one before the next."""
    powers = household("2007-03-01", "2007-04-01")["Power"]
    hours, starts = epoch_ms(powers.index) / 3_600_000, day_starts(powers.index, PARIS)
    integrals = [
        trapezoid(powers[max(first - 1, 0) : last], hours[max(first - 1, 0) : last])
        for first, last in ((starts.searchsorted(day), starts.searchsorted(day, "right")) for day in starts.unique())
    ]
    outcome = run_power(AVERAGE, powers, PARIS)
    assert_agree(outcome.series("Day"), pd.Series(integrals, starts.unique()), absolute=1e-8)
    assert outcome.series("Day").sum() == pytest.approx(trapezoid(powers, hours))


@ENERGIES
@pytest.mark.parametrize("name", WITH_GAPS)
def test_gaps_are_integrated_or_left_out(block: str, energies: Energies, name: str) -> None:
    """Half-hours with times that come twice and gaps of up to 29 days."""
    powers, once = 2 * meter(name), 2 * meter(name)[~meter(name).index.duplicated()]
    wanted, days = energies(once), day_starts(once.index, "Europe/London")
    integrated = run_power(block, powers, "Europe/London")
    assert integrated.counted["late"] == len(powers) - len(once) > 10
    assert_agree(integrated.series("Day"), sums_by(days, wanted), absolute=1e-8)
    is_gap = np.append(False, hours_between(once.index) > 0.5)
    left_out = run_power(block, powers, "Europe/London", maxGap="30m")
    assert_agree(left_out.series("Day"), sums_by(days, wanted.mask(is_gap, 0.0)), absolute=1e-8)
    assert is_gap.sum() > 4


@ENERGIES
def test_proportional_days_are_the_integral_between_its_records(block: str, energies: Energies) -> None:
    """What numpy interpolates at each midnight; 29 days of silence share the energy of their interval."""
    powers = 2 * meter(WITH_GAPS[1])[~meter(WITH_GAPS[1]).index.duplicated()]
    midnights = bounds(powers.index, "Asia/Kathmandu")
    up_to = np.interp(epoch_ms(midnights), epoch_ms(powers.index), energies(powers).cumsum())
    outcome = run_power(block, powers, "Asia/Kathmandu", midnight="Proportional")
    assert_agree(outcome.series("Day"), pd.Series(np.diff(up_to), midnights[:-1]), absolute=1e-8)


@pytest.fixture(scope="module")
def inverter() -> "pd.Series[float]":
    """An inverter's quarter-hours, in W: negative at night, 18 of them above 5 kW."""
    powers: pd.Series[float] = photovoltaic("serf_east_15min_ac_power", "measured_on")["ac_power"]
    return powers


def test_powers_outside_the_threshold_are_left_out_or_held(inverter: "pd.Series[float]") -> None:
    is_valid = inverter.between(0, 5000)
    both_valid = is_valid & is_valid.shift(fill_value=False)
    held = inverter.where(is_valid).ffill()
    expected = {
        (AVERAGE, "Ignore"): trapezoids(inverter).where(both_valid, 0.0),
        (AVERAGE, "LastValue"): trapezoids(held.dropna()),
        (INSTANT, "Ignore"): rectangles(inverter).where(is_valid, 0.0),
        (INSTANT, "LastValue"): rectangles(held).fillna(0.0),
    }
    for (block, interpolation), energies in expected.items():
        assert_days_of_the_inverter(inverter, block, energies, interpolation=interpolation)


@pytest.mark.parametrize("gap_hours", [2, 14], ids=["nights stay out", "nights are bridged"])
def test_powers_outside_the_threshold_are_taken_from_straight_lines(
    gap_hours: int, inverter: "pd.Series[float]"
) -> None:
    """By average power the trapezoid from one valid power to the next, by instant power numpy's interpolation."""
    is_valid = inverter.between(0, 5000)
    valid = inverter[is_valid]
    is_gap = pd.Series([False, *(hours_between(valid.index) > gap_hours)], valid.index)
    assert is_gap.any() == (gap_hours == 2)
    lines = np.interp(epoch_ms(inverter.index), epoch_ms(valid.index), valid)
    ends = pd.Series(inverter.index, inverter.index).where(is_valid).bfill()
    bridged = rectangles(pd.Series(lines, inverter.index)).where(inverter.index > valid.index[0], 0.0)
    expected = {AVERAGE: trapezoids(valid), INSTANT: bridged.groupby(ends).sum()}
    for block, energies in expected.items():
        policy = {"interpolation": "Linear", "maxGap": f"{gap_hours}h"}
        assert_days_of_the_inverter(inverter, block, energies.mask(is_gap, 0.0), **policy)


def assert_days_of_the_inverter(
    powers: "pd.Series[float]", block: str, energies: "pd.Series[float]", **policy: Any
) -> None:
    """The days in Denver; a day with records but without energy has 0."""
    units: dict[str, Any] = {"powerUnit": "W", "energyUnit": "kWh"}
    outcome = run_power(block, powers, DENVER, threshold="[0, 5000]", **units, **policy)
    assert outcome.counted["outside"] == (~powers.between(0, 5000)).sum() == 4785
    by_day = sums_by(day_starts(powers.index, DENVER), energies.reindex(powers.index, fill_value=0.0))
    assert_agree(outcome.series("Day"), by_day / 1000, absolute=1e-8)


@pytest.mark.parametrize(("block", "energy"), [(AVERAGE, 860.4583), (INSTANT, 1170.9167)])
def test_the_documents_sample(block: str, energy: float) -> None:
    """Golden values of other services' documentation for one short series, by trapezoids and by right-hand sums."""
    times = pd.DatetimeIndex([f"2024-01-01T{clock}Z" for clock in ("00:00", "00:30", "03:00", "03:10", "03:25")])
    outcome = run_power(block, pd.Series([0.0, 100, 300, 1000, 817], times), batches=2)
    assert outcome.series("Day").to_list() == [pytest.approx(energy, abs=1e-4)]
