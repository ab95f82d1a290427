"""The operator, killed right after a chosen step: ``python crashing_operator.py ARGUMENTS`` with CRASH_AFTER set.

A step is a method of Cluster, or the kind of an object that was applied.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from streamjob_operator.__main__ import main
from streamjob_operator.cluster import Cluster

STEP = os.environ["CRASH_AFTER"]


def dying(call: Callable[..., Awaitable[Any]], is_due: Callable[..., bool]) -> Callable[..., Awaitable[Any]]:
    async def wrapped(self: Cluster, *arguments: Any) -> Any:
        result = await call(self, *arguments)
        if is_due(*arguments):
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped


def is_applied_kind(manifest: dict[str, Any]) -> bool:
    return bool(manifest["kind"] == STEP)


method, due = (STEP, lambda *_: True) if hasattr(Cluster, STEP) else ("_applied", is_applied_kind)
setattr(Cluster, method, dying(getattr(Cluster, method), due))
main()
