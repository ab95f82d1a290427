"""Whatever is edited, lost and crashed, and in whatever order: no driver reads a state that is not its spec's."""

from __future__ import annotations

import json
import os
import random

import hypothesis.strategies as st
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from streamjob_api.job_file import JobFile
from streamjob_api.progress import Progress
from streamjob_api.state_identity import state_identity
from streamjob_operator.api_server.revisions import LIMIT
from streamjob_operator.observed import Manifest
from unit.operator import simulated_kubelet as kubelet
from unit.operator.simulated_api import later
from unit.operator.simulated_operator import SimulatedOperator
from unit.operator.simulated_ou import AS_ASKED, GIVEN_UP, SimulatedOu, ready_of

NAMES = st.sampled_from(["a", "b"])
SIZES = st.sampled_from(["10m", "20m", "1h", "2d"])  # a window of two days is refused
REFUSED = {"InvalidSpec", "StateBreakingChange", "RolledBack"}
EXAMPLES = int(os.environ.get("STREAMJOB_EXAMPLES") or 15)


class IdleDrivers(SimulatedOperator):
    """Drivers that say that there is nothing to read, so that their specs become stable."""

    def _said(self, attempt: int) -> Progress:
        return super()._said(attempt).model_copy(update={"idle": True})


class EditedOu(SimulatedOu):
    """One namespace, whose jobs are edited in all ways."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.states: dict[tuple[str, int], object] = {}
        self._renew()

    def _renew(self) -> None:
        self.operator.crash()
        self.operator = IdleDrivers(self.api, self.chance)

    def crash(self) -> None:
        super().crash()
        self._renew()

    def windows(self, name: str, size: str, **spec: object) -> None:
        policy = {"input": "M::A", "aggregation": "max", "windowSize": size, "output": f"M::{name}"}
        self.edit(name, timeWindowAggregation={"policies": [policy]}, **spec)

    def _check(self, event: str, plural: str, body: Manifest) -> None:
        super()._check(event, plural, body)
        if plural == "configmaps" and event == "ADDED":
            self._check_state(JobFile.model_validate_json(body["data"]["job.json"]))
        if plural == "controllerrevisions":
            found = [
                each
                for each in self.api.all(plural)
                if each["metadata"]["name"].startswith(body["metadata"]["name"][:2])
            ]
            assert len(found) <= LIMIT + 1, f"{len(found)} revisions"

    def _check_state(self, told: JobFile) -> None:
        """One checkpoint is of one state for ever."""
        made = state_identity(told.spec, told.org_id, told.source, told.timezone)
        before = self.states.setdefault((told.job.uid, told.job.epoch), made)
        assert before == made, f"epoch {told.job.epoch} of {told.job.name}: {before}, then {made}"

    def _check_job(self, job: Manifest) -> None:
        if job["spec"]["state"] in AS_ASKED:
            return
        name, status, ready = job["metadata"]["name"], job["status"], ready_of(job)
        alive = [pod for pod in self.drivers(name) if kubelet.is_live(pod)]
        said = f"{name} says {ready['reason']}: {ready['message']}"
        assert status["observedGeneration"] == job["metadata"]["generation"], said
        assert ready["reason"] in {"Running", "Queued", "CapacityNeverSuffices", *REFUSED, *GIVEN_UP}, said
        wanted = job["spec"]["timeWindowAggregation"]["policies"][0]["windowSize"]
        if alive and ready["reason"] == "Running":
            assert self._running(alive[0])["policies"][0]["windowSize"] == wanted, said
        if ready["reason"] == "StateBreakingChange":
            assert job["spec"].get("upgradeMode") != "Stateless", said
            assert not alive or self._running(alive[0])["policies"][0]["windowSize"] != wanted, said
        if ready["reason"] == "InvalidSpec":
            assert wanted == "2d", said
        # An intent that was never carried out leaves nothing that could be run again.
        has_run = ("configmaps", f"{name}-{status['attempt']}-job") in self.api.objects
        given_up = "or change spec.restartNonce" in ready["message"]
        if ready["reason"] in REFUSED and has_run and not given_up and not alive:
            assert "in the queue" in ready["message"] or "holds no CU" in ready["message"], said

    def _running(self, pod: Manifest) -> Manifest:
        name = f"{pod['metadata']['name'].removesuffix('-driver')}-job"
        told: Manifest = json.loads(self.api.objects["configmaps", name]["data"]["job.json"])
        found: Manifest = told["spec"]["timeWindowAggregation"]
        return found


class Upgrades(RuleBasedStateMachine):
    """One OU with two jobs, and room for both."""

    @initialize(seed=st.integers(0, 2**32 - 1))
    def begin(self, seed: int) -> None:
        self.ou = EditedOu(random.Random(seed))  # noqa: S311 (nothing secret)
        for name in "ab":
            self.ou.create(name, "Running", 1)
        self.ou.edit("a", lifecycle={"rollbackOnFailure": True})

    @rule(name=NAMES, size=SIZES, mode=st.sampled_from(["Stateful", "Stateful", "Stateless"]))
    def change_windows(self, name: str, size: str, mode: str) -> None:
        self.ou.windows(name, size, upgradeMode=mode)

    @rule(name=NAMES, rate=st.integers(1, 3), nonce=st.integers(0, 2))
    def change_rate(self, name: str, rate: int, nonce: int) -> None:
        self.ou.edit(name, rateLimit=rate, restartNonce=nonce)

    @rule(name=NAMES, rolls_back=st.booleans())
    def change_lifecycle(self, name: str, rolls_back: bool) -> None:
        self.ou.edit(name, lifecycle={"rollbackOnFailure": rolls_back, "startDeadline": "5m"})

    @rule(name=NAMES, state=st.sampled_from(["Running", "Running", "Running", "Paused", "Stopped"]))
    def ask_for(self, name: str, state: str) -> None:
        self.ou.edit(name, state=state)

    @rule(steps=st.integers(1, 60))
    def run(self, steps: int) -> None:
        self.ou.run(steps)

    @rule(turns=st.integers(1, 6))
    def kubelets_go_on(self, turns: int) -> None:
        for _ in range(turns):
            for pod in self.ou.drivers():
                kubelet.go_on(self.ou.api, pod)
            self.ou.run(5)

    @rule(name=NAMES, size=SIZES, mode=st.sampled_from(["Stateful", "Stateless"]), code=st.sampled_from([65, 70]))
    def an_edit_fails(self, name: str, size: str, mode: str, code: int) -> None:
        """A spec that was fine until now is changed, and the driver of the new one ends at once."""
        self.ou.calm_down()
        self.ou.windows(name, size, upgradeMode=mode, rateLimit=self.ou.api.version)
        self.ou.run(200)
        self.kubelets_go_on(2)
        for pod in self.ou.drivers(name):
            kubelet.end(self.ou.api, pod, code)

    @rule(code=st.sampled_from([65, 65, 66, 70, 137]))
    def a_driver_ends(self, code: int) -> None:
        for pod in self.ou.drivers()[:1]:
            kubelet.end(self.ou.api, pod, code)

    @rule()
    def a_pod_is_deleted(self) -> None:
        for pod in self.ou.drivers()[:1]:
            self.ou.api.delete("pods", pod["metadata"]["name"])

    @rule(failing=st.lists(st.sampled_from(["before", "after"]), min_size=1, max_size=3))
    def requests_fail(self, failing: list[str]) -> None:
        self.ou.operator.cluster.failing += failing

    @rule(steps=st.integers(0, 30))
    def crash(self, steps: int) -> None:
        self.ou.run(steps)
        self.ou.crash()

    @rule(seconds=st.sampled_from([1, 61, 700]))
    def wait(self, seconds: float) -> None:
        later(self.ou.api, seconds)

    @rule()
    def calm_down(self) -> None:
        self.ou.calm_down()

    def teardown(self) -> None:
        if hasattr(self, "ou"):
            self.ou.calm_down()


TestUpgrades = Upgrades.TestCase
TestUpgrades.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=40,
    phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes, and what happened is readable as it is
)
