"""Loaded by every Python process of a driver under test: kills the whole driver at a chosen point.

``STREAMJOB_CRASH=<point>:<n>``: at the n-th time that one of the processes comes by.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from types import ModuleType
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
    calls = count(1)

    def change(loaded: ModuleType) -> None:
        holder = loaded if owner is None else getattr(loaded, owner)
        function = getattr(holder, name)

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return (instead if next(calls) == nth else _plain)(function, args, kwargs)

        setattr(holder, name, wrapper)

    sys.meta_path.insert(0, AsItIsLoaded(module, change))


class AsItIsLoaded(MetaPathFinder):
    """Changes a module right after its import: processes that never need it start as fast as ever."""

    def __init__(self, module: str, change: Callable[[ModuleType], None]) -> None:
        self.module, self.change = module, change

    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:
        if fullname != self.module:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        assert spec is not None
        assert spec.loader is not None
        load = spec.loader.exec_module

        def load_and_change(loaded: ModuleType) -> None:
            load(loaded)
            self.change(loaded)

        spec.loader.exec_module = load_and_change  # type: ignore[assignment,method-assign]
        return spec


def _plain(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    return function(*args, **kwargs)


_RUNTIME = "streamjob_runtime"
POINTS: dict[str, tuple[Callable[..., None], str, str | None, str]] = {
    "query-started": (before, f"{_RUNTIME}.driver", None, "start_query"),
    "offsets-logged": (before, f"{_RUNTIME}.source", "PointsReader", "partitions"),
    "reading": (inside, f"{_RUNTIME}.reading", None, "reduce_chunks"),
    "folding": (inside, f"{_RUNTIME}.folding", None, "folded"),
    "before-writes": (before, f"{_RUNTIME}.sinks.kafka", "KafkaSink", "write"),
    "writing-kafka": (inside, f"{_RUNTIME}.delivery", "Results", "messages"),
    "before-redis": (before, f"{_RUNTIME}.sinks.redis", "LatestValues", "write"),
    "before-commit": (before, f"{_RUNTIME}.accounts", "Accounts", "pend"),
}


if crash := os.environ.get("STREAMJOB_CRASH"):
    point, _, number = crash.partition(":")
    how, in_module, in_class, called = POINTS[point]
    how(in_module, in_class, called, int(number))
