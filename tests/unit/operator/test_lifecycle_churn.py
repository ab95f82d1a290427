"""Thirty days of churn in fast time: nothing grows, nothing is left over, and people are not flooded with Events."""

from __future__ import annotations

import json
import random
from collections import Counter

from streamjob_api import kinds
from unit.operator import simulated_kubelet as kubelet
from unit.operator.simulated_api import later
from unit.operator.simulated_ou import SimulatedOu

DAYS, ROUNDS_A_DAY = 30, 3
STATES = ["Running", "Running", "Running", "Paused", "Stopped", "Released"]


def disturb(ou: SimulatedOu, chance: random.Random) -> None:
    """What may happen to an OU in some hours."""
    name = chance.choice("abc")
    match chance.randrange(7):
        case 0 | 1:
            ou.edit(name, state=chance.choice(STATES))
        case 2:
            ou.edit(name, rateLimit=chance.randint(1, 5), restartNonce=chance.randint(0, 9))
        case 3:
            ou.edit(name, resources={"cu": chance.choice([1, 1.5, 2])}, priority=chance.randint(0, 2))
        case 4:
            ou.crash()
        case _:
            for pod in filter(kubelet.is_live, ou.drivers()):
                kubelet.end(ou.api, pod, chance.choice([1, 69, 70, 137]), reason=chance.choice(["", "OOMKilled"]))


def status_bytes(ou: SimulatedOu) -> int:
    return max(len(json.dumps(job["status"])) for job in ou.api.all(kinds.STREAM_JOBS))


def test_thirty_days_of_churn_leave_a_status_as_small_as_before() -> None:
    chance = random.Random(30)  # noqa: S311 (nothing secret)
    ou = SimulatedOu(chance)
    for name in "abc":
        ou.create(name, "Running", 1)
    sizes, told = [], Counter[int]()
    for round_number in range(DAYS * ROUNDS_A_DAY):
        disturb(ou, chance)
        ou.settle()
        sizes.append(status_bytes(ou))
        told[round_number // ROUNDS_A_DAY] += len(ou.operator.cluster.events)
        ou.operator.cluster.events.clear()
        later(ou.api, 86_400 / ROUNDS_A_DAY)
    ou.calm_down()
    assert max(sizes[-30:]) < 1.2 * max(sizes[:30])
    assert max(sizes) < 8 * 1024
    assert max(told.values()) < 60
    objects = Counter(plural for plural, _ in ou.api.objects)
    assert objects["pods"] <= 3 * 2
    assert objects["configmaps"] <= 3
    assert objects["persistentvolumeclaims"] == 3
