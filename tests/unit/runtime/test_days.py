"""Days of a time zone, held against the zone's own calendar."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamjob_runtime.event_times import LATEST_MS, SECONDS_BELOW_MS
from streamjob_runtime.templates.days import Days

HOUR = 3_600_000
# Clocks that change at midnight too (Havana, Beirut, Asuncion), offsets of half hours and quarters, the date line.
ZONES = [
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"),
    *("America/Havana", "Asia/Beirut", "America/Asuncion", "Pacific/Chatham", "Pacific/Kiritimati", "Etc/GMT+12"),
]


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@given(zone=st.sampled_from(ZONES), time=st.integers(ms("2000-01-01T00:00Z"), ms("2035-01-01T00:00Z")))
def test_a_day_begins_with_the_first_instant_of_its_date(zone: str, time: int) -> None:
    (start,) = Days(ZoneInfo(zone)).starts(np.array([time])).tolist()
    dates = [datetime.fromtimestamp(moment / 1000, ZoneInfo(zone)).date() for moment in (start - 1, start, time)]
    assert start <= time
    assert dates[0] < dates[1] == dates[2]


@given(
    zone=st.sampled_from(ZONES),
    spans=st.lists(
        st.tuples(st.integers(ms("2010-01-01T00:00Z"), ms("2025-01-01T00:00Z")), st.integers(1, 400 * HOUR)),
        max_size=5,
    ),
)
def test_the_midnights_of_a_span_are_those_after_it_begins_up_to_its_end(
    zone: str, spans: list[tuple[int, int]]
) -> None:
    days = Days(ZoneInfo(zone))
    since = np.array([begin for begin, _ in spans], np.int64)
    until = np.array([begin + length for begin, length in spans], np.int64)
    row, midnight = days.midnights(since, until)
    wanted = []
    for number, (begin, length) in enumerate(spans):
        hours = np.arange(begin // HOUR * HOUR - HOUR, begin + length + HOUR, HOUR // 4)
        starts = np.unique(days.starts(hours))
        wanted += [(number, start) for start in starts.tolist() if begin < start <= begin + length]
    assert list(zip(row.tolist(), midnight.tolist(), strict=True)) == wanted


@pytest.mark.parametrize(
    ("zone", "midnight", "hours"),
    [
        pytest.param("Europe/Berlin", "2024-03-31T00:00+01:00", 23, id="clocks go forward"),
        pytest.param("America/New_York", "2024-11-03T00:00-04:00", 25, id="clocks go back"),
        pytest.param("Australia/Lord_Howe", "2024-04-07T00:00+11:00", 24.5, id="clocks go back by half an hour"),
        pytest.param("Asia/Kathmandu", "2024-04-07T00:00+05:45", 24, id="an offset of three quarters"),
        pytest.param("America/Havana", "2024-03-10T01:00-04:00", 23, id="there is no 00:00"),
    ],
)
def test_a_day_has_the_hours_that_its_clocks_show(zone: str, midnight: str, hours: float) -> None:
    start, end = ms(midnight), ms(midnight) + round(hours * HOUR)
    assert Days(ZoneInfo(zone)).starts(np.array([start - 1, start, end - 1, end])).tolist()[1:] == [start, start, end]


@pytest.mark.parametrize("zone", ZONES)
def test_every_time_that_is_accepted_has_a_day(zone: str) -> None:
    times = np.array([SECONDS_BELOW_MS, LATEST_MS])
    starts = Days(ZoneInfo(zone)).starts(times)
    assert (times - starts < 26 * HOUR).all()
    assert datetime.fromtimestamp(LATEST_MS / 1000, UTC).year == 9999
