"""Loaded by every Python process of a driver under test: kills the whole driver at a chosen point.

``STREAMJOB_CRASH=<point>:<n>``: at the n-th time that one of the processes comes by.
"""

import importlib
import os
import signal
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any


def kill_session() -> None:
    """SIGKILL to main process, JVM and workers alike, as when a node is lost."""
    own, session = os.getpid(), os.getsid(0)
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or int(folder.name) == own:
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                os.kill(int(folder.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue
    os.kill(own, signal.SIGKILL)


def before(module: str, owner: str | None, name: str, nth: int) -> None:
    """Die as a function is called for the n-th time."""
    _wrap(module, owner, name, nth, lambda *_: kill_session())


def inside(module: str, owner: str | None, name: str, nth: int) -> None:
    """Die after a generator has given its first items."""

    def half(function: Callable[..., Iterator[Any]], args: Any, kwargs: Any) -> Iterator[Any]:
        for seen, item in enumerate(function(*args, **kwargs)):
            if seen == 3:
                kill_session()
            yield item
        kill_session()

    _wrap(module, owner, name, nth, half)


def _wrap(module: str, owner: str | None, name: str, nth: int, instead: Callable[..., Any]) -> None:
    holder = importlib.import_module(module)
    if owner is not None:
        holder = getattr(holder, owner)
    function, calls = getattr(holder, name), count(1)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return (instead if next(calls) == nth else _plain)(function, args, kwargs)

    setattr(holder, name, wrapper)


def _plain(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    return function(*args, **kwargs)


_RUNTIME = "streamjob_runtime"
POINTS: dict[str, tuple[Callable[..., None], str, str | None, str]] = {
    "query-started": (before, f"{_RUNTIME}.driver", None, "start_query"),
    "offsets-logged": (before, f"{_RUNTIME}.source", "PointsReader", "partitions"),
    "reading": (inside, f"{_RUNTIME}.reading", None, "reduce_chunks"),
    "folding": (inside, f"{_RUNTIME}.stateful", None, "folded"),
    "before-writes": (before, f"{_RUNTIME}.sinks.kafka", "KafkaSink", "write"),
    "writing-kafka": (inside, f"{_RUNTIME}.delivery", "Results", "messages"),
    "before-redis": (before, f"{_RUNTIME}.sinks.redis", "LatestValues", "write"),
    "before-commit": (before, f"{_RUNTIME}.accounts", "Accounts", "pend"),
}


if crash := os.environ.get("STREAMJOB_CRASH"):
    point, _, number = crash.partition(":")
    how, in_module, in_class, called = POINTS[point]
    how(in_module, in_class, called, int(number))
