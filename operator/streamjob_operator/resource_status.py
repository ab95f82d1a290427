"""Claims on an OU's capacity, and what is true of its StreamResource now. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from streamjob_api.faults import InvalidSpec
from streamjob_api.lifecycle import DesiredState
from streamjob_api.status import Admission, CapacityUse, Condition, StreamResourceStatus
from streamjob_api.stream_resource import Library
from streamjob_api.support import resource_without_effect
from streamjob_operator import memory, reasons
from streamjob_operator.conditions import condition, settled
from streamjob_operator.course import Word
from streamjob_operator.ledger import Claim, Ledger
from streamjob_operator.library_status import library_slots, library_statuses, within
from streamjob_operator.observed import Job, Pod, Resource
from streamjob_operator.patience import patience
from streamjob_operator.validation import Fault, OuFacts, Refusal, Runnable, resource_faults
from streamjob_operator.validation.resources import duplicate_fault, slots, words
from streamjob_operator.validation.verdicts import refusal

# Names of jobs in a message.
_NAMED_JOBS = 5


def claims(
    jobs: Iterable[tuple[Job, Runnable | Refusal]], pods: Iterable[Pod], admitted: Sequence[Admission]
) -> list[Claim]:
    """What every job of an OU holds and wants, one claim for each name.

    A name whose pods belong to a deleted job is still that job's: its successor waits until they are gone.
    """
    alive: dict[str, list[Pod]] = {}
    for pod in pods:
        if not pod.finished:
            alive.setdefault(pod.job, []).append(pod)
    granted = {entry.name: entry for entry in admitted}
    found: dict[str, Claim] = {}
    for job, verdict in jobs:
        found[job.key.name] = _claim(job, verdict, alive.get(job.key.name, []), granted.get(job.key.name))
    for name, left in alive.items():
        uid = found[name].uid if name in found else ""
        foreign = [pod for pod in left if pod.job_uid != uid]
        if foreign:
            held = sum(pod.cu for pod in foreign) + (found[name].held if name in found else 0)
            found[name] = Claim(name, foreign[0].job_uid, foreign[0].created, held=held)
    return list(found.values())


def _claim(job: Job, verdict: Runnable | Refusal, alive: list[Pod], granted: Admission | None) -> Claim:
    own = sum(pod.cu for pod in alive if pod.job_uid == job.uid)
    return Claim(
        name=job.key.name,
        uid=job.uid,
        created=job.created,
        priority=0 if isinstance(job.spec, InvalidSpec) else job.spec.priority,
        wanted=_wanted(job, verdict),
        held=max(own, job.status.admitted_cu),
        granted=granted.cu if granted and granted.uid == job.uid else 0,
    )


def _wanted(job: Job, verdict: Runnable | Refusal) -> float:
    if job.deleting or isinstance(verdict, Refusal) or verdict.spec.state is not DesiredState.RUNNING:
        return 0
    if memory.given_up(job.status, verdict.spec_hash, verdict.spec.restart):
        return 0
    return verdict.cu


def shrunk(before: Sequence[Admission], after: Ledger) -> list[str]:
    """Names of jobs that would lose CU: to be confirmed by live reads before it is written."""
    return [
        entry.name
        for entry in before
        if after.admitted.get(entry.name, ("", 0.0))[1] < entry.cu or after.admitted[entry.name][0] != entry.uid
    ]


def summarise_resource(
    resource: Resource, ledger: Ledger, facts: OuFacts, users: Mapping[Library, Sequence[str]], now: datetime
) -> tuple[StreamResourceStatus, float | None]:
    """The status of the StreamResource in force, and after how many seconds it may change by itself.

    Args:
        users: names of jobs by the library that they need.
    """
    refused = refusal([*resource_faults(facts), *_ledger_faults(resource, ledger)])
    left = patience(resource.status.conditions, resource.generation, refused, now) if refused else None
    ready = (
        Word(False, refused.reason, refused.message)
        if refused
        else Word(True, reasons.IN_FORCE, _use(ledger) + _removing(resource, facts, users))
    )
    status = StreamResourceStatus(
        observed_generation=resource.generation,
        phase="Waiting" if left else "Ready" if ready.holds else "Stalled",
        conditions=_conditions(resource, ready, now, waits=left is not None),
        org_id=resource.org_id,
        standalone=CapacityUse(
            total=ledger.total, used=ledger.used, queued=ledger.queued, free=ledger.total - ledger.used
        ),
        in_use=bool(ledger.admitted),
        admitted=[Admission(name=name, uid=uid, cu=cu) for name, (uid, cu) in sorted(ledger.admitted.items())],
    )
    if isinstance(resource.spec, InvalidSpec):
        return status, left
    libraries = library_statuses(resource.spec, facts, users)
    shown = within(libraries)
    told: dict[str, object] = {
        "library_slots": library_slots(resource.spec, facts),
        "libraries": shown,
        "libraries_not_shown": len(libraries) - len(shown),
    }
    return status.model_copy(update=told), left


def summarise_duplicate(resource: Resource, older: Resource, now: datetime) -> StreamResourceStatus:
    """The status of a StreamResource beside an older one of its namespace."""
    fault = duplicate_fault(older)
    return StreamResourceStatus(
        observed_generation=resource.generation,
        phase="Stalled",
        conditions=_conditions(resource, Word(False, fault.reason, fault.message), now),
        org_id=resource.org_id,
    )


def _conditions(resource: Resource, ready: Word, now: datetime, *, waits: bool = False) -> list[Condition]:
    say = partial(condition, generation=resource.generation, now=now)
    wanted = [say("Ready", ready.holds, ready.reason, ready.message)]
    if waits:
        wanted.append(say("Reconciling", True, reasons.WAITING_FOR_RESOURCE, ready.message))
    elif not ready.holds:
        wanted.append(say("Stalled", True, ready.reason, ready.message))
    idle_fields = [] if isinstance(resource.spec, InvalidSpec) else resource_without_effect(resource.spec)
    if idle_fields:
        wanted.append(say("WarningNoEffect", True, reasons.NO_EFFECT, "; ".join(idle_fields)))
    return settled(resource.status.conditions, wanted)


def _ledger_faults(resource: Resource, ledger: Ledger) -> Iterator[Fault]:
    if ledger.used > ledger.total and not isinstance(resource.spec, InvalidSpec):
        message = f"{ledger.used:g} CU in use, {ledger.total:g} asked for; nothing new starts until enough is free"
        yield Fault(reasons.CAPACITY_EXCEEDED, message)


def _removing(resource: Resource, facts: OuFacts, users: Mapping[Library, Sequence[str]]) -> str:
    """Libraries that are on their way out, and who keeps them."""
    shared = None if isinstance(resource.spec, InvalidSpec) else slots(resource.spec, facts.running)
    return "".join(
        f"; {words(library)} is being removed, but a driver still runs it; used by {_named(users.get(library, ()))}"
        for library in (shared.removing if shared else ())
    )


def _named(jobs: Sequence[str]) -> str:
    names = sorted(jobs)
    rest = f" and {len(names) - _NAMED_JOBS} more" if len(names) > _NAMED_JOBS else ""
    return f"{', '.join(names[:_NAMED_JOBS])}{rest}"


def _use(ledger: Ledger) -> str:
    if not ledger.admitted:
        return "not in use"
    return f"in use by {_named(list(ledger.admitted))}"
