"""What an attribute's value is, whatever stands in its field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamjob_runtime.templates.attribute_values import attribute_of
from streamjob_runtime.templates.surroundings import AttributeValue, NoScalar


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (None, None),
        (b"null", None),
        (b" 40 ", 40),
        (b"-4.5e1", -45.0),
        (b"1e400", float("inf")),
        (b"true", True),
        (b"false", False),
        (b'"3"', "3"),
        (b'""', ""),
        ('"plánt ☃"'.encode(), "plánt ☃"),
        (b'"\\u2603"', "☃"),
    ],
)
def test_json_scalars_are_values(written: bytes | None, value: AttributeValue) -> None:
    found = attribute_of(written)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "written",
    [b"", b"plant-7", b"[1]", b"{}", b"NaN", b"-Infinity", b"1 2", b'"\xff"', b'"\\ud800"', b"9" * 5000, b"[" * 10_000],
)
def test_what_is_no_scalar_is_told_apart_from_nothing(written: bytes) -> None:
    assert attribute_of(written) == NoScalar()


@given(written=st.binary(max_size=20))
def test_no_bytes_fail(written: bytes) -> None:
    assert isinstance(attribute_of(written), (NoScalar, bool, int, float, str, type(None)))
