"""The operator as a whole: cache, queue, workers, puller, lease and health, wired together."""

import asyncio
import contextlib
import gc
import logging
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any

import aiohttp

from streamjob_operator import log_context
from streamjob_operator.api_server.cluster import ApiError, Cluster, NotFound
from streamjob_operator.api_server.connection import connection_from_environment
from streamjob_operator.api_server.connection_checks import ConnectionChecks
from streamjob_operator.api_server.event_writer import EventWriter
from streamjob_operator.api_server.leader import Leadership
from streamjob_operator.api_server.live_reads import LiveReads
from streamjob_operator.api_server.models_reader import ModelsReader
from streamjob_operator.api_server.revisions import Revisions
from streamjob_operator.api_server.shared_reads import SharedReads
from streamjob_operator.api_server.start_events import StartEvents
from streamjob_operator.backoff import fraction
from streamjob_operator.health import Check, HealthServer, LoopLag
from streamjob_operator.key_queue import KeyQueue
from streamjob_operator.metrics import Metrics, Reading
from streamjob_operator.observed import JobKey, Key, Manifest, ModelsKey, OuKey
from streamjob_operator.ou_turns import OuTurns
from streamjob_operator.progress import ProgressPuller
from streamjob_operator.reconcile import Reconciler, utc_now
from streamjob_operator.settings import Settings
from streamjob_operator.sightings import Sightings
from streamjob_operator.watches import DEAD_SECONDS, Watches
from streamjob_operator.world import World

# A listing that a watch asked for waits for the other watches that begin, or were cut off, with it.
_LISTING_WAITS_SECONDS = 2.0
_FIRST_LISTING_RETRY_SECONDS = 3.0
# A loop this late, a queue this long without a finished turn, a watch that is dead although the API server answered
# within this time: broken for good.
_LAG_LIMIT_SECONDS = 30.0
_STUCK_LIMIT_SECONDS = 360.0  # beyond what any turn may take
_ANSWERS_SECONDS = 60.0
_TURNS = {JobKey: "job", OuKey: "ou", ModelsKey: "models"}

logger = logging.getLogger(__name__)


