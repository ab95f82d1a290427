"""Two operators that both act on one OU, each with a cache that lags; capacity is checked at each write.

Both go over the ledger at once, as they like; a job has its turn in one of them at a time, which in a cluster the lease
sees to. There are two models of what no protocol can order, a request to create a pod that is on its way:

- ``at_once``: the look at the grant and the creation of the pod are one step; users edit whatever, whenever they like;
- otherwise these, too, are left hanging at every await, while caches lag and other jobs come, go and are edited; but no
  turn takes longer than CU are leaving, and a user's edit of a job does not overtake the request that starts it.
"""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass, field
from typing import Any

from streamjob_api import kinds
from streamjob_operator.observed import JobKey, Manifest
from unit.operator import simulated_kubelet as kubelet
from unit.operator.simulated_api import SimulatedCluster, later
from unit.operator.simulated_operator import SimulatedOperator
from unit.operator.simulated_ou import SimulatedOu, cu_of, ready_of

_STEPS_TO_REST = 20_000
# Beyond the longest back-off of the jobs here (1 min), the net below the ledger (5 s), and CU that are leaving (1 s).
_QUIET_SECONDS = 90
# A turn is over before CU that were taken back at its beginning are free.
_LONGEST_TURN_SECONDS = 0.9
# A step takes time: until the slower operator has gone over the ledger, two tell jobs different places in turn.
_STEP_SECONDS = 0.002
# Kubelets do not wait until operators are idle; and these ask drivers again, or two that heard different things would
# write different things for ever.
_ROUND_STEPS = 50
# Each round ends whoever runs: more of them than there are jobs.
_ROUNDS = 8


class PromptCluster(SimulatedCluster):
    """A client whose starts are one step with the look at the grant before them."""

    async def request(self, method: str, path: str, *args: Any, **more: Any) -> Manifest:
        plural = path.split("/namespaces/")[1].split("/")[1]
        body = args[0] if args else more.get("body")
        if method == "GET" and plural == kinds.STREAM_RESOURCES:
            return self._answer(method, path, None, more.get("query"))
        if method != "DELETE" and plural in {"configmaps", "persistentvolumeclaims", "pods"} and body:
            return self._answer(method, path, body, more.get("query"))
        return await super().request(method, path, *args, **more)

    def _answer(self, method: str, path: str, body: Manifest | None, query: Any) -> Manifest:
        return copy.deepcopy(self._carried_out(method, path, copy.deepcopy(body), query or {}))


@dataclass
class PoliteOperator(SimulatedOperator):
    """An operator that leaves a job alone while the other is at it."""

    rivals: list[SimulatedOperator] = field(default_factory=list)

    def _take(self) -> None:
        key = self.queue.waiting[0]
        if isinstance(key, JobKey) and any(key in rival.queue.working for rival in self.rivals):
            self.queue.waiting.rotate(-1)
        else:
            super()._take()


@dataclass
class PromptOperator(PoliteOperator):
    """An operator with such a client."""

    def connect(self) -> SimulatedCluster:
        return PromptCluster(self.api)


