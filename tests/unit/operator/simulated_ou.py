"""An OU with its users, kubelets and operator, all simulated; what must hold is checked at every write."""

from __future__ import annotations

import contextlib
import copy
import random
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from streamjob_api import kinds
from streamjob_operator.api_server.cluster import ApiError
from streamjob_operator.observed import Manifest
from unit.operator import simulated_kubelet as kubelet
from unit.operator.builders import TEMPLATE
from unit.operator.simulated_api import SimulatedApi, later
from unit.operator.simulated_operator import SimulatedOperator

# No turn of events that comes to rest takes as many steps.
_STEPS_TO_REST = 20_000
# Longer than any back-off, patience or deadline of the jobs here; within the hour for which a failed pod is kept.
CALM_SECONDS = 2400
# Reasons of jobs that wait for their user.
GIVEN_UP = {"InvalidConfiguration", "CheckpointIncompatible", "RestartsExhausted", "CapacityNeverSuffices"}
AS_ASKED = {"Paused": {"Paused", "PauseExpired"}, "Stopped": {"Stopped"}, "Draft": {"Draft"}, "Released": {"Released"}}


def job_spec(name: str, state: str, cu: float) -> Manifest:
    policy = {"input": "M::A", "aggregation": "max", "windowSize": "10m", "output": f"M::{name}"}
    return {
        "state": state,
        "template": TEMPLATE,
        "timeWindowAggregation": {"policies": [policy]},
        "resources": {"cu": cu},
        "restart": {"maxFailures": 3, "backoff": "10s", "backoffMax": "1m"},
    }


