"""Durations: what is written, what it means, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamjob_api.durations import Duration


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("0s", 0), ("10m", 600_000), ("1h30m", 5_400_000), ("1d", 86_400_000), ("250ms", 250), ("1m1ms", 60_001)],
)
def test_a_duration_means_the_sum_of_its_parts(text: str, milliseconds: int) -> None:
    assert Duration.parse(text).milliseconds == milliseconds


@pytest.mark.parametrize(
    "text",
    ["", "10", "m", "1.5h", "-1m", "10 m", "PT10M", "10s10s", "1m1h", "1M", "\u0967\u0966m", "10m\n", "1" * 40 + "s"],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        Duration._validate(text)


def test_a_number_is_no_duration() -> None:
    with pytest.raises(ValueError, match="expected a text, got the number 600"):
        Duration._validate(600)


@given(st.text(max_size=40))
def test_any_text_is_either_parsed_or_refused_with_a_value_error(text: str) -> None:
    try:
        duration = Duration._validate(text)
    except ValueError:
        return
    assert str(duration) == text
    assert duration.milliseconds >= 0
