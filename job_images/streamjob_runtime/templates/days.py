"""The days of a time zone: of 24 hours mostly, of 23 or 25 where clocks change, beginning at any minute of UTC."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from streamjob_runtime.templates.arrays import Places, Times

_DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()
_LAST = date.max.toordinal() - _EPOCH
# Where a UTC day's instants may lie in local dates: from UTC-12 to UTC+14.
_AROUND = np.array([-1, 0, 1])


@dataclass(frozen=True)
class Days:
    """The days of one zone; a day lasts from its first local 00:00 to the next day's.

    Where clocks skip 00:00, a day begins with the first instant of its date.
    """

    zone: ZoneInfo

    def starts(self, times: Times) -> Times:
        """Return the start of the day of each time."""
        if not len(times):
            return times
        table = self._table(np.unique(times // _DAY_MS))
        return table[np.searchsorted(table, times, side="right") - 1]

    def midnights(self, since: Times, until: Times) -> tuple[Places, Times]:
        """Return the starts of days after ``since`` and up to ``until``, with the span's number, in order."""
        row, day = _ranges(since // _DAY_MS, until // _DAY_MS + 1)
        table = self._table(np.unique(day))
        first, end = (np.searchsorted(table, bounds, side="right") for bounds in (since, until))
        row, place = _ranges(first, end)
        return row, table[place]

    def _table(self, utc_days: Times) -> Times:
        """Return the starts, ascending, of all days that the given UTC days touch."""
        numbers = np.unique(utc_days[:, np.newaxis] + _AROUND)
        return np.unique(np.array([_start_ms(self.zone, number) for number in numbers.tolist()], np.int64))


def _ranges(first: Times | Places, end: Times | Places) -> tuple[Places, Places]:
    """Return the numbers from ``first`` to below ``end`` of each row, and the row of each."""
    counts = end - first
    row = np.repeat(np.arange(len(first)), counts)
    within = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    return row, first[row] + within


@lru_cache(maxsize=65_536)
def _start_ms(zone: ZoneInfo, number: int) -> int:
    """Return the start of the date that lies ``number`` days after 1970-01-01."""
    written = min(number, _LAST)
    start = datetime.fromordinal(_EPOCH + written).replace(tzinfo=zone)
    return int(start.timestamp()) * 1000 + (number - written) * _DAY_MS
