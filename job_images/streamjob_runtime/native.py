"""The library of C that comes with the runtime (job_images/native)."""

import ctypes
from functools import cache
from pathlib import Path


@cache
def library() -> ctypes.CDLL | None:
    """Return the library; None where it was not built, as in a plain package."""
    path = Path(__file__).with_name("libstreamjob.so")
    return ctypes.CDLL(str(path)) if path.exists() else None


def required_library() -> ctypes.CDLL:
    """Return the library.

    Raises:
        RuntimeError: it is missing.
    """
    loaded = library()
    if loaded is None:
        raise RuntimeError("libstreamjob.so is missing beside the runtime's code (job_images/native): Kafka needs it")
    return loaded
