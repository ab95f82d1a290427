"""What a job needs of its OU's other objects, beyond its own spec."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from streamjob_api.faults import InvalidSpec
from streamjob_api.lifecycle import DesiredState
from streamjob_api.names import NameCheck, NameFaultKind
from streamjob_api.permissions import Permissions
from streamjob_api.points import PointRef
from streamjob_api.resolved_names import ResolvedNames
from streamjob_api.resources import RunningMode
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import Library, StreamResourceSpec
from streamjob_api.suggestions import did_you_mean
from streamjob_api.support import unsupported_resource
from streamjob_operator import reasons
from streamjob_operator.observed import Job, Resource, digest
from streamjob_operator.validation.attributes import faults_without_redis
from streamjob_operator.validation.lineage import Lineage, Loop, Member, shown
from streamjob_operator.validation.resources import OuFacts, Slots, named, not_in_catalogue, slots, topic_clashes, words
from streamjob_operator.validation.verdicts import Fault, Refusal, Runnable, Verdict, listed, never_suffices, refusal

_NAME_REASONS = {NameFaultKind.UNKNOWN: reasons.UNKNOWN_NAME, NameFaultKind.MISMATCH: reasons.TYPE_MISMATCH}


@dataclass(frozen=True)
class Footing:
    """How a job stands with its OU, other jobs aside: this part changes with the OU, not with each of its jobs.

    Args:
        faults: what stands against it.
        runnable: what would run, where the image is known.
        oversize: that it is larger than its OU. It waits as it is: a driver that runs goes on.
    """

    faults: tuple[Fault, ...]
    runnable: Runnable | None = None
    oversize: Fault | None = None


def member_of(job: Job) -> Member | None:
    """The job as its OU's lineage knows it; None where its spec is invalid."""
    return None if isinstance(job.spec, InvalidSpec) else Member.of(job.uid, job.rank, job.spec)


def reserves(job: Job) -> bool:
    """Whether other jobs have to respect its outputs: a draft's they have not."""
    is_draft = isinstance(job.spec, InvalidSpec) or job.spec.state is DesiredState.DRAFT
    return not is_draft and not job.deleting


def check(job: Job, facts: OuFacts, lineage: Lineage) -> Verdict:
    """Decide whether a job can be run."""
    return conclude(footing(job, facts), member_of(job), lineage)


def _all(_: Member) -> bool:
    return True


def footing(job: Job, facts: OuFacts) -> Footing:
    """Check a job against its OU, other jobs aside."""
    spec = job.spec
    if isinstance(spec, InvalidSpec):
        return Footing(tuple(Fault(reasons.INVALID_SPEC, fault) for fault in spec.faults))
    resource = facts.resource
    if resource is None:
        message = f"namespace {facts.namespace} has no StreamResource; ask the platform for one"
        return Footing((Fault(reasons.RESOURCE_MISSING, message, may_come=True),))
    if isinstance(resource.spec, InvalidSpec):
        message = f"StreamResource {resource.name} is invalid: {listed(resource.spec.faults)}"
        return Footing((Fault(reasons.RESOURCE_INVALID, message, may_come=True),))
    faults = (
        *_resource_faults(resource, resource.spec, facts),
        *_name_faults(spec, facts),
        *_redis_faults(spec, resource, resource.spec, facts),
        *_permission_faults(spec, resource, resource.spec),
        *_library_faults(spec, resource, resource.spec, facts),
        *_storage_faults(spec, resource, resource.spec),
    )
    oversize = never_suffices(spec, resource.name, resource.spec)
    return Footing(faults, _runnable(job, spec, resource, resource.spec, facts), oversize)


def conclude(
    footing: Footing,
    member: Member | None,
    lineage: Lineage,
    runs: Callable[[Member], bool] = _all,
    writes: Callable[[Member], bool] = _all,
) -> Verdict:
    """The verdict, other jobs included.

    Args:
        runs: whether an older job that stands in the way is one that runs, or will; where none does, a driver need not
            give way yet.
        writes: whether a job counts as the writer of its outputs for those that read them.
    """
    by_others: list[tuple[Fault, bool]] = []
    if member is not None:
        by_others += [(_taken(member, output, older), runs(older)) for output, older in lineage.rivals(member)]
        by_others += [(_closes(loop), _flows(loop, member, runs)) for loop in lineage.loops(member)]
    faults = [*footing.faults, *(fault for fault, _ in by_others)]
    if faults and footing.oversize:
        faults.append(footing.oversize)
    gives_way = any(is_pressing for _, is_pressing in by_others)
    refused = refusal(faults, footing.runnable if gives_way else None)
    if refused is not None:
        return refused
    if footing.runnable is None:
        raise TypeError("a job without faults has an image")
    return replace(footing.runnable, calculated=lineage.calculated(member, writes)) if member else footing.runnable


def can_start(footing: Footing, member: Member, lineage: Lineage) -> bool:
    """Whether nothing stands against a job, its size included."""
    is_sound = not footing.faults and footing.oversize is None
    return is_sound and not any(lineage.rivals(member)) and not lineage.loops(member)


def objection(verdict: Verdict) -> Refusal | None:
    """All that keeps a job from ever running, its size included."""
    if isinstance(verdict, Refusal):
        return verdict
    return Refusal((verdict.never_suffices,)) if verdict.never_suffices else None


def _taken(member: Member, output: PointRef, older: Member) -> Fault:
    return Fault(
        reasons.OUTPUT_TAKEN,
        f"{member.path_of(output)}: {output} is written by the older StreamJob {older.name} already; "
        "choose another output or delete the older job",
    )


