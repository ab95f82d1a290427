"""Ask drivers how they are: pulled by pod IP, spread evenly, at once when a pod's readiness changes."""

import asyncio
import logging
from collections.abc import Callable

import aiohttp
from pydantic import ValidationError

from streamjob_api.job_file import DRIVER_HTTP_PORT
from streamjob_api.progress import MAX_PROGRESS_BYTES, DriverState, Progress
from streamjob_operator.backoff import fraction
from streamjob_operator.observed import JobKey, Pod
from streamjob_operator.settings import Settings
from streamjob_operator.telling.status import is_notable
from streamjob_operator.world import World

_AT_ONCE = 64  # requests under way
_TIMEOUT = aiohttp.ClientTimeout(total=5)
# A driver that starts or waits is asked more often, since somebody watches; thousands of them, which nobody can watch,
# so many a second.
_IMPATIENT_SECONDS = 5.0
_IMPATIENT_AT_MOST = 20
# Answers missed in a row before what was said last no longer counts.
_FORGET_AFTER = 3

logger = logging.getLogger(__name__)


class ProgressPuller:
    """Asks each living driver in turn, and says whose answer is worth a turn in the queue."""

    def __init__(self, world: World, settings: Settings, wake: Callable[[JobKey], None]) -> None:
        self._world = world
        self._settings = settings
        self._wake = wake
        self._timers: dict[JobKey, asyncio.TimerHandle] = {}
        self._asking: dict[JobKey, asyncio.Task[None]] = {}
        self._missed: dict[JobKey, int] = {}
        self._impatient: set[JobKey] = set()
        self._limit = asyncio.Semaphore(_AT_ONCE)
        self._closed = False
        self._session: aiohttp.ClientSession | None = None
        self.asked, self.failed = 0, 0

    def meet(self, key: JobKey) -> None:
        """Ask a driver that was there before this process: one that is ready at its moment, as it was asked before."""
        pod = self._driver(key)
        if pod is None or not pod.ready:
            self.ask(key)
        elif key not in self._timers and key not in self._asking:
            self._ask_in(self._until_its_moment(pod), key)

    def expect(self, key: JobKey) -> None:
        """A driver that starts has an address, but hardly anything to say yet: ask it in its turn."""
        if key not in self._timers and key not in self._asking:
            self._ask_in(self._impatience(key), key)

    def ask(self, key: JobKey) -> None:
        """Ask this job's driver now."""
        timer = self._timers.pop(key, None)
        if timer:
            timer.cancel()
        if key not in self._asking and not self._closed:
            task = asyncio.get_running_loop().create_task(self._ask(key))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))

    async def close(self) -> None:
        """Stop asking."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session:
            await self._session.close()

    async def _ask(self, key: JobKey) -> None:
        pod = self._driver(key)
        if pod is None or not pod.ip:
            self._missed.pop(key, None)
            self._impatient.discard(key)
            return  # asked again when a pod has an address
        async with self._limit:
            progress = await self._fetch(pod)
        self._take(key, pod, progress)
        pause = self._pause(key, self._driver(key) or pod, progress)
        self._ask_in(pause, key)

    def _ask_in(self, seconds: float, key: JobKey) -> None:
        self._timers[key] = asyncio.get_running_loop().call_later(seconds, self.ask, key)

    def _impatience(self, key: JobKey) -> float:
        """How long to leave a driver alone that is not running yet."""
        self._impatient.add(key)
        return max(_IMPATIENT_SECONDS, len(self._impatient) / _IMPATIENT_AT_MOST)

    def _driver(self, key: JobKey) -> Pod | None:
        alive = (pod for pod in self._world.pods(key) if not pod.finished)
        return max(alive, key=lambda pod: pod.attempt, default=None)

    async def _fetch(self, pod: Pod) -> Progress | None:
        """What the driver says, or None when it says nothing that can be read."""
        self._session = self._session or aiohttp.ClientSession(timeout=_TIMEOUT)
        host = f"[{pod.ip}]" if ":" in pod.ip else pod.ip
        self.asked += 1
        try:
            async with self._session.get(f"http://{host}:{DRIVER_HTTP_PORT}/progress") as answer:
                answer.raise_for_status()
                return Progress.model_validate_json(await _bounded(answer.content))
        except (aiohttp.ClientError, TimeoutError, OSError, ValidationError) as error:
            self.failed += 1
            logger.debug("no progress from %s/%s: %s", pod.namespace, pod.name, error)
            return None

    def _take(self, key: JobKey, pod: Pod, progress: Progress | None) -> None:
        job = self._world.job(key)
        if job is None:
            return
        first = not self._world.was_asked(key, pod.uid)
        earlier = self._world.heard(key, pod.uid)
        self._missed[key] = 0 if progress else self._missed.get(key, 0) + 1
        if progress is None and earlier is not None and self._missed[key] < _FORGET_AFTER:
            return
        self._world.progress[key] = (pod.uid, progress)
        if first or is_notable(job.status, earlier, progress, self._settings.throughput_interval_seconds):
            self._wake(key)

    def _pause(self, key: JobKey, pod: Pod, progress: Progress | None) -> float:
        if progress is None or progress.state is not DriverState.RUNNING or not pod.ready:
            return self._impatience(key)
        self._impatient.discard(key)
        return self._until_its_moment(pod)

    def _until_its_moment(self, pod: Pod) -> float:
        """Once a minute, at a moment of the minute that each pod has for itself."""
        interval = self._settings.progress_interval_seconds
        now = asyncio.get_running_loop().time()
        offset = fraction(pod.uid) * interval
        pause = interval - (now - offset) % interval
        return pause if pause > interval / 10 else pause + interval


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    """All that comes, or one byte more than is allowed, which then is no JSON: a driver's image may be anybody's."""
    body = b""
    while len(body) <= MAX_PROGRESS_BYTES and (part := await content.read(MAX_PROGRESS_BYTES + 1 - len(body))):
        body += part
    return body if len(body) <= MAX_PROGRESS_BYTES else b""
