"""Whatever two acting operators, their caches and users do: no more runs than there is, and everyone has a turn."""

from __future__ import annotations

import os

import hypothesis.strategies as st
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from streamjob_api import kinds
from unit.operator import simulated_kubelet as kubelet
from unit.operator.simulated_race import race

NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
SIZES = st.sampled_from([1, 1, 1.5, 2, 3])
STATES = st.sampled_from(["Running", "Running", "Paused"])
WATCHED = st.sampled_from(["pods", kinds.STREAM_JOBS, kinds.STREAM_RESOURCES])
EXAMPLES = int(os.environ.get("STREAMJOB_EXAMPLES") or 60)


class Capacity(RuleBasedStateMachine):
    """An OU of five jobs and room for some of them."""

    @initialize(
        seed=st.integers(0, 2**32 - 1),
        at_once=st.booleans(),
        capacity=st.sampled_from([1, 2, 3]),
        jobs=st.lists(st.tuples(NAMES, SIZES), max_size=5),
    )
    def begin(self, seed: int, at_once: bool, capacity: float, jobs: list[tuple[str, float]]) -> None:
        self.race = race(seed, at_once=at_once, capacity=capacity)
        for name, cu in jobs:
            self.race.create(name, "Running", cu)

    @rule(name=NAMES, cu=SIZES, steps=st.integers(0, 15))
    def create(self, name: str, cu: float, steps: int) -> None:
        self.race.create(name, "Running", cu)
        self.race.run(steps)

    @rule(name=NAMES, states=st.lists(STATES, min_size=1, max_size=4), steps=st.integers(0, 15))
    def ask_for(self, name: str, states: list[str], steps: int) -> None:
        for state in states:
            self.race.before_an_edit(name)
            self.race.edit(name, state=state)
            self.race.run(steps)

    @rule(name=NAMES, cu=SIZES)
    def change_size(self, name: str, cu: float) -> None:
        self.race.before_an_edit(name)
        self.race.edit(name, resources={"cu": cu})

    @rule(name=NAMES, priority=st.integers(-1, 1), steps=st.integers(0, 15))
    def change_priority(self, name: str, priority: int, steps: int) -> None:
        self.race.before_an_edit(name)
        self.race.edit(name, priority=priority)
        self.race.run(steps)

    @rule(name=NAMES, again=st.booleans(), cu=SIZES, steps=st.integers(0, 10))
    def delete(self, name: str, again: bool, cu: float, steps: int) -> None:
        self.race.before_an_edit(name)
        self.race.delete(name)
        self.race.run(steps)
        if again:
            self.race.before_an_edit(name)
            self.race.create(name, "Running", cu)

    @rule(capacity=st.sampled_from([0, 1, 2, 3, 4]), steps=st.integers(0, 15))
    def resize(self, capacity: float, steps: int) -> None:
        self.race.resize(capacity)
        self.race.run(steps)

    @rule(steps=st.integers(1, 60))
    def run(self, steps: int) -> None:
        self.race.run(steps)

    @rule(turns=st.integers(1, 6), steps=st.integers(0, 5))
    def kubelets_go_on(self, turns: int, steps: int) -> None:
        for _ in range(turns):
            if pods := self.race.drivers():
                kubelet.go_on(self.race.api, self.race.chance.choice(pods))
            self.race.run(steps)

    @rule()
    def a_pod_is_deleted(self) -> None:
        if pods := [pod for pod in self.race.drivers() if kubelet.is_live(pod)]:
            self.race.api.delete("pods", self.race.chance.choice(pods)["metadata"]["name"])

    @rule()
    def collect_garbage(self) -> None:
        self.race.api.collect_garbage()

    @rule(which=st.integers(0, 1), kind=WATCHED)
    def a_cache_catches_up(self, which: int, kind: str) -> None:
        operator = self.race.operators[which]
        while operator.pending.get(kind):
            operator.deliver(kind)

    @rule(seconds=st.sampled_from([0.2, 0.5, 1.1, 6]))
    def wait(self, seconds: float) -> None:
        self.race.wait(seconds)

    @rule()
    def calm_down(self) -> None:
        self.race.calm_down()

    def teardown(self) -> None:
        if hasattr(self, "race"):
            self.race.calm_down()
            self.race.serve_all()


TestCapacity = Capacity.TestCase
TestCapacity.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=25,
    phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes, and what happened is readable as it is
)