@dataclass
class SimulatedOu:
    """One namespace."""

    chance: random.Random
    capacity: float = 4
    api: SimulatedApi = field(default_factory=SimulatedApi)
    attempts: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    epochs: dict[str, int] = field(default_factory=dict)  # by UID, as last seen of a pod
    dropped: set[str] = field(default_factory=set)  # UIDs of jobs that were seen stopped since
    wanted_since: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # states since that pod

    def __post_init__(self) -> None:
        self.api.on_change = self._check
        self.api.create(kinds.STREAM_RESOURCES, self._resource())
        self.operator = SimulatedOperator(self.api, self.chance)

    def _resource(self) -> Manifest:
        spec = {
            "orgId": "o1",
            "capacity": {"design": 1, "standalone": self.capacity},
            "libraries": [TEMPLATE],
            "kafka": {"bootstrapServers": "kafka:9092"},
        }
        return {"metadata": {"name": "energy"}, "spec": spec}

    # What must hold at every moment.

    def _check(self, event: str, plural: str, body: Manifest) -> None:
        if plural == "pods" and event == "ADDED" and is_driver(body):
            self._check_new_driver(body)
        if plural == kinds.STREAM_RESOURCES and event == "MODIFIED":
            self._check_admissions(body)

    def _check_new_driver(self, pod: Manifest) -> None:
        name, (owner,) = pod["metadata"]["labels"][kinds.JOB_LABEL], pod["metadata"]["ownerReferences"]
        if owner["uid"] not in self.api.uids():
            return  # asked for before its job was deleted; it is garbage from the first moment on
        alive = [
            other["metadata"]["name"]
            for other in self.drivers(name)
            if kubelet.is_live(other) and other["metadata"]["uid"] not in self.api.stillborn
        ]
        assert alive == [pod["metadata"]["name"]], f"two live drivers of {name}: {alive}"
        attempt = int(pod["metadata"]["labels"][kinds.ATTEMPT_LABEL])
        assert attempt > max(self.attempts[owner["uid"]], default=0), f"attempt {attempt} of {name} a second time"
        self.attempts[owner["uid"]].add(attempt)
        held = granted(self.resource_status).get(f"{name}/{owner['uid'][:8]}", 0)
        assert held >= cu_of(pod), f"{name} runs without having been admitted"

    def _check_admissions(self, body: Manifest) -> None:
        admitted = granted(body.get("status", {})).values()
        if sum(admitted) > self._held:
            assert sum(admitted) <= self.capacity, f"{sum(admitted)} CU admitted of {self.capacity}"
        self._held = sum(admitted)

    _held = 0.0

    # What is there.

    def drivers(self, job: str | None = None) -> list[Manifest]:
        found = (pod for pod in self.api.all("pods") if is_driver(pod))
        return [pod for pod in found if job in {None, pod["metadata"]["labels"][kinds.JOB_LABEL]}]

    @property
    def resource_status(self) -> Manifest:
        found: Manifest = self.api.objects[kinds.STREAM_RESOURCES, "energy"].get("status") or {}
        return found

    def job(self, name: str) -> Manifest | None:
        return self.api.objects.get((kinds.STREAM_JOBS, name))

    # What users do.

    def create(self, name: str, state: str, cu: float) -> None:
        if self.job(name) is None:
            self.api.create(kinds.STREAM_JOBS, {"metadata": {"name": name}, "spec": job_spec(name, state, cu)})
            self._wants(name)

    def delete(self, name: str) -> None:
        self.api.vanish(kinds.STREAM_JOBS, name)

    def edit(self, name: str, **spec: Any) -> None:
        job = self.job(name)
        if job is not None:
            edited = copy.deepcopy(job)
            edited["spec"] |= spec
            self.api.change(kinds.STREAM_JOBS, edited)
            self._wants(name)

    def _wants(self, name: str) -> None:
        job = self.api.objects[kinds.STREAM_JOBS, name]
        self.wanted_since[job["metadata"]["uid"]].add(job["spec"]["state"])

    def resize(self, capacity: float) -> None:
        self.capacity = capacity
        edited = copy.deepcopy(self.api.objects[kinds.STREAM_RESOURCES, "energy"])
        edited["spec"]["capacity"]["standalone"] = capacity
        self.api.change(kinds.STREAM_RESOURCES, edited)

    # What becomes of the operator.

    def crash(self) -> None:
        """The operator dies; requests that it had sent may arrive after the next one has begun."""
        left = self.operator.crash()
        self.operator = SimulatedOperator(self.api, self.chance)
        for turn in left:
            if self.chance.random() < 0.5:
                _arrive(turn)
            turn.close()

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.operator.step()

    # What it all comes to.

    def calm_down(self) -> None:
        """Nobody does anything any more, and nothing fails; then everybody is where the user wants it."""
        self.operator.cluster.failing.clear()
        end = self.api.now.timestamp() + CALM_SECONDS
        while self.api.now.timestamp() < end:
            self.settle()
            later(self.api, max(1.0, (self._next_due() - self.api.now.timestamp())))
        self.settle()
        self._check_calm()

    def _next_due(self) -> float:
        due = [then.timestamp() for then in self.operator.queue.due.values()]
        return min([*due, self.operator.listed_at.timestamp() + 600])

    def settle(self) -> None:
        for _ in range(_STEPS_TO_REST):
            self.api.collect_garbage()
            waiting = [pod for pod in self.drivers() if not _rests(pod)]
            self.operator.tick()
            if self.operator.is_idle and not waiting:
                return
            self.operator.step()
            if waiting and self.operator.is_idle:
                kubelet.go_on(self.api, waiting[0])
        raise AssertionError(f"it does not come to rest: {list(self.operator.queue.waiting)}")

    def _check_calm(self) -> None:
        jobs = self.api.all(kinds.STREAM_JOBS)
        names = {job["metadata"]["name"] for job in jobs}
        orphans = [
            pod["metadata"]["name"] for pod in self.drivers() if pod["metadata"]["labels"][kinds.JOB_LABEL] not in names
        ]
        assert not orphans, f"pods of jobs that are gone: {orphans}"
        for job in jobs:
            self._check_job(job)
        self._check_nothing_waits_in_vain(jobs)
        alive = {
            pod["metadata"]["labels"][kinds.JOB_LABEL]: cu_of(pod) for pod in self.drivers() if kubelet.is_live(pod)
        }
        held = {text.partition("/")[0]: cu for text, cu in granted(self.resource_status).items()}
        assert held == alive, f"admitted {held}, alive {alive}"

    def _check_job(self, job: Manifest) -> None:
        name, wanted = job["metadata"]["name"], job["spec"]["state"]
        status, alive = job["status"], [pod for pod in self.drivers(name) if kubelet.is_live(pod)]
        ready = ready_of(job)
        said = f"{name} wants {wanted}, says {ready['reason']}: {ready['message']}"
        assert status["observedGeneration"] == job["metadata"]["generation"], said
        assert not status.get("stop") or status["stop"].get("at"), f"{name} ends for ever: {status['stop']}"
        if wanted in AS_ASKED:
            assert not alive, said
            if wanted != "Paused":
                self.dropped.add(job["metadata"]["uid"])
            too_large = wanted in {"Draft", "Released"} and ready["reason"] == "CapacityNeverSuffices"
            assert too_large or (ready["status"], ready["reason"] in AS_ASKED[wanted]) == ("True", True), said
        elif alive:
            (pod,) = alive
            self._check_epoch(job, pod)
            assert kubelet.is_ready(pod), said
            assert ready["reason"] in {"Running", "Queued", "CapacityNeverSuffices"}, said
            if ready["reason"] == "Running":
                assert str(job["spec"].get("rateLimit")) in self._told(pod), f"{said}; runs a former spec"
        else:
            assert ready["reason"] in {"Queued", *GIVEN_UP}, said

    def _told(self, pod: Manifest) -> str:
        (volume,) = (each for each in pod["spec"]["volumes"] if each["name"] == "job-file")
        told = self.api.objects["configmaps", volume["configMap"]["name"]]["data"]["job.json"]
        return str(told) if '"rateLimit"' in told else f"{told} None"

    def _check_epoch(self, job: Manifest, pod: Manifest) -> None:
        """Pauses and edits keep the epoch, a stop raises it; it never goes back."""
        uid, epoch = job["metadata"]["uid"], int(pod["metadata"]["labels"][kinds.EPOCH_LABEL])
        before, wanted = self.epochs.get(uid), self.wanted_since.pop(uid, set())
        if before is not None:
            assert epoch >= before + (uid in self.dropped), f"epoch {epoch} after {before}"
            if wanted <= {"Running", "Paused"}:
                assert epoch == before, f"state was dropped by {wanted}"
        self.epochs[uid] = epoch
        self.dropped.discard(uid)

    def _check_nothing_waits_in_vain(self, jobs: list[Manifest]) -> None:
        free = self.capacity - sum(cu_of(pod) for pod in self.drivers() if kubelet.is_live(pod))
        queued = [job for job in jobs if ready_of(job)["reason"] == "Queued"]
        if queued:
            head = min(
                queued,
                key=lambda job: (
                    -job["spec"].get("priority", 0),
                    job["metadata"]["creationTimestamp"],
                    job["metadata"]["name"],
                ),
            )
            name = head["metadata"]["name"]
            held = sum(cu_of(pod) for pod in self.drivers(name) if kubelet.is_live(pod))
            assert head["spec"]["resources"]["cu"] - held > free, f"{name} waits, though {free} CU are free"


def _arrive(turn: Any) -> None:
    """A request that was on its way when its sender died."""
    with contextlib.suppress(ApiError, StopIteration):
        turn.send(None)


def _rests(pod: Manifest) -> bool:
    if kubelet.is_terminating(pod):
        return False
    return not kubelet.is_live(pod) or kubelet.is_ready(pod)


def ready_of(job: Manifest) -> Manifest:
    found: Manifest = next(each for each in job["status"]["conditions"] if each["type"] == "Ready")
    return found


def granted(resource_status: Manifest) -> dict[str, float]:
    """CU by "name/UID" of the jobs that were admitted."""
    found: dict[str, float] = resource_status.get("holders", {}).get("standalone", {})
    return found


def is_driver(pod: Manifest) -> bool:
    return bool(pod["metadata"]["labels"][kinds.COMPONENT_LABEL] == kinds.DRIVER)


def cu_of(pod: Manifest) -> float:
    return float(pod["metadata"]["annotations"][kinds.CU_ANNOTATION])