@dataclass
class SimulatedRace(SimulatedOu):
    """One namespace with two acting operators."""

    at_once: bool = True
    operators: list[SimulatedOperator] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.api.on_change = self._check
        self.api.create(kinds.STREAM_RESOURCES, self._resource())
        self.most = self.capacity
        self.calm_at = self.api.now
        kind = PromptOperator if self.at_once else PoliteOperator
        one, two = kind(self.api, self.chance), kind(self.api, self.chance)
        one.rivals, two.rivals = [two], [one]
        self.operators = [one, two]

    # What must hold at every moment.

    def _check(self, event: str, plural: str, body: Manifest) -> None:
        if plural == "pods" and event == "ADDED" and body in self.drivers():
            self._check_start(body)
        if plural == kinds.STREAM_RESOURCES and self._counted() <= self.capacity:
            self.most = self.capacity

    def _check_start(self, pod: Manifest) -> None:
        name, (owner,) = pod["metadata"]["labels"][kinds.JOB_LABEL], pod["metadata"]["ownerReferences"]
        live = self.live()
        assert live <= self.most, f"{live:g} CU of live pods, {self.most:g} there are; {name} has just started"
        own = [each["metadata"]["name"] for each in self.drivers(name) if kubelet.is_live(each)]
        assert len(own) == 1, f"live drivers of {name}: {own}"
        held = sum(of.get(f"{name}/{owner['uid'][:8]}", 0) for of in self._written())
        assert held >= cu_of(pod), f"{name} runs without having been admitted"

    def live(self) -> float:
        """CU of live pods."""
        return sum(cu_of(pod) for pod in self.drivers() if kubelet.is_live(pod))

    def _written(self) -> list[dict[str, float]]:
        status = self.resource_status
        return [status.get(part, {}).get("standalone", {}) for part in ("holders", "leaving")]

    def _counted(self) -> float:
        return sum(sum(of.values()) for of in self._written())

    # What users and clocks do.

    def resize(self, capacity: float) -> None:
        """What is held already is not taken away; only then may more live than there is."""
        self.most = max(capacity, self._counted())
        super().resize(capacity)

    def before_an_edit(self, name: str) -> None:
        """Where it must be so, no start of this job is on its way."""
        if not self.at_once:
            self.finish_turns(JobKey(self.api.namespace, name))

    def finish_turns(self, key: JobKey | None = None) -> None:
        """Requests that are on their way, for a job or for all, arrive and are answered."""
        for operator in self.operators:
            while concerned := [place for place, (of, _) in enumerate(operator.turns) if key in {None, of}]:
                operator.advance(concerned[0])

    def wait(self, seconds: float) -> None:
        """The clock goes on; no turn takes too long."""
        if all(not operator.turns for operator in self.operators):
            self.calm_at = self.api.now
        if (self.api.now - self.calm_at).total_seconds() + seconds > _LONGEST_TURN_SECONDS:
            self.finish_turns()
            self.calm_at = self.api.now
        later(self.api, seconds)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.chance.choice(self.operators).step()

    # What it all comes to.

    def calm_down(self) -> None:
        """Nobody does anything any more."""
        end = self.api.now.timestamp() + _QUIET_SECONDS
        while self.api.now.timestamp() < end:
            self.settle()
            later(self.api, max(0.05, min(self._next_due(), end) - self.api.now.timestamp()))
        self.settle()
        self._check_quiet()

    def _next_due(self) -> float:
        return min(
            (then.timestamp() for operator in self.operators for then in operator.queue.due.values()),
            default=float("inf"),
        )

    def settle(self) -> None:
        for step in range(_STEPS_TO_REST):
            later(self.api, _STEP_SECONDS)
            self.api.collect_garbage()
            busy = False
            for operator in self.operators:
                operator.tick()
                busy = busy or not operator.is_idle
                operator.step()
            moving = [pod for pod in self.drivers() if kubelet.is_terminating(pod) or not kubelet.is_ready(pod)]
            if not busy and not moving:
                return
            if moving and (not busy or step % _ROUND_STEPS == 0):
                kubelet.go_on(self.api, moving[0])
            if busy and step % _ROUND_STEPS == 0:
                self._ask_drivers()
        raise AssertionError("it does not come to rest")

    def _ask_drivers(self) -> None:
        for operator in self.operators:
            for key in operator.operator.world.job_keys():
                operator.puller.ask(key)

    def _check_quiet(self) -> None:
        jobs = self.api.all(kinds.STREAM_JOBS)
        held, leaving = self._written()
        alive = {
            f"{pod['metadata']['labels'][kinds.JOB_LABEL]}/{pod['metadata']['ownerReferences'][0]['uid'][:8]}": cu_of(
                pod
            )
            for pod in self.drivers()
        }
        assert (held, leaving) == (alive, {}), f"the ledger has {held} and {leaving}, alive are {alive}"
        self._check_numbers(jobs)
        self._check_nothing_waits_in_vain([job for job in jobs if "conditions" in job.get("status", {})])
        for job in jobs:
            self._check_state(job, alive)

    def _check_numbers(self, jobs: list[Manifest]) -> None:
        """What ``kubectl get sr`` shows is the sum of what is there."""
        use = self.resource_status["standalone"]
        live = self.live()
        assert (use["total"], use["used"], use["reserved"]) == (self.capacity, live, 0), use
        assert use["free"] == self.capacity - live, use
        queued = sum(
            job["spec"]["resources"]["cu"] - sum(map(cu_of, self.drivers(job["metadata"]["name"])))
            for job in jobs
            if ready_of(job)["reason"] == "Queued"
        )
        assert use["queued"] == queued, f"{use}; {queued} are queued"

    def _check_state(self, job: Manifest, alive: dict[str, float]) -> None:
        name, wanted, reason = job["metadata"]["name"], job["spec"]["state"], ready_of(job)["reason"]
        runs = f"{name}/{job['metadata']['uid'][:8]}" in alive
        expected = {"Running", "Queued", "CapacityNeverSuffices"} if wanted == "Running" else {"Paused"}
        assert reason in expected, f"{name}: {reason}"
        assert runs or reason != "Running", name
        assert not (runs and wanted != "Running"), name

    def serve_all(self) -> None:
        """Whoever runs is paused, again and again: everyone who can ever fit gets a turn."""
        for _ in range(_ROUNDS):
            jobs = self.api.all(kinds.STREAM_JOBS)
            queued = [job["metadata"]["name"] for job in jobs if ready_of(job)["reason"] == "Queued"]
            if not queued:
                return
            for job in jobs:
                if job["metadata"]["name"] not in queued or self.drivers(job["metadata"]["name"]):
                    self.edit(job["metadata"]["name"], state="Paused")
            self.calm_down()
        raise AssertionError(f"still queued: {queued}")


def race(seed: int, *, at_once: bool, capacity: float) -> SimulatedRace:
    """A race in an order that the seed decides."""
    return SimulatedRace(random.Random(seed), capacity=capacity, at_once=at_once)  # noqa: S311 (nothing secret)
