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


if hasattr(Cluster, STEP):
    setattr(Cluster, STEP, dying(getattr(Cluster, STEP), lambda *_: True))
else:
    applied = Cluster._applied  # noqa: SLF001 (a test that dies between two writes)
    Cluster._applied = dying(applied, lambda manifest: manifest["kind"] == STEP)  # type: ignore[method-assign]  # noqa: SLF001
main()
