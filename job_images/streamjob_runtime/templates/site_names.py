"""Which site a device belongs to, by what its attribute holds."""

import math
from typing import Final

from streamjob_runtime.templates.surroundings import AttributeValue

# What a device's attribute was found to be; the names of the last two are the reasons that they are counted by.
FOUND: Final = "found"
MISSING: Final = "attributeMissing"
INVALID: Final = "attributeInvalid"
# A name becomes part of a Redis key and the key of a record, so that no longer text is one, nor what cannot be printed.
LONGEST_NAME = 256


def site_of(value: AttributeValue) -> tuple[str | None, str]:
    """Return a site's name, None where there is none, and what the value was found to be.

    A text names a site, and so does a number: 7 and 7.0 are one site, and so is the text "7".
    """
    if value is None:
        return None, MISSING
    if isinstance(value, float) and not math.isfinite(value):
        return None, INVALID
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None, INVALID
    name = str(value).strip()
    return (name, FOUND) if 0 < len(name) <= LONGEST_NAME and name.isprintable() else (None, INVALID)
