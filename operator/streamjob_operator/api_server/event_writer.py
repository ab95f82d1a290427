"""Writes Kubernetes Events behind the turns: people read them, nothing waits for them."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field

from streamjob_operator.api_server.cluster import Cluster
from streamjob_operator.observed import Manifest
from streamjob_operator.telling.event_budget import EventBudget

# Written at a time; a thousand starts at once must not wait for what tells of them.
_AT_ONCE = 2
# More than that only wait where the API server takes none for minutes; then the oldest are dropped.
_WAITING = 10_000
_LAST_SECONDS = 2.0

logger = logging.getLogger(__name__)


@dataclass
class EventWriter:
    """Events that wait to be written."""

    cluster: Cluster
    _waiting: asyncio.Queue[tuple[str, Manifest]] = field(default_factory=asyncio.Queue)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _budget: EventBudget = field(default_factory=EventBudget)

    async def record(self, namespace: str, event: Manifest) -> None:
        """Have an Event written soon, if its object has not had too many."""
        if not self._budget.take(event["regarding"]["uid"]):
            return
        if self._waiting.qsize() >= _WAITING:
            logger.warning("events are dropped: the API server does not take them")
            self._waiting.get_nowait()
            self._waiting.task_done()
        self._waiting.put_nowait((namespace, event))

    def start(self) -> None:
        """Write from now on."""
        self._tasks += [asyncio.get_running_loop().create_task(self._write()) for _ in range(_AT_ONCE)]

    async def _write(self) -> None:
        while True:
            namespace, event = await self._waiting.get()
            try:
                await self.cluster.record(namespace, event)
            except Exception as error:  # noqa: BLE001 (whatever it is, the next ones are written)
                logger.info("event not recorded: %s: %s", type(error).__name__, error)
            finally:
                self._waiting.task_done()

    async def close(self) -> None:
        """Give the last ones a moment, and end."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._waiting.join(), _LAST_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
