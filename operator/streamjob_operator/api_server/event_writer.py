"""Writes Kubernetes Events behind the turns: people read them, nothing waits for them."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from streamjob_operator.api_server.cluster import Cluster
from streamjob_operator.observed import Manifest
from streamjob_operator.telling.event_budget import EventBudget

# Written at a time; a thousand starts at once must not wait for what tells of them.
_AT_ONCE = 2
# While drivers wait to be created, for so long at most, so does what tells of them.
_LATEST_SECONDS = 15.0
_LOOK_SECONDS = 0.25
# More than that only wait where the API server takes none for minutes; then the oldest are dropped.
_WAITING = 10_000
_LAST_SECONDS = 2.0

logger = logging.getLogger(__name__)


@dataclass
class EventWriter:
    """Events that wait to be written.

    Attributes:
        is_busy: whether there is more urgent work than this.
    """

    cluster: Cluster
    is_busy: Callable[[], bool] = lambda: False
    _waiting: asyncio.Queue[tuple[float, str, Manifest]] = field(default_factory=asyncio.Queue)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _budget: EventBudget = field(default_factory=EventBudget)
    _closes: bool = False

    async def record(self, namespace: str, event: Manifest) -> None:
        """Have an Event written soon, if its object has not had too many."""
        if not self._budget.take(event["regarding"]["uid"]):
            return
        if self._waiting.qsize() >= _WAITING:
            logger.warning("events are dropped: the API server does not take them")
            self._waiting.get_nowait()
            self._waiting.task_done()
        self._waiting.put_nowait((time.monotonic() + _LATEST_SECONDS, namespace, event))

    def start(self) -> None:
        """Write from now on."""
        self._tasks += [asyncio.get_running_loop().create_task(self._write()) for _ in range(_AT_ONCE)]

    async def _write(self) -> None:
        while True:
            latest, namespace, event = await self._waiting.get()
            try:
                await self._leisure(latest)
                await self.cluster.record(namespace, event)
            except Exception as error:  # noqa: BLE001 (whatever it is, the next ones are written)
                logger.info("event not recorded: %s: %s", type(error).__name__, error)
            finally:
                self._waiting.task_done()

    async def _leisure(self, latest: float) -> None:
        while self.is_busy() and not self._closes and time.monotonic() < latest:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(_LOOK_SECONDS)

    async def close(self) -> None:
        """Give the last ones a moment, and end."""
        self._closes = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._waiting.join(), _LAST_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
