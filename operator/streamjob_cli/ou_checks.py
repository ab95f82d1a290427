"""What an OU's objects say of each other: the operator's own verdict, over the manifests of files."""

from collections.abc import Iterator, Mapping, Sequence

from streamjob_api.faults import InvalidSpec
from streamjob_api.names import NameCheck
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import StreamResourceSpec
from streamjob_api.templates import TemplateName
from streamjob_cli.checks import Finding, Level, Objects, Read, SpecT
from streamjob_cli.manifests import Manifest
from streamjob_operator import reasons
from streamjob_operator.catalogue import Catalogue
from streamjob_operator.validation import Fault, check_manifests, found_models
from streamjob_operator.validation.manifests import Written
from streamjob_operator.validation.models import MODELS_KEY

# Told at the object that is to blame, not again at each job that needs it.
_TOLD_ELSEWHERE = {reasons.INVALID_SPEC, reasons.RESOURCE_INVALID, reasons.MODELS_INVALID}
# What other files may hold is no fault of these ones.
_ELSEWHERE = {reasons.RESOURCE_MISSING, reasons.MODELS_MISSING}


def ou_findings(objects: Objects, models: str | None) -> Iterator[Finding]:
    """What the operator would say if all objects were applied.

    Args:
        models: the text of a ``models.yaml`` for StreamResources whose ConfigMap is not among the objects.
    """
    home = _home(objects)
    jobs = sorted(objects.jobs, key=lambda job: _age(job.manifest))
    resources = sorted(objects.resources, key=lambda resource: _age(resource.manifest))
    of_jobs, of_resources = check_manifests(
        [_written(job, home) for job in jobs],
        [_written(resource, home) for resource in resources],
        _config_maps(objects, home, models),
        _catalogue(objects),
    )
    manifests = [*(job.manifest for job in jobs), *(resource.manifest for resource in resources)]
    for manifest, faults in zip(manifests, [*of_jobs, *of_resources], strict=True):
        yield from (_finding(manifest, fault) for fault in faults if fault.reason not in _TOLD_ELSEWHERE)
    for job in jobs:
        yield from _foreign(job)
    if models is not None:
        yield from _without_models(resources)
        yield from _against_models(jobs, {resource.manifest.namespace or home for resource in resources}, home, models)


def _home(objects: Objects) -> str:
    """The namespace of objects that name none: the one that all others name, if it is one."""
    named = {job.manifest.namespace for job in objects.jobs}
    named |= {resource.manifest.namespace for resource in objects.resources}
    named -= {""}
    return named.pop() if len(named) == 1 else ""


def _age(manifest: Manifest) -> tuple[str, str]:
    """Creation time, where the object comes from a cluster, then name, as the operator decides who was first."""
    metadata = manifest.content.get("metadata")
    created = metadata.get("creationTimestamp") if isinstance(metadata, dict) else None
    return (created if isinstance(created, str) else "~", manifest.name)


def _written(read: Read[SpecT], home: str) -> Written[SpecT]:
    return Written(read.manifest.namespace or home, read.manifest.name, read.spec)


def _config_maps(objects: Objects, home: str, models: str | None) -> dict[tuple[str, str], Mapping[str, str]]:
    found = {(namespace or home, name): data for (namespace, name), data in objects.config_maps.items()}
    for resource in objects.resources:
        spec = resource.spec
        if models is not None and not isinstance(spec, InvalidSpec) and spec.models is not None:
            found.setdefault((resource.manifest.namespace or home, spec.models.config_map), {MODELS_KEY: models})
    return found


def _catalogue(objects: Objects) -> Catalogue:
    """What an operator can install: the templates' libraries, in any version that is asked for."""
    names = {template.library for template in TemplateName}
    specs = [resource.spec for resource in objects.resources if not isinstance(resource.spec, InvalidSpec)]
    versions = {library.version for spec in specs for library in spec.libraries} or {"1.0"}
    return Catalogue({(name, version): "any" for name in names for version in versions})


def _finding(manifest: Manifest, fault: Fault) -> Finding:
    if fault.reason not in _ELSEWHERE:
        return Finding.about(manifest, fault.message)
    if fault.reason == reasons.MODELS_MISSING:
        text = "names and types of points were not checked: the ConfigMap that spec.models names is not among the files"
    else:
        text = "not checked against a StreamResource: its namespace has none among the files"
    return Finding.about(manifest, text, Level.NOTE)


def _foreign(job: Read[StreamJobSpec]) -> Iterator[Finding]:
    """Calculators whose parameters nobody here knows."""
    if isinstance(job.spec, InvalidSpec) or job.spec.pipeline is None:
        return
    for text in job.spec.pipeline.not_installed():
        remedy = "its parameters were not checked, which the driver does whose image holds it"
        yield Finding.about(job.manifest, f"{text}; {remedy}", Level.NOTE)


def _without_models(resources: Sequence[Read[StreamResourceSpec]]) -> Iterator[Finding]:
    """Models were given, but in a cluster these StreamResources would not have them."""
    for resource in resources:
        if not isinstance(resource.spec, InvalidSpec) and resource.spec.models is None:
            text = "--models has no effect: names of points are checked where spec.models names their ConfigMap"
            yield Finding.about(resource.manifest, text, Level.NOTE)


def _against_models(
    jobs: Sequence[Read[StreamJobSpec]], with_resource: set[str], home: str, models: str
) -> Iterator[Finding]:
    """Jobs whose StreamResource is not at hand are still held against the models that were given."""
    found = found_models("--models", {MODELS_KEY: models})
    for job in jobs:
        if (job.manifest.namespace or home) in with_resource or isinstance(job.spec, InvalidSpec):
            continue
        if found.models is not None:
            names = NameCheck(found.models)
            job.spec.block.check_names(names)
            yield from (Finding.about(job.manifest, str(fault)) for fault in names.faults)
