"""Waiting for the cluster's parts, with a deadline and a message that says what was awaited."""

from __future__ import annotations

import time
from collections.abc import Callable

from localcluster.problems import ClusterError


def wait_until(probe: Callable[[], bool], what: str, *, within_seconds: float, every_seconds: float = 0.2) -> None:
    """Return once ``probe`` holds.

    Raises:
        ClusterError: when it has not held in time.
    """
    deadline = time.monotonic() + within_seconds
    while not probe():
        if time.monotonic() > deadline:
            raise ClusterError(f"waited {within_seconds:g} s in vain until {what}")
        time.sleep(every_seconds)
