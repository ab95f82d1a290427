"""Values of assets' attributes, as they are written: JSON scalars, and what is none."""

import json
from typing import Any

from streamjob_runtime.templates.surroundings import AttributeValue, NoScalar

NO_SCALAR = NoScalar()


def attribute_of(written: bytes | None) -> AttributeValue:
    """Return what one field of an asset's attributes holds; None where there is none, or null."""
    if written is None:
        return None
    try:
        return scalar_of(parsed(written))
    except (ValueError, RecursionError):  # no JSON, no UTF-8, an integer of over 4,300 digits; nested too deeply
        return NO_SCALAR


def parsed(written: bytes) -> Any:
    """Return what JSON with values of attributes holds.

    Raises:
        ValueError: it is no JSON, ``NaN`` and ``Infinity`` included, no UTF-8, or has an integer of over 4,300 digits.
        RecursionError: it is nested too deeply.
    """
    return json.loads(written, parse_constant=_refused)


def scalar_of(value: Any) -> AttributeValue:
    """Return a value of parsed JSON as an attribute's."""
    if isinstance(value, str) and not _is_encodable(value):
        return NO_SCALAR
    return value if value is None or isinstance(value, (bool, int, float, str)) else NO_SCALAR


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")
