"""kopf's part: watches. A handler only says whose turn it is."""

import asyncio
import signal
from collections.abc import Sequence
from typing import Any, cast

import kopf

from streamjob_api import kinds
from streamjob_operator.observed import Manifest
from streamjob_operator.service import Operator
from streamjob_operator.settings import Settings


@kopf.on.login()
def log_in(**facts: Any) -> kopf.ConnectionInfo | None:
    """By the pod's service account, else by KUBECONFIG; never through the synchronous client."""
    return kopf.login_with_service_account(**facts) or kopf.login_with_kubeconfig(**facts)


@kopf.on.startup(errors=kopf.ErrorsMode.PERMANENT)
async def start(settings: kopf.OperatorSettings, memo: Any, **_: Any) -> None:
    """Configure kopf to watch and do nothing else: no annotations, finalizers, events or peering objects."""
    settings.posting.enabled = False
    settings.scanning.disabled = True  # no rights on CRDs and namespaces are needed
    settings.peering.standalone = True
    settings.watching.server_timeout = 300
    settings.watching.connect_timeout = 15
    settings.networking.request_timeout = 15
    settings.networking.enforce_retry_after = True
    settings.queueing.worker_limit = None
    settings.queueing.idle_timeout = 1
    settings.queueing.exit_timeout = 0.2
    settings.watching.label_selectors["", "v1", "pods"] = kinds.PODS_SELECTOR
    await cast("Operator", memo.operator).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        # In place of kopf's: it closes its watches first, and the lease would be released seconds later.
        asyncio.get_running_loop().add_signal_handler(number, memo.leave)


@kopf.on.cleanup()
async def stop(memo: Any, **_: Any) -> None:
    """Stop, where that was not done on a signal."""
    await cast("Operator", memo.operator).stop()


@kopf.on.event(kinds.GROUP, kinds.VERSION, kinds.STREAM_JOBS)
async def on_stream_job(event: kopf.RawEvent, memo: Any, **_: Any) -> None:
    """A StreamJob was seen."""
    memo.operator.saw_job(event["type"] == "DELETED", cast("Manifest", event["object"]))


@kopf.on.event(kinds.GROUP, kinds.VERSION, kinds.STREAM_RESOURCES)
async def on_stream_resource(event: kopf.RawEvent, memo: Any, **_: Any) -> None:
    """A StreamResource was seen."""
    memo.operator.saw_resource(event["type"] == "DELETED", cast("Manifest", event["object"]))


@kopf.on.event("", "v1", "pods", labels={kinds.COMPONENT_LABEL: kopf.PRESENT})
async def on_pod(event: kopf.RawEvent, memo: Any, **_: Any) -> None:
    """A pod of the operator's or of a driver's making was seen."""
    memo.operator.saw_pod(event["type"] == "DELETED", cast("Manifest", event["object"]))


async def run(settings: Settings) -> None:
    """Run until the process is told to stop, or loses the lease."""
    stop_flag = asyncio.Event()
    operator = Operator(settings, stop_flag.set)
    leaving: list[asyncio.Task[None]] = []  # a reference, or the task might be collected before it ends

    async def leave() -> None:
        await operator.stop()
        stop_flag.set()

    memo = kopf.Memo(operator=operator, leave=lambda: leaving.append(asyncio.ensure_future(leave())))
    namespaces: Sequence[str] = settings.namespaces
    await kopf.operator(
        clusterwide=not namespaces, namespaces=namespaces, standalone=True, memo=memo, stop_flag=stop_flag
    )
