"""The third ring over a set of manifests, without a cluster: what the operator would say if all were applied."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from streamjob_api.faults import InvalidSpec
from streamjob_api.status import StreamJobStatus, StreamResourceStatus
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import StreamResourceSpec
from streamjob_operator.catalogue import Catalogue
from streamjob_operator.observed import Job, JobKey, Resource
from streamjob_operator.validation.jobs import check, member_of, objection, reserves
from streamjob_operator.validation.lineage import Lineage
from streamjob_operator.validation.models import FoundModels, found_models
from streamjob_operator.validation.resources import OuFacts, duplicate_fault, in_force, resource_faults, rival_of
from streamjob_operator.validation.verdicts import Fault

SpecT = TypeVar("SpecT")

# Manifests have no age: those that come first are taken to be the older ones.
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Written(Generic[SpecT]):
    """One manifest: where it would be, and its spec as the model reads it."""

    namespace: str
    name: str
    spec: SpecT | InvalidSpec


WrittenJob = Written[StreamJobSpec]
WrittenResource = Written[StreamResourceSpec]


def check_manifests(
    jobs: Sequence[WrittenJob],
    resources: Sequence[WrittenResource],
    config_maps: Mapping[tuple[str, str], Mapping[str, str]],
    catalogue: Catalogue | None = None,
) -> tuple[list[list[Fault]], list[list[Fault]]]:
    """Faults of each job and of each resource, in their order; empty lists where all is right.

    Args:
        config_maps: ``data`` of the ConfigMaps at hand, by namespace and name. One that a resource names and
            that is not among them is told as ``ModelsMissing``.
        catalogue: what the operator can install; None: libraries are not checked against it.
    """
    all_jobs = [_job(number, job) for number, job in enumerate(jobs)]
    all_resources = [_resource(number, resource) for number, resource in enumerate(resources)]
    facts = {name: _facts(name, all_resources, config_maps, catalogue) for name in _namespaces(all_jobs, all_resources)}
    lineages = {name: _lineage(job for job in all_jobs if job.key.namespace == name) for name in facts}
    of_jobs = []
    for job in all_jobs:
        refused = objection(check(job, facts[job.key.namespace], lineages[job.key.namespace]))
        of_jobs.append(list(refused.faults) if refused else [])
    return of_jobs, [_of_resource(resource, facts[resource.namespace]) for resource in all_resources]


def _namespaces(jobs: Iterable[Job], resources: Iterable[Resource]) -> set[str]:
    return {job.key.namespace for job in jobs} | {resource.namespace for resource in resources}


def _facts(
    namespace: str,
    resources: Sequence[Resource],
    config_maps: Mapping[tuple[str, str], Mapping[str, str]],
    catalogue: Catalogue | None,
) -> OuFacts:
    resource = in_force(each for each in resources if each.namespace == namespace)
    return OuFacts(
        namespace=namespace,
        resource=resource,
        rival=rival_of(resource, resources) if resource else None,
        models=_models(resource, config_maps) if resource else None,
        catalogue=catalogue,
    )


def _models(resource: Resource, config_maps: Mapping[tuple[str, str], Mapping[str, str]]) -> FoundModels | None:
    if isinstance(resource.spec, InvalidSpec) or resource.spec.models is None:
        return None
    name = resource.spec.models.config_map
    data = config_maps.get((resource.namespace, name))
    return None if data is None else found_models(name, data)


def _lineage(jobs: Iterable[Job]) -> Lineage:
    return Lineage(member for job in jobs if reserves(job) and (member := member_of(job)))


def _of_resource(resource: Resource, facts: OuFacts) -> list[Fault]:
    if facts.resource is not None and facts.resource.uid != resource.uid:
        return [duplicate_fault(facts.resource)]
    return list(resource_faults(facts))


def _job(number: int, job: WrittenJob) -> Job:
    return Job(
        key=JobKey(job.namespace, job.name),
        uid=f"job-{number}",
        resource_version="",
        generation=1,
        created=_FIRST + timedelta(seconds=number),
        deleting=False,
        spec=job.spec,
        status=StreamJobStatus(),
    )


def _resource(number: int, resource: WrittenResource) -> Resource:
    return Resource(
        namespace=resource.namespace,
        name=resource.name,
        uid=f"resource-{number}",
        resource_version="",
        generation=1,
        created=_FIRST + timedelta(seconds=number),
        deleting=False,
        spec=resource.spec,
        status=StreamResourceStatus(),
    )
