"""The operator, killed right after a chosen step: ``python crashing_operator.py ARGUMENTS`` with CRASH_AFTER set.

A step is a method of Cluster, with a colon and more where it does several things: ``create:Pod`` is over when a pod is
made, ``write_job_status:Pausing`` when a job's status says that phase.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from streamjob_operator.__main__ import main
from streamjob_operator.api_server.cluster import Cluster

METHOD, _, WHICH = os.environ["CRASH_AFTER"].partition(":")
call = getattr(Cluster, METHOD)


def which(arguments: tuple[Any, ...]) -> str:
    if METHOD == "write_job_status":
        return str(arguments[2]["phase"])
    return str(arguments[0])


async def dying(self: Cluster, *arguments: Any) -> Any:
    result = await call(self, *arguments)
    if not WHICH or which(arguments) == WHICH:
        os.kill(os.getpid(), signal.SIGKILL)
    return result


setattr(Cluster, METHOD, dying)
main()
