"""Times of other people's devices: every unit, both ways of reading."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamjob_api.source import TimeUnit
from streamjob_runtime.json_reading import Malformed
from streamjob_runtime.mapped_times import INVALID, read_time, time_column

NOW = 1_700_000_000_123  # 2023-11-14T22:13:20.123Z


@pytest.mark.parametrize(
    ("unit", "value"),
    [
        ("ms", NOW),
        ("ms", float(NOW)),
        ("ms", f"{NOW}"),
        ("ms", NOW + 0.999),
        ("s", 1_700_000_000.123),
        ("s", 1_700_000_000.1239),
        ("s", "1700000000.123"),
        ("us", NOW * 1_000 + 999),
        ("us", str(NOW * 1_000)),
        ("ns", NOW * 1_000_000 + 999_999),
        ("iso8601", "2023-11-14T22:13:20.123Z"),
        ("iso8601", "2023-11-14t22:13:20.1239999z"),
        ("iso8601", "2023-11-14 23:13:20.123+01:00"),
        ("iso8601", "2023-11-14T12:43:20,123-0930"),
        ("iso8601", "2023-11-15T00:13:20.123+02"),
    ],
)
def test_every_unit_gives_whole_milliseconds_and_cuts_off_the_rest(unit: str, value: Any) -> None:
    assert read_time(value, TimeUnit(unit), "ts") == NOW


@pytest.mark.parametrize(
    "text",
    ["2023-11-14T22:13:20", "2023-02-29T00:00:00Z", "2023-11-14T24:00:00Z", "2023-11-14T22:13:20+24:00"],
)
def test_a_text_without_zone_or_of_no_such_moment_is_no_time(text: str) -> None:
    assert read_time(text, TimeUnit.ISO8601, "ts") == INVALID


def test_a_leap_second_is_the_first_moment_of_the_next_minute() -> None:
    following = read_time("2017-01-01T00:00:00.5Z", TimeUnit.ISO8601, "ts")
    assert read_time("2016-12-31T23:59:60.5Z", TimeUnit.ISO8601, "ts") == following


@pytest.mark.parametrize(
    ("unit", "value", "kind"),
    [
        ("ms", True, "boolean"),
        ("s", None, "null"),
        ("s", float("nan"), "number"),
        ("ms", float("inf"), "number"),
        ("s", 1e306, "number"),
        ("ms", "secret", "string"),
        ("ns", "", "string (empty)"),
        ("us", [1], "list"),
        ("iso8601", NOW, "number"),
        ("iso8601", "secret", "string"),
        ("iso8601", "14.11.2023 22:13:20", "string"),
    ],
)
def test_what_the_unit_does_not_allow_is_a_fault_that_shows_no_value(unit: str, value: Any, kind: str) -> None:
    with pytest.raises(Malformed) as raised:
        read_time(value, TimeUnit(unit), "device.ts")
    assert raised.value.reason == "WrongType"
    assert raised.value.detail.startswith("device.ts: expected ")
    assert raised.value.detail.endswith(f"got {kind}")


@pytest.mark.parametrize("milliseconds", [1_092_301_086_159, 2_176_644_616_121])
def test_a_double_just_below_its_millisecond_is_read_as_what_was_written(milliseconds: int) -> None:
    written = f"{milliseconds // 1000}.{milliseconds % 1000:03d}"
    assert float(written) * 1000 < milliseconds
    column = time_column(float(written), TimeUnit.S)
    assert column is not None
    times = pl.DataFrame({"time": [written]}).select(column.milliseconds).to_series()
    assert (read_time(float(written), TimeUnit.S, "ts"), times.to_list()) == (milliseconds, [milliseconds])


@given(microseconds=st.integers(-4_102_444_799_999_999, 4_102_444_799_999_999))
def test_seconds_with_microseconds_are_exact_although_doubles_are_not(microseconds: int) -> None:
    exact = (Decimal(microseconds) / 1_000).to_integral_value(ROUND_FLOOR)
    assert read_time(microseconds / 1_000_000, TimeUnit.S, "ts") == exact
    assert read_time(str(Decimal(microseconds).scaleb(-6)), TimeUnit.S, "ts") == exact


moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001 (the zone is drawn apart)
offsets = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(moment=moments, zone=offsets, spec=st.sampled_from(["seconds", "milliseconds", "microseconds"]))
def test_texts_give_what_the_standard_library_gives_in_both_readings(
    moment: datetime, zone: timezone, spec: str
) -> None:
    aware = moment.replace(tzinfo=zone)
    text = aware.isoformat(timespec=spec)
    exact = (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    column = time_column(text, TimeUnit.ISO8601)
    assert column is not None
    times = pl.DataFrame({"time": [text, text]}).select(column.milliseconds).to_series()
    assert (read_time(text, TimeUnit.ISO8601, "ts"), times.to_list()) == (exact, [exact, exact])
    assert pl.Series([text]).str.contains(f"^{column.pattern}$").all()


@pytest.mark.parametrize("unit", ["ms", "s", "us", "ns"])
@given(number=st.one_of(st.integers(-(10**19), 10**19), st.floats(-1e14, 1e14)))
@example(number=2**62 + 1)  # beyond what a time is cut to
@example(number=-(2**62) - 1)
def test_numbers_give_the_same_in_both_readings(unit: str, number: float) -> None:
    text, column = str(number), time_column(number, TimeUnit(unit))
    assert column is not None
    if pl.Series([text]).str.contains(f"^{column.pattern}$").all():
        times = pl.DataFrame({"time": [text]}).select(column.milliseconds).to_series()
        assert times.to_list() == [read_time(number, TimeUnit(unit), "ts")]
