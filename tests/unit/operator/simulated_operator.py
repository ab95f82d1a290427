"""The operator's own turns, watches and queue on a clock and an order that the test chooses; asyncio takes no part."""

from __future__ import annotations

import contextlib
import random
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from streamjob_api import kinds
from streamjob_api.progress import DriverState, Progress
from streamjob_operator.api_server.cluster import ApiError, NotLeading
from streamjob_operator.api_server.live_reads import LiveReads
from streamjob_operator.backoff import delay_seconds
from streamjob_operator.key_queue import KeyQueue
from streamjob_operator.observed import JobKey, Key, Manifest, OuKey
from streamjob_operator.progress import ProgressPuller
from streamjob_operator.reconcile import Reconciler
from streamjob_operator.service import Operator
from streamjob_operator.settings import Settings
from streamjob_operator.sightings import Sightings
from unit.operator.builders import CATALOGUE
from unit.operator.simulated_api import SimulatedApi, SimulatedCluster

SETTINGS = Settings(catalogue=CATALOGUE, namespaces=("ou",))
WORKERS = 8
# The net below lost events; as long as the real operator's.
RELIST_SECONDS = SETTINGS.relist_interval_seconds

Turn = Coroutine[Any, Any, Any]


class ManualQueue(KeyQueue[Key]):
    """Keys that wait or are due later, without an event loop."""

    def __init__(self, api: SimulatedApi) -> None:
        super().__init__()
        self._api = api
        self.waiting: deque[Key] = deque()
        self.working: set[Key] = set()
        self.again: set[Key] = set()
        self.due: dict[Key, datetime] = {}

    def __len__(self) -> int:
        return len(self.waiting)

    def add(self, key: Key, *, routine: bool = False) -> None:  # noqa: ARG002
        if key in self.working:
            self.again.add(key)
        elif key not in self.waiting:
            self.waiting.append(key)

    def add_after(self, key: Key, seconds: float) -> None:
        then = self._api.now + timedelta(seconds=seconds)
        self.due[key] = min(then, self.due.get(key, then))

    def wake_due(self) -> None:
        for key in [key for key, then in self.due.items() if then <= self._api.now]:
            del self.due[key]
            self.add(key)

    def done(self, key: Key) -> None:
        self.working.discard(key)
        if key in self.again:
            self.again.discard(key)
            self.add(key)


class ManualPuller(ProgressPuller):
    """Drivers answer when the test lets them."""

    def __init__(self, operator: Operator) -> None:
        super().__init__(operator.world, SETTINGS, operator.queue.add)
        self.asked_of: list[JobKey] = []

    def ask(self, key: JobKey) -> None:
        if key not in self.asked_of:
            self.asked_of.append(key)

    meet = expect = ask


