"""Times by pandas: as numbers, and in the days of a time zone."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Clocks change in four of them while the meters count: at 2:00 and at midnight, where 00:00 is left out or comes twice,
# and by half an hour.
ZONES = (
    "UTC",
    "America/Chicago",
    "America/Sao_Paulo",
    "America/Havana",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
)


def epoch_ms(times: "pd.Index[Any]") -> "NDArray[np.int64]":
    """Times as numbers, whatever unit the index has."""
    return pd.DatetimeIndex(times).as_unit("ms").astype("int64").to_numpy()


def hours_between(times: "pd.Index[Any]") -> "NDArray[np.float64]":
    """The length of each interval between two times."""
    return np.diff(epoch_ms(times)) / 3_600_000


def day_starts(times: "pd.Index[Any]", zone: str) -> pd.DatetimeIndex:
    """The begin, in UTC, of the local day that each time belongs to.

    Where clocks go forward at midnight the day begins with the first instant that there is; where 00:00 comes twice,
    with the first of both.
    """
    midnights = pd.DatetimeIndex(times).tz_convert(zone).tz_localize(None).normalize()
    is_first = np.ones(len(midnights), dtype=bool)
    return midnights.tz_localize(zone, ambiguous=is_first, nonexistent="shift_forward").tz_convert("UTC")


def detail_starts(times: "pd.Index[Any]", zone: str, interval: str) -> pd.DatetimeIndex:
    """The begin of the interval that each time belongs to, counted from its day's."""
    days = day_starts(times, zone)
    return pd.DatetimeIndex(days + (pd.DatetimeIndex(times) - days).floor(interval.replace("m", "min")))


def sums_by(starts: pd.DatetimeIndex, energies: "pd.Series[float]") -> "pd.Series[float]":
    """The sum over each of the starts that has any value at all."""
    return energies.groupby(starts).sum()


def bounds(times: "pd.Index[Any]", zone: str) -> pd.DatetimeIndex:
    """The starts of all local days from that of the first time to that of the last, and the one after it."""
    half_hours = pd.date_range(times[0].floor("h"), times[-1] + pd.Timedelta("26h"), freq="30min")
    starts = day_starts(half_hours, zone).unique()
    return starts[: int(starts.searchsorted(times[-1], side="right")) + 1]
