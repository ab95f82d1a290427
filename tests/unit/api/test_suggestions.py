"""Did you mean ...?"""

import pytest

from streamjob_api.suggestions import did_you_mean


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Raeding", "; did you mean 'Reading'?"),
        ("reading", "; did you mean 'Reading'?"),
        ("READNG", "; did you mean 'Reading'?"),
        ("Temperature", ""),
        ("", ""),
        ("Reading" * 1000, ""),
    ],
)
def test_the_nearest_name_is_suggested_in_its_own_spelling(name: str, hint: str) -> None:
    assert did_you_mean(name, iter(["Power", "Reading", "Read"])) == hint