def _closes(loop: Loop) -> Fault:
    return Fault(
        reasons.LINEAGE_LOOP,
        f"spec.{loop[0].path}: closes a loop through jobs of the OU: {shown(loop)}; choose another output, "
        "or change what one of the jobs reads",
    )


def _flows(loop: Loop, member: Member, runs: Callable[[Member], bool]) -> bool:
    """Whether records would go round for ever, if the job ran."""
    return all(step.member.uid == member.uid or runs(step.member) for step in loop)


def _resource_faults(resource: Resource, spec: StreamResourceSpec, facts: OuFacts) -> Iterator[Fault]:
    if facts.rival is not None:
        owner = f"{facts.rival.namespace}/{facts.rival.name}"
        message = f"orgId {resource.org_id} belongs to StreamResource {owner}, which is older"
        yield Fault(reasons.ORG_ID_TAKEN, message, may_come=True)
    for clash in topic_clashes(resource, spec):
        yield Fault(reasons.RESOURCE_INVALID, f"StreamResource {resource.name} is invalid: {clash}", may_come=True)
    for fault in unsupported_resource(spec):
        yield Fault(reasons.NOT_SUPPORTED, f"StreamResource {resource.name}: {fault}")


def _name_faults(spec: StreamJobSpec, facts: OuFacts) -> Iterable[Fault]:
    found = facts.models_in_force
    if found is None:
        return []
    if found.fault or found.models is None:
        return [found.fault] if found.fault else []
    names = NameCheck(found.models)
    spec.block.check_names(names)
    return [Fault(_NAME_REASONS[fault.kind], str(fault)) for fault in names.faults]


def _redis_faults(
    spec: StreamJobSpec, resource: Resource, resource_spec: StreamResourceSpec, facts: OuFacts
) -> Iterable[Fault]:
    found = facts.models_in_force
    return [] if resource_spec.redis else faults_without_redis(spec, resource.name, found.models if found else None)


def _permission_faults(spec: StreamJobSpec, resource: Resource, resource_spec: StreamResourceSpec) -> Iterator[Fault]:
    allowed = resource_spec.pipelines or Permissions()
    for text in spec.pipeline.not_allowed(allowed) if spec.pipeline else ():
        yield Fault(reasons.NOT_ALLOWED, f"{text} of StreamResource {resource.name}", may_come=True)


def _library_faults(
    spec: StreamJobSpec, resource: Resource, resource_spec: StreamResourceSpec, facts: OuFacts
) -> Iterator[Fault]:
    library = library_of(spec)
    shared = slots(resource_spec, facts.running)
    if library not in shared.installed:
        yield Fault(reasons.TEMPLATE_NOT_INSTALLED, _not_installed(spec, resource, shared), may_come=True)
        return
    unknown = not_in_catalogue(library, facts.catalogue)
    if unknown:
        yield Fault(reasons.TEMPLATE_UNKNOWN, f"spec.template: {unknown}")


def _storage_faults(spec: StreamJobSpec, resource: Resource, resource_spec: StreamResourceSpec) -> Iterator[Fault]:
    """Executors write the state: a claim that one node mounts will not do."""
    checkpoints = resource_spec.checkpoints
    if spec.resources.mode is RunningMode.CLUSTER and checkpoints.claim_name is None and checkpoints.uri is None:
        yield Fault(
            reasons.STORAGE_NOT_SHARED,
            f"spec.resources.mode: Cluster keeps its state where all pods reach it, but StreamResource {resource.name} "
            "has a claim for each job; name an existing ReadWriteMany claim there (spec.checkpoints.claimName), or "
            "write mode: Standalone",
        )


def library_of(spec: StreamJobSpec) -> Library:
    """The library that a job needs."""
    return Library(name=spec.template.name.library, version=spec.template.version)


def _not_installed(spec: StreamJobSpec, resource: Resource, shared: Slots) -> str:
    library = library_of(spec)
    template = f"spec.template: {spec.template.name} {spec.template.version}"
    needed = template if library.name == spec.template.name else f"{template} needs the library {words(library)}, which"
    if library in shared.removing:
        return f"{needed} was removed from StreamResource {resource.name}; a driver that runs goes on, none is started"
    if library in shared.left_out:
        return (
            f"{needed} is listed by StreamResource {resource.name}, but has no slot: {shared.used} of {shared.total} "
            f"are taken by {named([*shared.installed, *shared.removing])}; ask for more design CU"
        )
    nearest = did_you_mean(words(library), map(words, shared.installed))
    return (
        f"{needed} is not installed by StreamResource {resource.name}; it installs {named(shared.installed)}{nearest}"
    )


def _runnable(
    job: Job, spec: StreamJobSpec, resource: Resource, resource_spec: StreamResourceSpec, facts: OuFacts
) -> Runnable | None:
    """What would run, if nothing stood against it; None where no image is known."""
    library = library_of(spec)
    known = facts.catalogue.image(library.name, library.version) if facts.catalogue else ""
    if known is None or library not in slots(resource_spec, facts.running).installed:
        return None
    image = spec.image or known
    spec_hash = digest([job.spec_digest, resource.connections_digest, image])
    models = facts.models_in_force.models if facts.models_in_force else None
    names = ResolvedNames.of(spec, models) if models else ResolvedNames()
    return Runnable(spec, resource, resource_spec, image, spec_hash, names, generation=job.generation)
