"""Merged points are what pandas calculates: with columns where values come together, with ``merge_asof`` where not."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from real_data.agreement import assert_agree
from real_data.data_sets import household, meter, photovoltaic, temperature
from real_data.runs import MERGING, Outcome, messages, payloads, records, run

HALF_HOURLY, ITS_TEMPERATURE = "uk-electricity-hdd-only-hourly-sample-1", "uk-tempC-sample-1_2"


def job(trigger: str, latency: str = "0s", **logic: str) -> dict[str, Any]:
    """A job with an output for each expression."""
    policies = [
        {"triggerPoint": f"M::{trigger}", "logic": text, "output": f"M::{name}"} for name, text in logic.items()
    ]
    return {"trigger": {"mode": "Point"}, "latency": latency, "policies": policies}


@pytest.mark.parametrize(
    ("order", "latency"),
    [(["Sub1", "Sub2", "Sub3", "Power"], "0s"), (["Power", "Sub1", "Sub2", "Sub3"], "1m")],
    ids=["the trigger comes last", "the trigger comes first and waits"],
)
def test_what_no_submeter_counts_is_pandas_difference(order: list[str], latency: str) -> None:
    """The household's own formula, in Wh a minute; the meters' rounding makes it negative now and then."""
    minutes = household("2007-04-01", "2007-06-01")[order]
    other = minutes["Power"] * 1000 / 60 - minutes["Sub1"] - minutes["Sub2"] - minutes["Sub3"]
    assert (other < 0).sum() == 5
    text = "${M::Power} * 1000 / 60 - ${M::Sub1} - ${M::Sub2} - ${M::Sub3}"
    expressions = {
        "Other": text,
        "Clipped": f"max({text}, 0)",
        "Largest": "max(${M::Sub1}, ${M::Sub2}, ${M::Sub3})",
        "Heating": "if (${M::Sub3} >= 17 && ${M::Sub1} == 0) { ${M::Sub3} } else { 0 - ${M::Sub1} }",
    }
    outcome = run(MERGING, job("Power", latency, **expressions), payloads(minutes))
    assert outcome.counted["missing"] == outcome.counted["late"] == 0
    assert_agree(outcome.series("Other"), other, absolute=1e-12)
    assert_agree(outcome.series("Clipped"), other.clip(lower=0), absolute=1e-12)
    assert_agree(outcome.series("Largest"), minutes[["Sub1", "Sub2", "Sub3"]].max(axis=1))
    is_heating = (minutes["Sub3"] >= 17) & (minutes["Sub1"] == 0)
    assert_agree(outcome.series("Heating"), minutes["Sub3"].where(is_heating, -minutes["Sub1"]))


def test_direct_current_power_is_current_by_voltage_and_what_the_inverter_measured() -> None:
    """Two strings. The columns were read one after the other: while the sun comes and goes they differ."""
    columns = {
        "dc_neg_current__777": "NegCurrent",
        "dc_neg_voltage__776": "NegVoltage",
        "dc_pos_current__775": "PosCurrent",
        "dc_pos_voltage__774": "PosVoltage",
    }
    table = photovoltaic("serf_west_15min", "Unnamed: 0")
    points = table[list(columns)].rename(columns=columns)
    text = "${M::NegCurrent} * ${M::NegVoltage} + ${M::PosCurrent} * ${M::PosVoltage}"
    power = run(MERGING, job("PosVoltage", DcPower=text), payloads(points)).series("DcPower")
    by_pandas = points["NegCurrent"] * points["NegVoltage"] + points["PosCurrent"] * points["PosVoltage"]
    assert_agree(power, by_pandas, absolute=1e-12)
    difference = abs(power.to_numpy() - table["dc_power__772"].to_numpy())  # of up to 6,040 W
    assert difference.max() < 40
    assert np.quantile(difference, 0.95) < 1.5


def degrees() -> "pd.Series[float]":
    """The temperature of every full hour for which the meter has a record."""
    hourly = temperature(ITS_TEMPERATURE)
    return hourly[hourly.index.isin(meter(HALF_HOURLY).index)]


def energies() -> "pd.Series[float]":
    """The energy of every half-hour, once."""
    return meter(HALF_HOURLY)[~meter(HALF_HOURLY).index.duplicated()]


def asof(tolerance: pd.Timedelta | None) -> "pd.Series[float]":
    """Each energy times the last temperature, by ``merge_asof``; without those that have none."""
    left, right = energies().rename("energy").to_frame(), degrees().rename("degrees").to_frame()
    merged = pd.merge_asof(left, right, left_index=True, right_index=True, tolerance=tolerance)
    return (merged["energy"] * merged["degrees"]).dropna()


def run_asof(*, max_age: str | None, delay_seconds: int) -> Outcome:
    """Energies trigger, temperatures are their last values; what has one time is late by one delay, in no order."""
    frame = pl.concat([records(meter(HALF_HOURLY), "Energy"), records(degrees(), "Degrees")])
    times = frame["time"].unique()
    delays = np.random.default_rng(3).integers(0, delay_seconds * 1000 or 1, len(times))
    arrival = pl.DataFrame({"time": times, "arrival": times + pl.Series(delays)})
    arriving = frame.join(arrival, on="time").sort("arrival", maintain_order=True).drop("arrival")
    merging = job("Energy", f"{delay_seconds + 60}s", Product="${M::Energy} * ${M::Degrees}")
    merging["policies"][0] |= {"maxAge": max_age} if max_age else {}
    return run(MERGING, merging, messages(arriving))


@pytest.mark.parametrize("delay_seconds", [0, 7200], ids=["in order", "up to two hours late"])
def test_last_values_are_those_of_merge_asof(delay_seconds: int) -> None:
    """Half-hours against full hours: every second energy meets a temperature that is half an hour old."""
    for max_age, tolerance, missing in ((None, None, 1), ("29m", pd.Timedelta("29min"), 11_261)):
        wanted = asof(tolerance)
        outcome = run_asof(max_age=max_age, delay_seconds=delay_seconds)
        assert_agree(outcome.series("Product"), wanted, absolute=1e-12)
        assert outcome.counted["missing"] == len(energies()) - len(wanted) == missing


@pytest.mark.parametrize(("max_age", "tolerance"), [(None, None), ("65m", pd.Timedelta("65min"))])
def test_ticks_see_the_values_of_merge_asof(max_age: str | None, tolerance: pd.Timedelta | None) -> None:
    """Every ten minutes of three days, one of them silent; a tick comes before the records of its time."""
    days = slice("2012-11-07", "2012-11-09")
    values = {"Energy": energies()[days], "Degrees": degrees()[days]}
    policy = {"logic": "${M::Energy} * ${M::Degrees}", "output": "M::Product", "maxAge": max_age}
    merging = {"trigger": {"mode": "Frequency", "every": "10m"}, "policies": [policy]}
    arriving = pl.concat([records(series, point) for point, series in values.items()])
    outcome = run(MERGING, merging, messages(arriving.sort("time", maintain_order=True)))
    ticks = pd.DataFrame({"time": pd.date_range("2012-11-07T00Z", values["Energy"].index[-1], freq="10min")})
    for point, series in values.items():
        right = series.rename(point).rename_axis("time").reset_index()
        ticks = pd.merge_asof(ticks, right, on="time", tolerance=tolerance, allow_exact_matches=False)
    product = ticks.set_index("time").prod(axis=1, skipna=False).dropna()
    assert len(product) == (429 if tolerance is None else 285)
    assert_agree(outcome.series("Product"), product, absolute=1e-12)
