"""How the watches are, seen from the requests that keep them up.

A watch is asked for anew every few minutes, and after a silence without even a bookmark; one that was not answered for
longer is dead, whatever its task believes. What would end a watch's task for good is kept from it.

The operator lists what there is itself, page by page. The listing that kopf begins a watch with brings it a version to
begin at and nothing else: thousands of objects would be held at once, and each be handled as news.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

# The server ends a watch after this long; it is asked for anew from where it was.
SERVER_SECONDS = 120
# Without an event or a bookmark for this long a watch is asked for anew; bookmarks come every 60 to 75 s.
SILENT_SECONDS = 80
# Both of the above, and a request that is tried again.
DEAD_SECONDS = SERVER_SECONDS + SILENT_SECONDS + 40

# A label that nothing has.
_NOTHING = "streamjob.dev/nothing"

logger = logging.getLogger(__name__)


class Watches:
    """When each watch was answered last.

    Args:
        on_ended: called with a reason when the task of a watch has ended: nothing would start it anew.
        on_listed: called when a watch begins, or begins anew: what is there by then has to be listed.
    """

    def __init__(self, on_ended: Callable[[str], None], on_listed: Callable[[], None]) -> None:
        self._on_ended = on_ended
        self._on_listed = on_listed
        self._answered: dict[str, float] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self.answers: Counter[tuple[str, str]] = Counter()  # by watch or list, and status

    @property
    def oldest_seconds(self) -> float:
        """How long ago the watch was answered that has waited longest."""
        return time.monotonic() - min(self._answered.values(), default=time.monotonic())

    @property
    def newest_seconds(self) -> float:
        """How long ago any watch was answered."""
        return time.monotonic() - max(self._answered.values(), default=0.0)

    async def over(self, request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
        """Middleware of the session that the watches use."""
        path = request.url.path
        if request.url.query.get("watch") != "true":
            request.url = request.url.update_query(labelSelector=_NOTHING)
            response = await send(request)
            self.answers["LIST", str(response.status)] += 1
            if response.ok:
                self._on_listed()
            return response
        self._follow(path)
        response = await send(request)
        self.answers["WATCH", str(response.status)] += 1
        if response.status == HTTPStatus.GONE:
            response.release()
            logger.warning("watch of %s begins anew: its version is too old", path)
            request.url = request.url.without_query_params("resourceVersion")
            response = await send(request)
            self._on_listed()
        if response.ok:
            self._answered[path] = time.monotonic()
        elif _ends_a_watch(response.status):
            response.release()
            # tried again, like a connection that failed: the kind may be served again, the right be given back
            raise aiohttp.ClientConnectionError(f"watch of {path}: status {response.status}")
        return response

    def _follow(self, path: str) -> None:
        """Know when the task that asks for this watch ends."""
        self._answered.setdefault(path, time.monotonic())
        task = asyncio.current_task()
        if task is not None and task not in self._tasks:
            self._tasks.add(task)
            task.add_done_callback(lambda ended: self._ended(path, ended))

    def _ended(self, path: str, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self._on_ended(f"watch of {path} ended: {task.exception()!r}")


def _ends_a_watch(status: int) -> bool:
    """Whether kopf would give a watch up: all refusals but those that it tries again or signs in anew for."""
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
