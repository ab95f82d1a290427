"""What a job needs of its OU's other objects, beyond its own spec: checked here, in words for its author."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streamjob_api.faults import InvalidSpec
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import LIBRARIES_PER_DESIGN_CU, Library, StreamResourceSpec
from streamjob_api.support import unsupported, unsupported_resource
from streamjob_operator import reasons
from streamjob_operator.catalogue import Catalogue
from streamjob_operator.observed import Job, JobKey, Resource, digest


@dataclass(frozen=True)
class Runnable:
    """A job that can be run, with all that its driver will be given."""

    spec: StreamJobSpec
    resource: Resource
    resource_spec: StreamResourceSpec
    image: str
    spec_hash: str

    @property
    def cu(self) -> float:
        """CU that the job takes of its OU's standalone capacity."""
        return self.spec.resources.total_cu

    @property
    def capacity(self) -> float:
        """CU that the OU has for such jobs."""
        return self.resource_spec.capacity.standalone


@dataclass(frozen=True)
class Refusal:
    """Why a job cannot be run.

    Args:
        may_come: whether what is missing may still be applied; then the job waits a while before it is stalled.
        runnable: what would run, where only another job stands against it.
    """

    reason: str
    message: str
    may_come: bool = False
    runnable: Runnable | None = None


Writers = Mapping[str, Sequence[Job]]


def in_force(resources: Sequence[Resource]) -> Resource | None:
    """The StreamResource of a namespace: the oldest one that is not being deleted."""
    living = [resource for resource in resources if not resource.deleting]
    return min(living, key=lambda resource: resource.rank, default=None)


def installed(spec: StreamResourceSpec) -> list[Library]:
    """The libraries that have a slot; further ones are not installed."""
    return spec.libraries[: slots(spec)]


def slots(spec: StreamResourceSpec) -> int:
    """Places for libraries."""
    return spec.capacity.design * LIBRARIES_PER_DESIGN_CU


def capacity(resource: Resource) -> float:
    """CU that an OU has for Standalone jobs; none where its StreamResource is invalid."""
    return 0 if isinstance(resource.spec, InvalidSpec) else resource.spec.capacity.standalone


def outputs(spec: StreamJobSpec | InvalidSpec) -> list[str]:
    """The points that a job writes."""
    if isinstance(spec, InvalidSpec):
        return []
    return [str(output) for output in spec.block.outputs()]


def check(
    job: Job, resource: Resource | None, rival: Resource | None, writers: Writers, catalogue: Catalogue
) -> Runnable | Refusal:
    """Decide whether a job can be run.

    Args:
        resource: the StreamResource in force in the job's namespace.
        rival: an older StreamResource of another namespace that names the same orgId.
        writers: by output, the jobs of the OU that write it.
    """
    if isinstance(job.spec, InvalidSpec):
        return Refusal(reasons.INVALID_SPEC, str(job.spec))
    if resource is None:
        message = f"namespace {job.key.namespace} has no StreamResource; ask the platform for one"
        return Refusal(reasons.RESOURCE_MISSING, message, may_come=True)
    if rival is not None:
        message = f"orgId {resource.org_id} belongs to StreamResource {rival.namespace}/{rival.name}, which is older"
        return Refusal(reasons.ORG_ID_TAKEN, message, may_come=True)
    if isinstance(resource.spec, InvalidSpec):
        message = f"StreamResource {resource.name} is invalid: {resource.spec}"
        return Refusal(reasons.RESOURCE_INVALID, message, may_come=True)
    image = _image(job.spec, resource, resource.spec, catalogue)
    if isinstance(image, Refusal):
        return image
    spec_hash = digest([job.spec_digest, resource.connections_digest, image])
    runnable = Runnable(job.spec, resource, resource.spec, image, spec_hash)
    return _taken(job, runnable, writers) or runnable


def _image(
    spec: StreamJobSpec, resource: Resource, resource_spec: StreamResourceSpec, catalogue: Catalogue
) -> str | Refusal:
    """The runtime image of the job's template."""
    faults = [*unsupported(spec), *unsupported_resource(resource_spec)]
    if faults:
        return Refusal(reasons.NOT_SUPPORTED, "; ".join(faults))
    template = spec.template
    libraries = installed(resource_spec)
    if Library(name=template.name.library, version=template.version) not in libraries:
        return _not_installed(spec, resource, libraries)
    image = catalogue.image(template.name.library, template.version)
    if image is None:
        known = ", ".join(catalogue.versions(template.name.library)) or "none"
        message = f"the operator's catalogue has no {template.name} {template.version}; versions it has: {known}"
        return Refusal(reasons.TEMPLATE_UNKNOWN, message)
    return spec.image or image


def _not_installed(spec: StreamJobSpec, resource: Resource, libraries: list[Library]) -> Refusal:
    names = ", ".join(f"{library.name} {library.version}" for library in libraries) or "nothing"
    message = (
        f"spec.template: {spec.template.name} {spec.template.version} is not installed by StreamResource "
        f"{resource.name}; it installs {names}"
    )
    return Refusal(reasons.TEMPLATE_NOT_INSTALLED, message, may_come=True)


def _taken(job: Job, runnable: Runnable, writers: Writers) -> Refusal | None:
    """One output has one writer: the older job keeps it."""
    taken = []
    for output in outputs(job.spec):
        older = [other for other in writers.get(output, ()) if other.rank < job.rank and not other.deleting]
        if older:
            taken.append((output, min(older, key=lambda other: other.rank).key))
    if not taken:
        return None
    listed = "; ".join(f"{output} by {_name(key)}" for output, key in taken)
    message = f"written by an older job already: {listed}; choose other outputs or delete the older job"
    return Refusal(reasons.OUTPUT_TAKEN, message, runnable=runnable)


def _name(key: JobKey) -> str:
    return f"StreamJob {key.name}"
