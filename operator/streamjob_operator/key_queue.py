"""Whose turn it is: a queue of keys without duplicates, each key worked on by one worker at a time.

What happened now (a watch showed something, a turn asks for the next) goes before the routine (a relist, a start with
thousands of jobs, a retry, a minute that is over), but one turn in four is the routine's, so that neither starves.
Keys of one lane, that is of one OU, never hold more workers than are free: OUs whose API calls hang leave room.
"""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from streamjob_operator.backoff import delay_seconds
from streamjob_operator.fair_line import FairLine

KeyT = TypeVar("KeyT", bound=Hashable)

_FIRST_RETRY_SECONDS = 0.2
_LONGEST_RETRY_SECONDS = 30.0
# Far above what a turn takes on a slow API server. It may be cut off anywhere, as the process may be killed anywhere.
_TURN_SECONDS = 300.0
# Every fourth turn is the routine's, if it waits.
_ROUTINE_SHARE = 4

logger = logging.getLogger(__name__)


class KeyQueue(Generic[KeyT]):
    """Keys that wait, keys that are worked on, keys that are due later.

    A key that is added while it waits is one turn; one that is added while it is worked on gets another turn after it.

    Args:
        lane: who shares workers with whom.
    """

    def __init__(self, lane: Callable[[KeyT], str] = str, turn_seconds: float = _TURN_SECONDS) -> None:
        self._lane = lane
        self._turn_seconds = turn_seconds
        self._urgent: FairLine[KeyT] = FairLine()
        self._routine: FairLine[KeyT] = FairLine()
        self._waiting: dict[KeyT, tuple[bool, float]] = {}  # whether it is routine, and since when it waits
        self._working: dict[KeyT, float] = {}  # since when
        self._busy: Counter[str] = Counter()  # workers, by lane
        self._workers = 0
        self._taken = 0
        self._again: dict[KeyT, bool] = {}  # added while worked on
        self._timers: dict[KeyT, asyncio.TimerHandle] = {}
        self._failures: dict[KeyT, int] = {}
        self._idle: deque[asyncio.Future[None]] = deque()
        self.last_finished = time.monotonic()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_busy(self) -> bool:
        """Whether more keys wait than there are workers: what nobody waits for is better done later."""
        return len(self._waiting) > self._workers

    @property
    def oldest_seconds(self) -> float:
        """How long the key that waits longest has waited."""
        return time.monotonic() - min((since for _, since in self._waiting.values()), default=time.monotonic())

    @property
    def longest_turn_seconds(self) -> float:
        """How long the turn that is under way longest has taken."""
        return time.monotonic() - min(self._working.values(), default=time.monotonic())

    @property
    def failing(self) -> int:
        """Keys whose last turn failed."""
        return len(self._failures)

    def add(self, key: KeyT, *, routine: bool = False) -> None:
        """Ask for a turn."""
        if key in self._working:
            self._again[key] = routine and self._again.get(key, True)
            return
        was_routine, since = self._waiting.get(key, (None, time.monotonic()))
        if was_routine is None or (was_routine and not routine):
            self._waiting[key] = (routine, since)
            (self._routine if routine else self._urgent).push(self._lane(key), key)
            self._wake_one()

    def add_after(self, key: KeyT, seconds: float) -> None:
        """Ask for a turn in a while; of several such wishes the earliest counts."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        timer = self._timers.get(key)
        if timer is not None and not timer.cancelled():
            if timer.when() <= due:
                return
            timer.cancel()
        self._timers[key] = loop.call_at(due, self._due, key, seconds > 0)

    def _due(self, key: KeyT, routine: bool) -> None:
        self._timers.pop(key, None)
        self.add(key, routine=routine)

    async def work(self, handle: Callable[[KeyT], Awaitable[float | None]]) -> None:
        """Work for ever. ``handle`` returns after how many seconds the key wants another turn, if it does.

        What it raises is logged, and the key gets another turn after an exponential back-off.
        """
        self._workers += 1
        try:
            while True:
                await self._turn(await self._take(), handle)
        finally:
            self._workers -= 1

    async def _turn(self, key: KeyT, handle: Callable[[KeyT], Awaitable[float | None]]) -> None:
        try:
            async with asyncio.timeout(self._turn_seconds):
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
        await asyncio.sleep(0)  # a turn that had nothing to wait for would keep the loop from watches and probes
        while (key := self._next()) is None:
            woken = asyncio.get_running_loop().create_future()
            self._idle.append(woken)
            await woken
        if self._waiting:
            self._wake_one()
        return key

    def _wake_one(self) -> None:
        while self._idle:
            woken = self._idle.popleft()
            if not woken.done():
                woken.set_result(None)
                return

    def _next(self) -> KeyT | None:
        self._taken += 1
        routine_first = self._taken % _ROUTINE_SHARE == 0
        for routine in (routine_first, not routine_first):
            while (found := (self._routine if routine else self._urgent).pop(self._may)) is not None:
                lane, key = found
                if self._waiting.get(key, (None,))[0] is not routine:
                    continue  # it became urgent since, or had its turn
                del self._waiting[key]
                self._working[key] = time.monotonic()
                self._busy[lane] += 1
                return key
        return None

    def _may(self, lane: str) -> bool:
        """Whether a lane may take one more worker: it holds fewer than are free."""
        return self._busy[lane] < self._workers - self._busy.total()

    def _done(self, key: KeyT) -> None:
        del self._working[key]
        lane = self._lane(key)
        self._busy[lane] -= 1
        if not self._busy[lane]:
            del self._busy[lane]
        self.last_finished = time.monotonic()
        if key in self._again:
            self.add(key, routine=self._again.pop(key))

    def _failed(self, key: KeyT, error: Exception) -> None:
        failures = self._failures.get(key, 0) + 1
        self._failures[key] = failures
        wait = delay_seconds(failures, _FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS, str(key))
        logger.warning("retried in %.1f s: %s: %s", wait, type(error).__name__, error, extra={"key": str(key)})
        self.add_after(key, wait)
