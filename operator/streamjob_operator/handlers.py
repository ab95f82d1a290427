"""kopf's part: watches. A handler only says whose turn it is."""

import asyncio
import signal
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from typing import Any, cast

import aiohttp
import kopf

from streamjob_api import kinds
from streamjob_operator import watches
from streamjob_operator.observed import Manifest
from streamjob_operator.service import Operator
from streamjob_operator.settings import Settings


class _Patience:
    """Seconds between tries, without an end: with kopf's own, a minute of errors ends a watch for good."""

    def __iter__(self) -> Iterator[float]:
        return chain((0.5, 1, 2, 3, 5), repeat(8.0))


class _NoDiffs(kopf.DiffBaseStorage):
    """Nothing is compared with what was seen before: nine tenths of kopf's work for an event."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        pass


class _NoProgress(kopf.ProgressStorage):
    """No handler has any progress to remember."""

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        pass

    def purge(self, **_: Any) -> None:
        pass

    def touch(self, **_: Any) -> None:
        pass

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        return essence


@kopf.on.login()
async def log_in(memo: Any, **facts: Any) -> kopf.AiohttpSession | None:
    """By the pod's service account, else by KUBECONFIG; never through the synchronous client."""
    found = kopf.login_with_service_account(**facts) or kopf.login_with_kubeconfig(**facts)
    if found is None:
        return None
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=found.as_ssl_context()),
        headers=found.as_http_headers(),
        proxy=found.proxy_url,
        trust_env=found.trust_env,
        middlewares=(cast("Operator", memo.operator).watches.over,),
    )
    return kopf.AiohttpSession(server=found.server, default_namespace=found.default_namespace, aiohttp_session=session)


@kopf.on.startup(errors=kopf.ErrorsMode.PERMANENT)
async def start(settings: kopf.OperatorSettings, memo: Any, **_: Any) -> None:
    """Configure kopf to watch and do nothing else: no annotations, finalizers, events or peering objects."""
    settings.posting.enabled = False
    settings.scanning.disabled = True  # no rights on CRDs and namespaces are needed
    settings.peering.standalone = True
    settings.watching.server_timeout = watches.SERVER_SECONDS
    settings.watching.inactivity_timeout = watches.SILENT_SECONDS
    settings.watching.connect_timeout = 15
    settings.networking.request_timeout = 15
    settings.networking.enforce_retry_after = True
    settings.networking.error_backoffs = _Patience()
    settings.persistence.diffbase_storage = _NoDiffs()
    settings.persistence.progress_storage = _NoProgress()
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
        try:
            await operator.stop()
        finally:
            stop_flag.set()

    memo = kopf.Memo(operator=operator, leave=lambda: leaving.append(asyncio.ensure_future(leave())))
    namespaces: Sequence[str] = settings.namespaces
    await kopf.operator(
        clusterwide=not namespaces, namespaces=namespaces, standalone=True, memo=memo, stop_flag=stop_flag
    )
