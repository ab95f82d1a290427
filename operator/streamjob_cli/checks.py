"""All that can be said of manifests without a cluster: of each by itself, and of an OU's as a whole."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from streamjob_api.faults import InvalidSpec, parse_spec
from streamjob_api.kinds import STREAM_JOB, STREAM_RESOURCE
from streamjob_api.metadata import is_ours, kind_faults, metadata_faults
from streamjob_api.places import required
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import StreamResourceSpec
from streamjob_api.support import resource_without_effect, without_effect
from streamjob_cli.manifests import Fault, Manifest

SpecT = TypeVar("SpecT", StreamJobSpec, StreamResourceSpec)


class Level(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    WARNING = "warning"  # legal, but not what its author will want
    NOTE = "note"  # what was not checked, and why


@dataclass(frozen=True)
class Finding:
    """One thing to say.

    Attributes:
        line: counts from 1; None where the file as a whole is meant.
        kind: of the object, empty where none is meant; so is ``name``.
        text: ``path: what is wrong; remedy``, or a sentence where no field is to blame.
    """

    level: Level
    file: str
    line: int | None
    kind: str
    name: str
    text: str

    @classmethod
    def about(cls, manifest: Manifest, text: str, level: Level = Level.ERROR) -> "Finding":
        """A finding of an object, at the line of the field with which the text begins."""
        fault = manifest.fault(text)
        return cls(level, fault.file, fault.line, manifest.kind, manifest.name, text)

    @classmethod
    def of_file(cls, fault: Fault) -> "Finding":
        """A finding of a file, or of a part of it that is no object."""
        return cls(Level.ERROR, fault.file, fault.line, "", "", fault.text)


@dataclass(frozen=True)
class Read(Generic[SpecT]):
    """An object with its spec as the model reads it."""

    manifest: Manifest
    spec: SpecT | InvalidSpec

    @property
    def identity(self) -> tuple[str, str, str]:
        """What two objects of one cluster cannot share."""
        return (self.manifest.kind, self.manifest.namespace, self.manifest.name)


@dataclass
class Objects:
    """What a set of files holds, and what was found in each object by itself."""

    jobs: list[Read[StreamJobSpec]] = field(default_factory=list)
    resources: list[Read[StreamResourceSpec]] = field(default_factory=list)
    config_maps: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    passed_over: int = 0


def objects(manifests: Iterable[Manifest]) -> Objects:
    """Check every object by itself; those of other kinds are passed over."""
    found = Objects()
    for manifest in manifests:
        if is_ours(manifest.content):
            _take(manifest, found)
        else:
            found.passed_over += 1
            if manifest.kind == "ConfigMap":
                found.config_maps[manifest.namespace, manifest.name] = _data(manifest)
    found.jobs = list(_once(found.jobs, found.findings))
    found.resources = list(_once(found.resources, found.findings))
    return found


def _take(manifest: Manifest, found: Objects) -> None:
    found.checked[manifest.kind] += 1
    say = found.findings.append
    for text in [*kind_faults(manifest.content), *metadata_faults(manifest.content)]:
        say(Finding.about(manifest, text))
    if manifest.kind == STREAM_JOB:
        job = _parsed(StreamJobSpec, manifest, say)
        found.jobs.append(job)
        _warn(manifest, job.spec, without_effect, say)
    elif manifest.kind == STREAM_RESOURCE:
        resource = _parsed(StreamResourceSpec, manifest, say)
        found.resources.append(resource)
        _warn(manifest, resource.spec, resource_without_effect, say)


def _parsed(model: type[SpecT], manifest: Manifest, say: Callable[[Finding], None]) -> Read[SpecT]:
    spec: SpecT | InvalidSpec
    try:
        if manifest.content.get("spec") is None:
            raise InvalidSpec([f"spec: required, but missing; it needs {', '.join(required(model))}"])
        spec = parse_spec(model, manifest.content["spec"])
    except InvalidSpec as error:
        spec = error
        for text in error.faults:
            say(Finding.about(manifest, text))
    return Read(manifest, spec)


def _warn(
    manifest: Manifest,
    spec: SpecT | InvalidSpec,
    told: Callable[[SpecT], Sequence[str]],
    say: Callable[[Finding], None],
) -> None:
    if not isinstance(spec, InvalidSpec):
        for text in told(spec):
            say(Finding.about(manifest, text, Level.WARNING))


def _once(read: Sequence[Read[SpecT]], findings: list[Finding]) -> Iterator[Read[SpecT]]:
    """The objects, without those whose name an earlier one has."""
    first: dict[tuple[str, str, str], Read[SpecT]] = {}
    for each in read:
        earlier = first.setdefault(each.identity, each)
        if earlier is each or not each.manifest.name:
            yield each
        else:
            where = earlier.manifest.fault("metadata.name")
            text = f"metadata.name: also given at {where.file}:{where.line}; rename one, or leave one out"
            findings.append(Finding.about(each.manifest, text))


def _data(manifest: Manifest) -> dict[str, str]:
    data: Any = manifest.content.get("data")
    items = data.items() if isinstance(data, dict) else ()
    return {name: text for name, text in items if isinstance(name, str) and isinstance(text, str)}
