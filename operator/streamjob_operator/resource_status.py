"""Claims on an OU's capacity, and what is true of its StreamResource now. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from streamjob_api.faults import InvalidSpec
from streamjob_api.lifecycle import DesiredState
from streamjob_api.status import Admission, CapacityUse, LibrarySlots, StreamResourceStatus
from streamjob_operator import memory, reasons
from streamjob_operator.conditions import condition, settled
from streamjob_operator.course import Word
from streamjob_operator.ledger import Claim, Ledger
from streamjob_operator.observed import Job, Pod, Resource
from streamjob_operator.validation import Refusal, Runnable, slots

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
    resource: Resource, ledger: Ledger, rival: Resource | None, now: datetime
) -> StreamResourceStatus:
    """The status of the StreamResource in force.

    Args:
        rival: an older StreamResource of another namespace that names the same orgId.
    """
    ready = _ready(resource, ledger, rival)
    spec = resource.spec
    return StreamResourceStatus(
        observed_generation=resource.generation,
        phase="Ready" if ready.holds else "Stalled",
        conditions=_conditions(resource, ready, now),
        org_id=resource.org_id,
        standalone=CapacityUse(
            total=ledger.total, used=ledger.used, queued=ledger.queued, free=ledger.total - ledger.used
        ),
        library_slots=LibrarySlots()
        if isinstance(spec, InvalidSpec)
        else LibrarySlots(total=slots(spec), used=min(len(spec.libraries), slots(spec))),
        in_use=bool(ledger.admitted),
        admitted=[Admission(name=name, uid=uid, cu=cu) for name, (uid, cu) in sorted(ledger.admitted.items())],
    )


def summarise_duplicate(resource: Resource, older: Resource, now: datetime) -> StreamResourceStatus:
    """The status of a StreamResource beside an older one of its namespace."""
    message = f"StreamResource {older.name} is older and stays in force; a namespace has one"
    word = Word(False, reasons.DUPLICATE_RESOURCE, message)
    return StreamResourceStatus(
        observed_generation=resource.generation,
        phase="Stalled",
        conditions=_conditions(resource, word, now),
        org_id=resource.org_id,
    )


def _conditions(resource: Resource, ready: Word, now: datetime) -> list[object]:
    generation = resource.generation
    wanted = [condition("Ready", ready.holds, ready.reason, ready.message, generation, now)]
    if not ready.holds:
        wanted.append(condition("Stalled", True, ready.reason, ready.message, generation, now))
    return list(settled(resource.status.conditions, wanted))


def _ready(resource: Resource, ledger: Ledger, rival: Resource | None) -> Word:
    spec = resource.spec
    if isinstance(spec, InvalidSpec):
        return Word(False, reasons.INVALID_SPEC, str(spec))
    if rival is not None:
        message = (
            f"orgId {resource.org_id} belongs to the older StreamResource {rival.namespace}/{rival.name}; "
            "nothing new starts here"
        )
        return Word(False, reasons.ORG_ID_TAKEN, message)
    if len(spec.libraries) > slots(spec):
        left_out = ", ".join(f"{library.name} {library.version}" for library in spec.libraries[slots(spec) :])
        message = (
            f"{len(spec.libraries)} libraries, but {spec.capacity.design} design CU have {slots(spec)} slots; "
            f"not installed: {left_out}"
        )
        return Word(False, reasons.LIBRARY_SLOTS_EXCEEDED, message)
    if ledger.used > ledger.total:
        message = f"{ledger.used:g} CU in use, {ledger.total:g} asked for; nothing new starts until enough is free"
        return Word(False, reasons.CAPACITY_EXCEEDED, message)
    return Word(True, reasons.IN_FORCE, _use(ledger))


def _use(ledger: Ledger) -> str:
    if not ledger.admitted:
        return "not in use"
    names = sorted(ledger.admitted)
    rest = f" and {len(names) - _NAMED_JOBS} more" if len(names) > _NAMED_JOBS else ""
    return f"in use by {', '.join(names[:_NAMED_JOBS])}{rest}"


def holders(admitted: Sequence[Admission]) -> Mapping[str, float]:
    """CU by the UID of the job that was admitted with it."""
    return {entry.uid: entry.cu for entry in admitted}