@dataclass
class SimulatedOperator:
    """One process: it has its cache, its queue, turns under way, and watch events on their way to it."""

    api: SimulatedApi
    chance: random.Random
    turns: list[tuple[Key, Turn]] = field(default_factory=list)
    failures: dict[Key, int] = field(default_factory=dict)
    pending: dict[str, deque[tuple[str, Manifest]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cluster = self.connect()
        self.operator = Operator(SETTINGS, lambda: None)
        self.queue = ManualQueue(self.api)
        self.operator.queue = self.queue
        self.puller = ManualPuller(self.operator)
        self.operator.puller = self.puller
        self.operator.sightings = Sightings(self.operator.world, self.queue, self.operator.metrics, self.puller)
        self.api.watchers.append(self._saw)
        self._drive(self.operator.sightings.relist(self.cluster, SETTINGS.namespaces))
        self.reconciler: Reconciler = self.operator.begin(
            self.cluster,
            LiveReads(self.cluster, self.operator.world, self.operator.sightings),
            self.cluster.record,
            lambda: self.api.now,
        )
        self.listed_at = self.api.now

    def connect(self) -> SimulatedCluster:
        """A client of its own."""
        return SimulatedCluster(self.api)

    def _saw(self, event: str, plural: str, body: Manifest) -> None:
        self.pending.setdefault(plural, deque()).append((event, body))

    @staticmethod
    def _drive(turn: Turn) -> None:
        """Run a coroutine to its end."""
        try:
            while True:
                turn.send(None)
        except StopIteration:
            return

    def crash(self) -> list[Turn]:
        """The process is gone; the requests that it had sent may still be carried out."""
        self.api.watchers.remove(self._saw)
        left = [turn for _, turn in self.turns]
        self.turns.clear()
        return left

    def relist(self) -> None:
        """The safety net: everything is listed, and gets its turn."""
        self.listed_at = self.api.now
        with contextlib.suppress(ApiError):  # a round that fails is made good by the next one
            self._drive(self.operator.sightings.relist(self.cluster, SETTINGS.namespaces))
        self.queue.add(OuKey(self.api.namespace))
        for key in self.operator.world.job_keys():
            self.queue.add(key)

    def deliver(self, plural: str) -> None:
        """One watch event arrives; those of one kind come in order."""
        event, body = self.pending[plural].popleft()
        deleted = event == "DELETED"
        if plural == kinds.STREAM_JOBS:
            self.operator.saw_job(deleted, body)
        elif plural == kinds.STREAM_RESOURCES:
            self.operator.saw_resource(deleted, body)
        elif plural == "pods" and kinds.COMPONENT_LABEL in body["metadata"].get("labels", {}):
            self.operator.saw_pod(deleted, body)

    def lose_events(self, plural: str) -> None:
        """A watch is cut, and what it would have shown never comes; the next listing shows what there is."""
        self.pending.get(plural, deque()).clear()

    @property
    def is_idle(self) -> bool:
        return not (self.turns or self.queue.waiting or self.puller.asked_of or any(self.pending.values()))

    def tick(self) -> None:
        """What is due by the clock gets its turn."""
        if (self.api.now - self.listed_at).total_seconds() >= RELIST_SECONDS:
            self.relist()
        self.queue.wake_due()

    def step(self) -> None:
        """One thing happens in the process."""
        self.tick()
        options: list[Callable[[], None]] = [partial(self.deliver, each) for each, told in self.pending.items() if told]
        options += [self._answer] if self.puller.asked_of else []
        options += [self._take] if self.queue.waiting and len(self.turns) < WORKERS else []
        options += [self._advance_any] * min(len(self.turns), 3)
        if options:
            self.chance.choice(options)()

    def _take(self) -> None:
        key = self.queue.waiting.popleft()
        self.queue.working.add(key)
        self.turns.append((key, cast("Turn", self.reconciler.reconcile(key))))
        self.advance(len(self.turns) - 1)

    def _advance_any(self) -> None:
        self.advance(self.chance.randrange(len(self.turns)))

    def advance(self, place: int) -> None:
        key, turn = self.turns.pop(place)
        try:
            turn.send(None)
            self.turns.append((key, turn))
            return
        except StopIteration as end:
            self.failures.pop(key, None)
            if end.value is not None:
                self.queue.add_after(key, end.value)
        except (ApiError, NotLeading):
            self.failures[key] = self.failures.get(key, 0) + 1
            self.queue.add_after(key, delay_seconds(self.failures[key], 0.2, 60.0, str(key)))
        self.queue.done(key)

    def _answer(self) -> None:
        """A driver is asked, and answers when its container runs."""
        key = self.puller.asked_of.pop(0)
        world = self.operator.world
        pod = max((pod for pod in world.pods(key) if not pod.finished), key=lambda pod: pod.attempt, default=None)
        if pod is None or not pod.ip or world.job(key) is None:
            return
        there = self.api.objects.get(("pods", pod.name))
        runs = there is not None and there["metadata"]["uid"] == pod.uid and pod.ready
        world.progress[key] = (pod.uid, self._said(pod.attempt) if runs else None)
        self.queue.add(key)

    def _said(self, attempt: int) -> Progress:
        return Progress(state=DriverState.RUNNING, attempt=attempt, started_at=self.api.now, observed_at=self.api.now)
