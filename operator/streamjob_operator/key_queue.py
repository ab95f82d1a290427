"""Whose turn it is: a queue of keys without duplicates, each key worked on by one worker at a time."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from streamjob_operator.backoff import delay_seconds

KeyT = TypeVar("KeyT")

_FIRST_RETRY_SECONDS = 0.2
_LONGEST_RETRY_SECONDS = 60.0

logger = logging.getLogger(__name__)


class KeyQueue(Generic[KeyT]):
    """Keys that wait, keys that are worked on, keys that are due later.

    A key that is added while it waits is one turn; one that is added while it is worked on gets another turn after it.
    """

    def __init__(self) -> None:
        self._waiting: deque[KeyT] = deque()
        self._known: set[KeyT] = set()  # waiting
        self._working: set[KeyT] = set()
        self._again: set[KeyT] = set()  # added while worked on
        self._timers: dict[KeyT, asyncio.TimerHandle] = {}
        self._failures: dict[KeyT, int] = {}
        self._added = asyncio.Event()
        self.last_finished = time.monotonic()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, key: KeyT) -> None:
        """Ask for a turn."""
        if key in self._working:
            self._again.add(key)
        elif key not in self._known:
            self._known.add(key)
            self._waiting.append(key)
            self._added.set()

    def add_after(self, key: KeyT, seconds: float) -> None:
        """Ask for a turn in a while; of several such wishes the earliest counts."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        timer = self._timers.get(key)
        if timer is not None and not timer.cancelled():
            if timer.when() <= due:
                return
            timer.cancel()
        self._timers[key] = loop.call_at(due, self._due, key)

    def _due(self, key: KeyT) -> None:
        self._timers.pop(key, None)
        self.add(key)

    async def work(self, handle: Callable[[KeyT], Awaitable[float | None]]) -> None:
        """Work for ever. ``handle`` returns after how many seconds the key wants another turn, if it does.

        What it raises is logged, and the key gets another turn after an exponential back-off.
        """
        while True:
            key = await self._take()
            try:
                again_in = await handle(key)
            except Exception as error:  # noqa: BLE001 (whatever it is: the key is retried, the others go on)
                self._failed(key, error)
            else:
                self._failures.pop(key, None)
                if again_in is not None:
                    self.add_after(key, again_in)
            finally:
                self._done(key)

    async def _take(self) -> KeyT:
        while not self._waiting:
            self._added.clear()
            await self._added.wait()
        key = self._waiting.popleft()
        self._known.discard(key)
        self._working.add(key)
        return key

    def _done(self, key: KeyT) -> None:
        self._working.discard(key)
        self.last_finished = time.monotonic()
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def _failed(self, key: KeyT, error: Exception) -> None:
        failures = self._failures.get(key, 0) + 1
        self._failures[key] = failures
        wait = delay_seconds(failures, _FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS, str(key))
        logger.warning("retried in %.1f s: %s: %s", wait, type(error).__name__, error, extra={"key": str(key)})
        self.add_after(key, wait)
