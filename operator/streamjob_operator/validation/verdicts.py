"""What is concluded of a job: it can be run, or it cannot, and why. In words for its author."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from streamjob_api.points import PointRef
from streamjob_api.resolved_names import ResolvedNames
from streamjob_api.resources import RunningMode
from streamjob_api.state_identity import state_identity
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import StreamResourceSpec
from streamjob_operator import reasons
from streamjob_operator.observed import Resource, digest

# A message lists faults as long as it is shorter; it stays readable, and a status far below its 16 KiB.
MAX_LISTED = 1600


@dataclass(frozen=True)
class Fault:
    """One thing that stands against a job.

    Args:
        message: ``spec.path: what is wrong; remedy``, or a sentence where no field is to blame.
        may_come: whether what is missing may still be applied.
    """

    reason: str
    message: str
    may_come: bool = False


@dataclass(frozen=True)
class Runnable:
    """A job that can be run, with all that its driver will be given.

    Args:
        spec_hash: of what restarts a driver when it changes.
        names: what the thing models say of the names in expressions; a driver learns of a change when it starts.
        calculated: inputs that jobs of the OU write; a driver restarts when they change.
        generation: of the job's spec.
    """

    spec: StreamJobSpec
    resource: Resource
    resource_spec: StreamResourceSpec
    image: str
    spec_hash: str
    names: ResolvedNames = field(default_factory=ResolvedNames)
    calculated: tuple[PointRef, ...] = ()
    generation: int = 0

    @cached_property
    def state_hash(self) -> str:
        """Hash of what the job's state rests on: where it changes, the state is of no use any more."""
        told = self.resource_spec
        return digest(state_identity(self.spec, self.resource.org_id, told.source, told.timezone))

    @property
    def resolved_hash(self) -> str:
        """Hash of what was found for the driver beside its spec and its OU's resource; empty where that is nothing."""
        found = [self.names.model_dump(mode="json", exclude_defaults=True), [str(point) for point in self.calculated]]
        return digest(found) if any(found) else ""

    @property
    def cu(self) -> float:
        """CU that the job takes of its OU's capacity for its mode."""
        return self.spec.resources.total_cu

    @property
    def capacity(self) -> float:
        """CU that the OU has for jobs of its mode."""
        return capacity_for(self.spec, self.resource_spec)

    @property
    def never_suffices(self) -> Fault | None:
        """The fault of a job that is larger than its OU."""
        return never_suffices(self.spec, self.resource.name, self.resource_spec)


@dataclass(frozen=True)
class Refusal:
    """Why a job cannot be run.

    Args:
        faults: all of them; the first one gives the reason.
        runnable: what would run, if an older job that runs did not stand against it: a driver of it has to give way.
    """

    faults: tuple[Fault, ...]
    runnable: Runnable | None = None

    @property
    def reason(self) -> str:
        """For programs."""
        return self.faults[0].reason

    @property
    def message(self) -> str:
        """All faults, for people."""
        return listed(fault.message for fault in self.faults)

    @property
    def may_come(self) -> bool:
        """Whether all that is missing may still be applied; then the job waits a while before it is stalled."""
        return all(fault.may_come for fault in self.faults)


Verdict = Runnable | Refusal


def refusal(faults: Iterable[Fault], runnable: Runnable | None = None) -> Refusal | None:
    """The faults, those that will not come first; None where there are none."""
    ordered = tuple(sorted(faults, key=lambda fault: fault.may_come))
    return Refusal(ordered, runnable) if ordered else None


def listed(messages: Iterable[str], limit: int = MAX_LISTED) -> str:
    """Messages as one, as many as there is room for, and how many more there are."""
    told: list[str] = []
    every = list(dict.fromkeys(messages))
    for message in every:
        if told and sum(map(len, told)) + len(message) > limit:
            return f"{'; '.join(told)}; and {len(every) - len(told)} more"
        told.append(message if len(message) <= limit else message[:limit] + "...")
    return "; ".join(told)


def capacity_for(spec: StreamJobSpec, resource: StreamResourceSpec) -> float:
    """CU that an OU has for jobs of this one's mode."""
    is_cluster = spec.resources.mode is RunningMode.CLUSTER
    return resource.capacity.cluster if is_cluster else resource.capacity.standalone


def never_suffices(spec: StreamJobSpec, resource_name: str, resource: StreamResourceSpec) -> Fault | None:
    """The fault of a job that is larger than its OU."""
    wanted, total = spec.resources.total_cu, capacity_for(spec, resource)
    if wanted <= total:
        return None
    sizes = spec.resources
    if sizes.mode is RunningMode.CLUSTER and sizes.master and sizes.worker:
        sum_of = f" (master {sizes.master.cu:g} + {sizes.workers} workers of {sizes.worker.cu:g})"
        use, lower = "cluster", "spec.resources"
    else:
        sum_of, use, lower = "", "standalone", "spec.resources.cu"
    return Fault(
        reasons.CAPACITY_NEVER_SUFFICES,
        f"spec.resources: needs {wanted:g} CU of {use}{sum_of}, but StreamResource {resource_name} has {total:g} in "
        f"all; lower {lower} or ask for more capacity",
    )
