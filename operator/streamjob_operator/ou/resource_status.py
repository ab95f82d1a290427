"""What is true of an OU's StreamResource now. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from streamjob_api.faults import InvalidSpec
from streamjob_api.resources import RunningMode
from streamjob_api.status import CapacityUse, Condition, LibraryState, StreamResourceStatus
from streamjob_api.stream_resource import Library
from streamjob_api.support import resource_without_effect
from streamjob_operator import reasons
from streamjob_operator.jobs.course import Word
from streamjob_operator.jobs.patience import patience
from streamjob_operator.ledger import Ledger, Pool, words
from streamjob_operator.observed import Resource
from streamjob_operator.ou.claims import changed, holdings
from streamjob_operator.ou.library_status import library_slots, library_statuses, within
from streamjob_operator.telling.conditions import condition, settled
from streamjob_operator.validation import Fault, OuFacts, resource_faults
from streamjob_operator.validation.resources import duplicate_fault, slots
from streamjob_operator.validation.resources import words as library_words
from streamjob_operator.validation.verdicts import refusal

# Names of jobs in a message.
_NAMED_JOBS = 5


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
        else Word(True, reasons.IN_FORCE, _use(ledger) + _models(facts) + _removing(resource, facts, users))
    )
    holders, leaving = holdings(ledger)
    status = StreamResourceStatus(
        observed_generation=resource.generation,
        phase="Waiting" if left else "Ready" if ready.holds else "Stalled",
        conditions=_conditions(resource, ready, now, waits=left is not None),
        org_id=resource.org_id,
        standalone=_in_numbers(ledger.pool(RunningMode.STANDALONE)),
        cluster=_in_numbers(ledger.pool(RunningMode.CLUSTER)),
        in_use=bool(holders.standalone or holders.cluster),
        holders=holders,
        leaving=leaving,
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


def _in_numbers(pool: Pool) -> CapacityUse:
    return CapacityUse(
        total=pool.total,
        used=pool.live,
        reserved=pool.held - pool.live,
        queued=pool.queued,
        free=pool.total - pool.held,
    )


def _ledger_faults(resource: Resource, ledger: Ledger) -> Iterator[Fault]:
    if isinstance(resource.spec, InvalidSpec):
        return
    for mode in RunningMode:
        pool = ledger.pool(mode)
        if pool.held > pool.total:
            message = (
                f"spec.capacity.{words(mode)}: {pool.held:g} CU are in use, {pool.total:g} asked for; nothing is "
                f"stopped, and nothing new starts while more are in use; {_named({name for name, _ in pool.admitted})} "
                f"hold them: pause or stop jobs until {pool.held - pool.total:g} CU are free, or ask for more"
            )
            yield Fault(reasons.CAPACITY_EXCEEDED, message)


def _removing(resource: Resource, facts: OuFacts, users: Mapping[Library, Sequence[str]]) -> str:
    """Libraries that are on their way out, and who keeps them."""
    shared = None if isinstance(resource.spec, InvalidSpec) else slots(resource.spec, facts.running)
    return "".join(
        f"; {library_words(library)} is being removed, but a driver still runs it; "
        f"used by {_named(users.get(library, ()))}"
        for library in (shared.removing if shared else ())
    )


def _named(jobs: Collection[str]) -> str:
    names = sorted(jobs)
    rest = f" and {len(names) - _NAMED_JOBS} more" if len(names) > _NAMED_JOBS else ""
    return f"{', '.join(names[:_NAMED_JOBS])}{rest}"


def _use(ledger: Ledger) -> str:
    return f"in use by {_named(ledger.holders)}" if ledger.holders else "not in use"


def _models(facts: OuFacts) -> str:
    """How many thing models names are checked against; without any, only their form is."""
    found = facts.models_in_force
    if found is None or found.models is None:
        return ""
    count = len(found.models.models)
    return f"; {count} thing {'model' if count == 1 else 'models'} loaded from ConfigMap {found.config_map}"


def is_in_numbers_alone(before: StreamResourceStatus, after: StreamResourceStatus) -> bool:
    """Whether two statuses differ in how much is used, reserved and queued, and in nothing else."""
    numbers = {"standalone": before.standalone, "cluster": before.cluster}
    return before != after and after.model_copy(update=numbers) == before


def concerned(before: Resource, after: Resource) -> set[str] | None:
    """Names of the jobs that a change of a StreamResource concerns; None: all of them."""
    same_spec = (before.uid, before.generation, before.deleting) == (after.uid, after.generation, after.deleting)
    if not same_spec or installed(before.status) != installed(after.status):
        return None
    return changed(before.status, after.status)


def installed(status: StreamResourceStatus) -> set[tuple[str, str]]:
    """Libraries that jobs can be started with."""
    return {(each.name, each.version) for each in status.libraries if each.state is LibraryState.INSTALLED}
