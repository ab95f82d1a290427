"""Whether an OU's Kafka and Redis can be reached: summed up from drivers and from the check pod. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import ValidationError

from streamjob_api.check import Answer, CheckWords
from streamjob_api.progress import DriverState, Progress
from streamjob_api.status import Condition
from streamjob_api.stream_resource import StreamResourceSpec
from streamjob_operator import reasons
from streamjob_operator.observed import Pod, Resource
from streamjob_operator.obstacles import obstacle
from streamjob_operator.plan.check import DEADLINE_SECONDS, check_name
from streamjob_operator.telling.conditions import condition

KAFKA, REDIS = "KafkaReachable", "RedisReachable"
# A check that has not even begun by then is made anew.
_GIVEN_UP_AFTER = timedelta(seconds=DEADLINE_SECONDS + 60)
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 15.0, 300.0
_MAX_MESSAGE = 1024


@dataclass(frozen=True)
class Said:
    """What is known of a connection; ``holds`` None: nothing."""

    holds: bool | None
    reason: str
    message: str


Connections = dict[str, Said]  # by type of condition


def wanted(spec: StreamResourceSpec) -> tuple[str, ...]:
    """The conditions that a StreamResource has."""
    return (KAFKA, REDIS) if spec.redis else (KAFKA,)


def heard(drivers: Iterable[tuple[str, Progress]]) -> Connections:
    """What drivers of the present spec say, by name of their job: one that cannot reach it outweighs those that can."""
    found: Connections = {}
    for job, progress in sorted(drivers, key=lambda each: each[0]):
        kind = of_reason(progress.reason)
        if kind and (kind not in found or found[kind].holds):
            found[kind] = Said(False, progress.reason, f"job {job}: {progress.message}"[:_MAX_MESSAGE])
        elif progress.state is DriverState.RUNNING and not progress.reason:
            for reached in (KAFKA, REDIS):
                found.setdefault(reached, Said(True, reasons.REACHABLE, "drivers work with it"))
    return found


def of_reason(reason: str) -> str | None:
    """The connection that a driver's reason speaks of, if it speaks of one."""
    return KAFKA if reason.startswith("Kafka") else REDIS if reason.startswith("Redis") else None


def connections(resource: Resource, spec: StreamResourceSpec, check: Pod | None, drivers: Connections) -> Connections:
    """What is to be said: drivers know best, then the check, then what was said of this generation before."""
    asked = _answers(check)
    known = {each.type: each for each in resource.status.conditions if each.observed_generation == resource.generation}
    found = {}
    for kind in wanted(spec):
        said = drivers.get(kind) or asked.get(kind)
        if said is None and kind in known and known[kind].status != "Unknown":
            said = Said(known[kind].status == "True", known[kind].reason, known[kind].message)
        found[kind] = said or _unknown(check)
    return found


def conditions(resource: Resource, said: Connections, now: datetime) -> list[Condition]:
    """The same as conditions, to be settled with the earlier ones."""
    return [
        condition(kind, word.holds, word.reason, word.message, resource.generation, now) for kind, word in said.items()
    ]


def _answers(check: Pod | None) -> Connections:
    if check is None or check.container.state != "terminated":
        return {}
    try:
        words = CheckWords.model_validate_json(check.container.message)
    except ValidationError:
        return {}
    told: list[tuple[str, Answer | None]] = [(KAFKA, words.kafka), (REDIS, words.redis)]
    return {kind: Said(each.reachable, each.reason, each.message) for kind, each in told if each is not None}


def _unknown(check: Pod | None) -> Said:
    if check is None:
        return Said(None, reasons.CHECKING, "not asked yet")
    if check.finished:
        ended = check.message or check.container.message or f"exit code {check.container.exit_code}"
        return Said(None, reasons.CHECK_FAILED, f"pod {check.name} ended without an answer: {ended}"[:_MAX_MESSAGE])
    hindered = obstacle(check)
    message = hindered[1] if hindered else f"pod {check.name} asks"
    return Said(None, hindered[0] if hindered else reasons.CHECKING, message)


@dataclass(frozen=True)
class CheckStep:
    """What is to be done about an OU's check pods."""

    remove: tuple[Pod, ...] = ()
    start: bool = False
    again_in: float | None = None


def step(
    resource: Resource, pods: Sequence[Pod], told: Sequence[Condition], last: datetime | None, now: datetime
) -> CheckStep:
    """Ask until everything is reachable, with ever longer pauses; what has answered is cleared away.

    Args:
        pods: check pods of the namespace.
        told: the resource's conditions, as they are written by now.
        last: when the last check ended, as far as this process knows.
    """
    name = check_name(resource)
    over = tuple(pod for pod in pods if pod.name != name or pod.finished or is_overdue(pod, now))
    done = CheckStep(remove=tuple(pod for pod in over if not pod.terminating))
    mine = [each for each in told if each.type in {KAFKA, REDIS}]
    if all(each.status == "True" for each in mine):
        return done
    if any(pod.name == name for pod in pods):
        return replace(done, again_in=_GIVEN_UP_AFTER.total_seconds())
    pause = _pause(mine, now)
    left = (last + timedelta(seconds=pause) - now).total_seconds() if last else 0.0
    return replace(done, start=left <= 0, again_in=left if left > 0 else None)


def is_overdue(pod: Pod, now: datetime) -> bool:
    """Whether a check takes so long that it will not answer any more."""
    return now - pod.created > _GIVEN_UP_AFTER


def _pause(told: Sequence[Condition], now: datetime) -> float:
    """Half as long as it has been like this, within bounds."""
    since = max((each.last_transition_time for each in told if each.status != "True"), default=now)
    return min(max((now - since).total_seconds() / 2, _FIRST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
