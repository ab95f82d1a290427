"""Whatever users, kubelets, watches and crashes do, and in whatever order: each job ends where its user wants it."""

from __future__ import annotations

import os
import random

import hypothesis.strategies as st
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from streamjob_api import kinds
from unit.operator import simulated_kubelet as kubelet
from unit.operator.simulated_api import later
from unit.operator.simulated_ou import SimulatedOu

STATES = st.sampled_from(["Running", "Running", "Running", "Paused", "Stopped", "Draft", "Released"])
NAMES = st.sampled_from(["a", "b", "c", "d"])
SIZES = st.sampled_from([1, 1.5, 2, 3])
WATCHED = st.sampled_from(["pods", kinds.STREAM_JOBS, kinds.STREAM_RESOURCES])
EXIT_CODES = st.sampled_from([0, 1, 64, 65, 66, 69, 70, 137])
EXAMPLES = int(os.environ.get("STREAMJOB_EXAMPLES") or 25)


class Lifecycle(RuleBasedStateMachine):
    """One OU of four jobs and room for some of them."""

    @initialize(seed=st.integers(0, 2**32 - 1))
    def begin(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 (nothing secret)
        self.ou = SimulatedOu(self.chance)
        for name in "ab":
            self.ou.create(name, "Running", 1)

    @rule(name=NAMES, state=STATES, cu=SIZES)
    def create(self, name: str, state: str, cu: float) -> None:
        self.ou.create(name, state, cu)

    @rule(name=NAMES, states=st.lists(STATES, min_size=1, max_size=4), steps=st.integers(0, 10))
    def ask_for(self, name: str, states: list[str], steps: int) -> None:
        for state in states:
            self.ou.edit(name, state=state)
            self.ou.run(steps)

    @rule(name=NAMES, rate=st.integers(1, 3))
    def change_spec(self, name: str, rate: int) -> None:
        self.ou.edit(name, rateLimit=rate)

    @rule(name=NAMES, nonce=st.integers(0, 9))
    def restart(self, name: str, nonce: int) -> None:
        self.ou.edit(name, restartNonce=nonce)

    @rule(name=NAMES, cu=SIZES)
    def change_size(self, name: str, cu: float) -> None:
        self.ou.edit(name, resources={"cu": cu})

    @rule(name=NAMES, priority=st.integers(0, 2))
    def change_priority(self, name: str, priority: int) -> None:
        self.ou.edit(name, priority=priority)

    @rule(name=NAMES, again=st.booleans(), steps=st.integers(0, 10))
    def delete(self, name: str, again: bool, steps: int) -> None:
        self.ou.delete(name)
        self.ou.run(steps)
        if again:
            self.ou.create(name, "Running", 1)

    @rule(capacity=st.sampled_from([0, 1, 2, 3, 4, 6]))
    def resize(self, capacity: float) -> None:
        self.ou.resize(capacity)

    @rule(steps=st.integers(1, 60))
    def run(self, steps: int) -> None:
        self.ou.run(steps)

    @rule(turns=st.integers(1, 6), graceful=st.booleans(), steps=st.integers(0, 5))
    def kubelets_go_on(self, turns: int, graceful: bool, steps: int) -> None:
        for _ in range(turns):
            pods = self.ou.drivers()
            if pods:
                kubelet.go_on(self.ou.api, self.chance.choice(pods), graceful)
            self.ou.run(steps)

    @rule(code=EXIT_CODES, words=st.booleans(), oom=st.booleans())
    def a_driver_ends(self, code: int, words: bool, oom: bool) -> None:
        pods = self.ou.drivers()
        if pods:
            kubelet.end(self.ou.api, self.chance.choice(pods), code, words=words, reason="OOMKilled" if oom else "")

    @rule(how=st.sampled_from(["deleted", "evicted", "not ready"]))
    def a_pod_is_disturbed(self, how: str) -> None:
        pods = [pod for pod in self.ou.drivers() if kubelet.is_live(pod)]
        if not pods:
            return
        pod = self.chance.choice(pods)
        if how == "deleted":
            self.ou.api.delete("pods", pod["metadata"]["name"])
        elif how == "evicted":
            kubelet.evict(self.ou.api, pod)
        else:
            kubelet.lose_readiness(self.ou.api, pod)

    @rule()
    def collect_garbage(self) -> None:
        self.ou.api.collect_garbage()

    @rule(kind=WATCHED)
    def lose_events(self, kind: str) -> None:
        self.ou.operator.lose_events(kind)

    @rule(failing=st.lists(st.sampled_from(["before", "after"]), min_size=1, max_size=3))
    def requests_fail(self, failing: list[str]) -> None:
        self.ou.operator.cluster.failing += failing

    @rule(steps=st.integers(0, 30))
    def crash(self, steps: int) -> None:
        self.ou.run(steps)
        self.ou.crash()

    @rule(seconds=st.sampled_from([1, 10, 60, 700, 4000]))
    def wait(self, seconds: float) -> None:
        later(self.ou.api, seconds)

    @rule(name=NAMES, states=st.lists(STATES, min_size=2, max_size=3, unique=True))
    def live_through(self, name: str, states: list[str]) -> None:
        for state in states:
            self.ou.edit(name, state=state)
            self.ou.calm_down()

    @rule()
    def calm_down(self) -> None:
        self.ou.calm_down()

    def teardown(self) -> None:
        if hasattr(self, "ou"):
            self.ou.calm_down()


TestLifecycle = Lifecycle.TestCase
TestLifecycle.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=40,
    phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes, and what happened is readable as it is
)
