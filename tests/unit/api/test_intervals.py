"""Thresholds in interval notation."""

import portion
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamjob_api.intervals import Interval


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("(0,100)", [0.1, 99.9], [0, 100, -1]),
        ("(0, 100]", [0.1, 100], [0, 100.1]),
        ("[0,100)", [0, 99.9], [-0.1, 100]),
        ("[0,100]", [0, 100], [-0.1, 100.1]),
        ("(-inf,5)", [-1e300, 4.9], [5]),
        ("(-inf,5]", [5], [5.1]),
        ("(5,+inf)", [5.1, 1e300], [5]),
        ("[5,+inf)", [5], [4.9]),
        ("(-inf,+inf)", [0, -1e300, 1e300], []),
        ("[-2.5, -1.5e0]", [-2.5, -1.5], [-1.4, -2.6]),
        ("[5,5]", [5], [4.999, 5.001]),
    ],
)
def test_round_brackets_exclude_the_bound_and_square_ones_include_it(
    text: str, inside: list[float], outside: list[float]
) -> None:
    interval = Interval.parse(text)
    assert all(value in interval for value in inside)
    assert not any(value in interval for value in outside)


@pytest.mark.parametrize(
    "text",
    ["", "[0,100", "0,100", "[-inf,5]", "(5,+inf]", "(5,inf)", "[100,0]", "(5,5)", "[a,b]", "[1e400,+inf)", "[nan,1]"],
)
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|lower bound"):
        Interval.parse(text)


@given(
    low=st.floats(-1e6, 1e6),
    size=st.floats(0.001, 1e6),
    value=st.floats(-3e6, 3e6),
    brackets=st.sampled_from(["()", "(]", "[)", "[]"]),
)
def test_membership_is_that_of_an_interval_library(low: float, size: float, value: float, brackets: str) -> None:
    text = f"{brackets[0]}{low!r},{low + size!r}{brackets[1]}"
    makers = {"()": portion.open, "(]": portion.openclosed, "[)": portion.closedopen, "[]": portion.closed}
    assert (value in Interval.parse(text)) == (value in makers[brackets](low, low + size))
