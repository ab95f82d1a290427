"""What a job's energy policies come to: calculations, outputs, and what makes two of them the same."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from streamjob_api.durations import Duration
from streamjob_api.points import PointRef
from streamjob_api.templates.energy import EnergyBlock, EnergyPolicy, Midnight
from streamjob_api.templates.energy_by_meter_reading import EnergyByMeterReading
from streamjob_api.templates.energy_by_power import EnergyByAveragePower, EnergyByInstantPower
from streamjob_api.timezones import TimeZone
from streamjob_runtime.shards import FORMER
from streamjob_runtime.templates.intervals import Calculation
from streamjob_runtime.templates.meter_reading import MeterReading
from streamjob_runtime.templates.power import Power

# Raise it when the blocks of the state change; checkpoints of another version are then incompatible.
STATE_VERSION = 2


@dataclass(frozen=True)
class Policy:
    """One policy of a job.

    Attributes:
        rank: its place among the policies of the same input; the state names it by that.
        detailed, interval_ms: both or neither.
    """

    input: PointRef
    rank: int
    daily: PointRef
    detailed: PointRef | None
    interval_ms: int | None
    is_proportional: bool
    has_running_total: bool
    calculation: Calculation

    @classmethod
    def of(cls, policy: EnergyPolicy, rank: int, calculation: Calculation) -> Self:
        """Return the plan of a policy."""
        return cls(
            input=policy.input,
            rank=rank,
            daily=policy.daily_output,
            detailed=policy.detailed_output,
            interval_ms=Duration.parse(policy.interval).milliseconds if policy.interval else None,
            is_proportional=policy.midnight is Midnight.PROPORTIONAL,
            has_running_total=policy.running_total,
            calculation=calculation,
        )

    @property
    def identity(self) -> list[Any]:
        """All that the results depend on."""
        points = [str(point) for point in (self.input, self.daily, self.detailed)]
        rules = [self.interval_ms, self.is_proportional, self.has_running_total]
        return [*points, *rules, *self.calculation.identity]


@dataclass(frozen=True)
class EnergyPlan:
    """The policies of a job, in an order that does not depend on how they were written.

    Attributes:
        timezone: whose days are counted.
        inputs: sorted; the state names an input by its place here.
        policies: by input, then by daily output.
        identity: equal for two plans exactly when one can go on with the other's state.
    """

    timezone: TimeZone
    latency_ms: int
    inputs: tuple[PointRef, ...]
    policies: tuple[Policy, ...]
    identity: str

    @classmethod
    def of(cls, job: EnergyBlock, ou_timezone: TimeZone) -> Self:
        """Plan a job's policies; ``ou_timezone`` is taken where the job names none."""
        timezone, latency_ms = job.timezone or ou_timezone, job.latency.milliseconds
        inputs = tuple(sorted({policy.input for policy in job.policies}))
        policies = _planned(job)
        parts = {
            "state": STATE_VERSION,
            "shards": FORMER,
            "timezone": str(timezone),
            "latency": latency_ms,
            "policies": [policy.identity for policy in policies],
        }
        identity = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return cls(timezone, latency_ms, inputs, policies, identity)

    @property
    def width(self) -> int:
        """Most policies of one input."""
        return 1 + max(policy.rank for policy in self.policies)


def _planned(job: EnergyBlock) -> tuple[Policy, ...]:
    pairs = sorted(_calculations(job), key=lambda pair: (pair[0].input, pair[0].daily_output))
    planned: list[Policy] = []
    for policy, calculation in pairs:
        rank = sum(before.input == policy.input for before in planned)
        planned.append(Policy.of(policy, rank, calculation))
    return tuple(planned)


def _calculations(job: EnergyBlock) -> Sequence[tuple[EnergyPolicy, Calculation]]:
    match job:
        case EnergyByMeterReading():
            return [(policy, MeterReading.of(policy)) for policy in job.policies]
        case EnergyByInstantPower():
            return [(policy, Power.of(policy, is_average=False)) for policy in job.policies]
        case EnergyByAveragePower():
            return [(policy, Power.of(policy, is_average=True)) for policy in job.policies]
    raise TypeError(f"{job.BLOCK} is no energy template")
