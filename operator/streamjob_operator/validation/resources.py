"""The StreamResource of an OU: which one is in force, what it installs, what is wrong with it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from streamjob_api.faults import InvalidSpec
from streamjob_api.resources import RunningMode
from streamjob_api.state_identity import topic_names
from streamjob_api.stream_resource import LIBRARIES_PER_DESIGN_CU, Library, StreamResourceSpec
from streamjob_api.suggestions import did_you_mean
from streamjob_operator import reasons
from streamjob_operator.catalogue import Catalogue
from streamjob_operator.observed import Resource
from streamjob_operator.validation.models import FoundModels, missing_models
from streamjob_operator.validation.verdicts import Fault


@dataclass(frozen=True)
class OuFacts:
    """What the jobs of one OU are checked against, beside each other.

    Args:
        resource: the StreamResource in force.
        rival: an older StreamResource of another namespace that names the same orgId.
        models: what the ConfigMap holds that the resource names.
        running: libraries that a driver runs.
        catalogue: what the operator can install; None where that is not known.
    """

    namespace: str
    resource: Resource | None = None
    rival: Resource | None = None
    models: FoundModels | None = None
    running: frozenset[Library] = frozenset()
    catalogue: Catalogue | None = None

    @property
    def models_in_force(self) -> FoundModels | None:
        """The models that names are checked against; None where the resource names none."""
        spec = self.resource.spec if self.resource else None
        if spec is None or isinstance(spec, InvalidSpec) or spec.models is None:
            return None
        named = spec.models.config_map
        return self.models if self.models and self.models.config_map == named else missing_models(named)


@dataclass(frozen=True)
class Slots:
    """Who has the places for libraries.

    Args:
        installed: listed by the resource, with a place.
        left_out: listed, without a place.
        removing: listed no more, but a driver still runs it and keeps its place.
    """

    total: int
    installed: tuple[Library, ...]
    left_out: tuple[Library, ...]
    removing: tuple[Library, ...]

    @property
    def used(self) -> int:
        """Places that are taken."""
        return len(self.installed) + len(self.removing)


def in_force(resources: Iterable[Resource]) -> Resource | None:
    """The StreamResource of a namespace: the oldest one that is not being deleted."""
    living = [resource for resource in resources if not resource.deleting]
    return min(living, key=lambda resource: resource.rank, default=None)


def rival_of(resource: Resource, others: Iterable[Resource]) -> Resource | None:
    """An older StreamResource of another namespace that names the same orgId."""
    older = (
        other
        for other in others
        if other.org_id == resource.org_id and other.namespace != resource.namespace and other.rank < resource.rank
    )
    return min(older, key=lambda other: other.rank, default=None)


def capacity(resource: Resource, mode: RunningMode) -> float:
    """CU that an OU has for jobs of a mode; none where its StreamResource is invalid."""
    if isinstance(resource.spec, InvalidSpec):
        return 0
    asked = resource.spec.capacity
    return asked.cluster if mode is RunningMode.CLUSTER else asked.standalone


def slots(spec: StreamResourceSpec, running: Collection[Library] = ()) -> Slots:
    """Share out the places: what runs keeps its own, the rest goes by the order of the list."""
    total = spec.capacity.design * LIBRARIES_PER_DESIGN_CU
    removing = tuple(sorted((library for library in running if library not in spec.libraries), key=words))
    free = max(total - len(removing), 0)
    in_order = sorted(spec.libraries, key=lambda library: library not in running)
    placed = in_order[:free]
    return Slots(
        total=total,
        installed=tuple(library for library in spec.libraries if library in placed),
        left_out=tuple(library for library in spec.libraries if library not in placed),
        removing=removing,
    )


def resource_faults(facts: OuFacts) -> Iterator[Fault]:
    """What is wrong with the StreamResource in force."""
    resource = facts.resource
    if resource is None:
        return
    if isinstance(resource.spec, InvalidSpec):
        yield from (Fault(reasons.INVALID_SPEC, fault) for fault in resource.spec.faults)
    if facts.rival is not None:
        message = (
            f"orgId {resource.org_id} belongs to the older StreamResource {facts.rival.namespace}/{facts.rival.name}; "
            "nothing new starts here"
        )
        yield Fault(reasons.ORG_ID_TAKEN, message)
    if isinstance(resource.spec, InvalidSpec):
        return
    yield from (Fault(reasons.TOPIC_CLASH, clash) for clash in topic_clashes(resource, resource.spec))
    shared = slots(resource.spec, facts.running)
    if shared.left_out:
        yield Fault(reasons.LIBRARY_SLOTS_EXCEEDED, _slots_exceeded(resource.spec, shared))
    for number, library in enumerate(resource.spec.libraries):
        unknown = not_in_catalogue(library, facts.catalogue)
        if unknown:
            yield Fault(reasons.LIBRARY_UNKNOWN, f"spec.libraries[{number}]: {unknown}")
    models = facts.models_in_force
    if models and models.fault:
        yield models.fault


def topic_clashes(resource: Resource, spec: StreamResourceSpec) -> list[str]:
    """Topics that would serve two uses: only the orgId, by default the namespace, tells the names left out."""
    clashes = spec.source.topics.clashes(resource.org_id) if spec.source else []
    own = asdict(topic_names(resource.org_id, spec.source)).values()
    listed = spec.pipelines.topics if spec.pipelines else []
    return [
        *(f"spec.source.topics: {clash}" for clash in clashes),
        *(
            f"spec.pipelines.topics[{number}]: '{topic}' is one of the topics of the OU's jobs; leave it out"
            for number, topic in enumerate(listed)
            if topic in own
        ),
    ]


def duplicate_fault(older: Resource) -> Fault:
    """What stands against a StreamResource beside an older one."""
    message = f"StreamResource {older.name} is older and stays in force; a namespace has one"
    return Fault(reasons.DUPLICATE_RESOURCE, message)


def not_in_catalogue(library: Library, catalogue: Catalogue | None) -> str:
    """What to say of a library that the operator cannot install; empty where it can."""
    if catalogue is None or catalogue.image(library.name, library.version) is not None:
        return ""
    versions = catalogue.versions(library.name)
    if versions:
        known = ", ".join(versions)
        return (
            f"the operator's catalogue has no {words(library)}; versions it has: {known}"
            f"{did_you_mean(library.version, versions)}"
        )
    names = catalogue.names()
    nearest = did_you_mean(library.name, names) or f"; it has {', '.join(names) or 'nothing'}"
    return f"the operator's catalogue has no library {library.name}{nearest}"


def words(library: Library) -> str:
    """A library in a message."""
    return f"{library.name} {library.version}"


def named(libraries: Sequence[Library]) -> str:
    """Libraries in a message."""
    return ", ".join(map(words, libraries)) or "nothing"


def _slots_exceeded(spec: StreamResourceSpec, shared: Slots) -> str:
    removing = f"; kept by a driver that still runs: {named(shared.removing)}" if shared.removing else ""
    return (
        f"spec.libraries: {len(spec.libraries)} libraries, but {spec.capacity.design} design CU have {shared.total} "
        f"slots; not installed: {named(shared.left_out)}{removing}; raise capacity.design or remove libraries"
    )