class Operator:
    """Everything that lives as long as the process."""

    def __init__(self, settings: Settings, stop: Callable[[], None]) -> None:
        self._settings = settings
        self._stop = stop
        self._tasks: list[asyncio.Task[None]] = []
        self._stack = contextlib.AsyncExitStack()
        self._lag = LoopLag()
        self._leaves = False
        self._turns: Counter[str] = Counter()
        self._cluster: Cluster | None = None
        self._listing_wanted = asyncio.Event()
        self.world = World(settings.catalogue)
        self.queue: KeyQueue[Key] = KeyQueue(lane=_lane)
        self.events = 0
        self.last_event = time.monotonic()
        self.puller = ProgressPuller(self.world, settings, self.queue.add)
        self.watches = Watches(self._watch_ended, self._listing_wanted.set)
        self.metrics = Metrics(self.world, self.queue)
        self.sightings = Sightings(self.world, self.queue, self.metrics, self.puller)
        self.metrics.read(self._readings)

    async def start(self) -> None:
        """Connect, list, then act: alone, or as soon as this replica leads."""
        cluster = Cluster(await connection_from_environment())
        self._cluster = cluster
        self._stack.push_async_callback(cluster.close)
        await self._serve_health()
        self._run(self._lag.run())
        await self._first_listing(cluster)
        if self._settings.leader_election:
            leadership = Leadership(cluster, self._settings.lease_namespace, self._settings.identity, self._stop)
            cluster.may_write = leadership.holds_still
            self._stack.push_async_callback(leadership.release)
            self._run(leadership.run())
            self._run(self._act(cluster, leadership.acquired))
        else:
            self._run(self._act(cluster, None))
        self._stack.push_async_callback(self.puller.close)

    async def _first_listing(self, cluster: Cluster) -> None:
        """List everything; an API server that is down is waited for, not died of, or every retry would come later."""
        while not self.sightings.counts_starts:
            gc.disable()  # it would look through all that was listed so far, again and again: none of it is garbage
            try:
                await self.sightings.relist(cluster, self._settings.namespaces)
                gc.freeze()
                self.sightings.counts_starts = True
            except NotFound as error:
                raise RuntimeError("the API server does not know StreamJobs: apply the CRDs first") from error
            except (ApiError, aiohttp.ClientError, TimeoutError) as error:
                if isinstance(error, ApiError) and error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    raise
                logger.warning("the API server does not answer: %s: %s", type(error).__name__, error)
                await asyncio.sleep(_FIRST_LISTING_RETRY_SECONDS)
            finally:
                gc.enable()

    async def stop(self) -> None:
        """Stop working first, let go of the lease then, so that nobody acts beside the next leader."""
        self._leaves = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """None of these tasks may end unseen before the operator does: the process ends, and starts anew."""
        if task.cancelled():
            if not self._leaves:
                logger.error("a task was cancelled")
                self._stop()
        elif error := task.exception():
            logger.error("a task failed", exc_info=error)
            self._stop()

    def _watch_ended(self, reason: str) -> None:
        """The process ends, and starts anew; another replica acts meanwhile."""
        logger.error("%s", reason)
        self._stop()

    async def _act(self, cluster: Cluster, leading: asyncio.Event | None) -> None:
        """Work on the queue, once this replica may."""
        if leading:
            await leading.wait()
        events = EventWriter(cluster, lambda: self.queue.is_busy)
        events.start()
        self._stack.push_async_callback(events.close)
        self.sightings.starts = StartEvents(cluster, self.world, self.queue.add)
        self._stack.push_async_callback(self.sightings.starts.close)
        reconciler = self.begin(cluster, SharedReads(cluster, self.world, self.sightings), events.record)
        reconcile = self._counted(reconciler)
        turns = (self.queue.work(reconcile) for _ in range(self._settings.workers))
        await asyncio.gather(*turns, self._relist_for_ever(cluster))

    def begin(
        self,
        cluster: Cluster,
        live: LiveReads,
        record: Callable[[str, Manifest], Awaitable[None]],
        now: Callable[[], datetime] = utc_now,
    ) -> Reconciler:
        """Act from now on: everything that is known gets its turn, and drivers are asked how they are."""
        models = ModelsReader(cluster, self.world, self._settings.models_interval_seconds)
        checks = ConnectionChecks(cluster, self.world, self._settings.driver)
        ous = OuTurns(cluster, self.world, self.queue, live, models, checks, now)
        self.sightings.acts = True
        self._wake_all()
        revisions = Revisions(cluster, self.world)
        expect = self.puller.expect
        return Reconciler(cluster, self.world, self._settings, self.queue, expect, live, ous, record, revisions, now)

    def _enter(self, key: Key) -> None:
        """Let log lines of this turn say whose it is."""
        job = self.world.job(key) if isinstance(key, JobKey) else None
        named = key.name if isinstance(key, JobKey) else None
        log_context.enter(namespace=key.namespace, job=named, attempt=job.status.attempt if job else None)

    def _counted(self, reconciler: Reconciler) -> Callable[[Key], Awaitable[float | None]]:
        async def turn(key: Key) -> float | None:
            kind, since = _TURNS[type(key)], time.monotonic()
            self._turns[kind] += 1
            self._enter(key)
            try:
                return await reconciler.reconcile(key)
            finally:
                self.metrics.turn(kind, since)

        return turn

    def _wake_all(self) -> None:
        for namespace in self.world.namespaces():
            self.queue.add(OuKey(namespace), routine=True)
        for key in self.world.job_keys():
            self.queue.add(key, routine=True)
            self.puller.meet(key)
            if self.sightings.starts:
                self.sightings.starts.see(key)

    async def _relist_for_ever(self, cluster: Cluster) -> None:
        """Everything is listed anew when a watch has begun, and, as the safety net below them, now and then."""
        pause = self._settings.relist_interval_seconds
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._listing_wanted.wait()
                await asyncio.sleep(_LISTING_WAITS_SECONDS)
            self._listing_wanted.clear()
            try:
                await self.sightings.relist(cluster, self._settings.namespaces)
            except Exception:  # a net with a hole is mended at the next round; the watches go on
                logger.exception("listing failed")
            keys: list[Key] = [*map(OuKey, self.world.namespaces()), *self.world.job_keys()]
            for key in keys:
                self.queue.add_after(key, fraction(str(key)) * pause / 10)

    def saw_job(self, deleted: bool, body: Manifest) -> None:
        """A watch showed a job."""
        self._count_event()
        self.sightings.job(deleted, body)

    def saw_resource(self, deleted: bool, body: Manifest) -> None:
        """A watch showed a StreamResource."""
        self._count_event()
        self.sightings.resource(deleted, body)

    def saw_pod(self, deleted: bool, body: Manifest) -> None:
        """A watch showed a pod of the operator's or of a driver's making."""
        self._count_event()
        self.sightings.pod(deleted, body)

    def _count_event(self) -> None:
        self.events += 1
        self.last_event = time.monotonic()

    async def _serve_health(self) -> None:
        checks = (
            Check(lambda: self._lag.seconds, _LAG_LIMIT_SECONDS, "the event loop is {seconds:.0f} s late"),
            Check(self._stuck_seconds, _STUCK_LIMIT_SECONDS, "keys wait, but none was finished for {seconds:.0f} s"),
            Check(
                self._deaf_seconds,
                DEAD_SECONDS,
                "a watch was not answered for {seconds:.0f} s, although the API server answers",
            ),
        )
        address = (self._settings.http_host, self._settings.http_port)
        server = HealthServer(address, self.metrics.registry, checks, lambda: self.sightings.counts_starts)
        await server.start()
        self._stack.push_async_callback(server.stop)

    def _stuck_seconds(self) -> float:
        return time.monotonic() - self.queue.last_finished if len(self.queue) and self._turns else 0.0

    def _deaf_seconds(self) -> float:
        """For how long a watch has heard nothing, while the API server answers others."""
        asked = time.monotonic() - self._cluster.answered if self._cluster else math.inf
        answers = min(asked, self.watches.newest_seconds) < _ANSWERS_SECONDS
        return self.watches.oldest_seconds if answers else 0.0

    def _readings(self) -> Iterable[Reading]:
        since_event, since_answer = time.monotonic() - self.last_event, self.watches.oldest_seconds
        yield Reading("gauge", "leads", "Whether this replica acts.", self.sightings.acts)
        yield Reading("counter", "watch_events", "Events seen by the watches.", self.events)
        yield Reading("gauge", "last_event_age_seconds", "Time since the last watch event.", since_event)
        yield Reading("gauge", "watch_age_seconds", "Time since every watch was answered.", since_answer)
        yield Reading("counter", "job_turns", "Turns of jobs.", self._turns["job"])
        yield Reading("counter", "ou_turns", "Turns of OUs.", self._turns["ou"])
        yield Reading("counter", "models_looks", "Looks at thing models.", self._turns["models"])
        yield from self._of_requests()
        yield Reading("counter", "progress_asked", "Drivers asked for their progress.", self.puller.asked)
        yield Reading("counter", "progress_failed", "Drivers that gave no answer.", self.puller.failed)
        yield Reading("gauge", "loop_lag_seconds", "How late the event loop is.", self._lag.seconds)
        yield Reading("gauge", "loop_lag_worst_seconds", "How late it was at worst.", self._lag.worst_seconds)
        yield Reading("gauge", "tasks", "Tasks of the event loop.", len(asyncio.all_tasks()))

    def _of_requests(self) -> Iterable[Reading]:
        sent = {(request,): float(count) for request, count in self._cluster.sent.items()} if self._cluster else {}
        answers = self.watches.answers + (self._cluster.answers if self._cluster else Counter())
        numbers = {labels: float(count) for labels, count in answers.items()}
        yield Reading("counter", "api_requests", "Requests to the API server, watches left out.", sent, ("request",))
        yield Reading("counter", "api_answers", "Answers of the API server.", numbers, ("verb", "status"))


def _lane(key: Key) -> str:
    """An OU's jobs share a lane. Its ledger has one of its own: who is admitted must not wait for who queues."""
    return f"ledger of {key.namespace}" if isinstance(key, OuKey) else key.namespace
