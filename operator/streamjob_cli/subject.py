"""Which job is previewed, with what its OU's StreamResource says of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from streamjob_api.faults import InvalidSpec, ModelT, parse_spec
from streamjob_api.kinds import API_VERSION, STREAM_JOB, STREAM_RESOURCE
from streamjob_api.permissions import Permissions
from streamjob_api.points import PointRef
from streamjob_api.source import MessageMapping
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import UTC, StreamResourceSpec
from streamjob_api.timezones import TimeZone
from streamjob_cli.calculated_inputs import calculated_inputs
from streamjob_cli.manifests import Fault, Manifest, read

_NO_NAMESPACE = "preview"


class WrongManifest(Exception):  # noqa: N818 (what it is)
    """The manifests do not give one valid job; every fault is named."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


@dataclass(frozen=True)
class Subject:
    """One valid job.

    Attributes:
        mapping: how its OU's messages are read; None: they have the service's form.
        timezone: of the OU's days.
        calculated: its inputs that other jobs of the file write.
        allowed: what its OU lets pipelines do.
    """

    org_id: str
    spec: StreamJobSpec
    mapping: MessageMapping | None
    timezone: TimeZone
    calculated: frozenset[PointRef] = frozenset()
    allowed: Permissions = field(default_factory=Permissions)

    def reading(self, calculated: Sequence[str]) -> Self:
        """Return the same job, to which these inputs are results of jobs, too.

        Raises:
            WrongManifest: one of them is no input.
        """
        inputs = {str(point): point for point in self.spec.block.inputs()}
        strange = [name for name in calculated if name not in inputs]
        if strange:
            words = f"is no input; the job reads {', '.join(inputs)}"
            raise WrongManifest([Fault("--calculated", None, f"{name!r} {words}") for name in strange])
        return replace(self, calculated=self.calculated | {inputs[name] for name in calculated})


def subject(file: str, resource_file: str | None, name: str | None) -> Subject:
    """Read the job of a file (the one called ``name``), and the StreamResource that goes with it.

    Raises:
        WrongManifest: naming every fault of both at once.
    """
    manifests, faults = read([file])
    job = _one(manifests, STREAM_JOB, file, name, faults)
    resources, more = read([resource_file]) if resource_file is not None else (manifests, [])
    faults += more
    ou = None
    if resource_file is not None or any(manifest.kind == STREAM_RESOURCE for manifest in resources):
        ou = _one(resources, STREAM_RESOURCE, resource_file or file, None, faults)
    spec = _parsed(StreamJobSpec, job, faults)
    resource = _parsed(StreamResourceSpec, ou, faults)
    if job is not None and spec is not None and spec.pipeline is not None:
        faults += [job.fault(f"{text}; install it beside streamjob") for text in spec.pipeline.not_installed()]
    if faults or job is None or spec is None:
        raise WrongManifest(faults)
    org_id = (resource.org_id if resource else None) or (ou.namespace if ou else None) or job.namespace
    mapping = resource.source.mapping if resource and resource.source else None
    timezone = resource.timezone if resource else UTC
    allowed = (resource.pipelines if resource else None) or Permissions()
    calculated = calculated_inputs(job, spec, manifests)
    return Subject(org_id or _NO_NAMESPACE, spec, mapping, timezone, calculated, allowed)


def _one(manifests: Sequence[Manifest], kind: str, file: str, name: str | None, faults: list[Fault]) -> Manifest | None:
    """Return the one object of a kind, or say why there is none."""
    found = [manifest for manifest in manifests if manifest.kind == kind]
    wanted = [manifest for manifest in found if name is None or manifest.name == name]
    if len(wanted) == 1:
        return wanted[0]
    names = ", ".join(manifest.name or "one without a name" for manifest in found)
    if wanted:
        remedy = "; choose one with --job" if kind == STREAM_JOB else "; leave one"
        faults.append(Fault(file, None, f"several {kind}s are here: {names}{remedy}"))
    elif found:
        faults.append(Fault(file, None, f"no {kind} called {name!r} is here, but {names}"))
    elif not faults:
        faults.append(Fault(file, None, f"no {kind} is here"))
    return None


def _parsed(model: type[ModelT], manifest: Manifest | None, faults: list[Fault]) -> ModelT | None:
    if manifest is None:
        return None
    if (version := manifest.content.get("apiVersion")) != API_VERSION:
        faults.append(manifest.fault(f"apiVersion: must be {API_VERSION} (got {version!r})"))
    spec = manifest.content.get("spec")
    if not isinstance(spec, dict):
        faults.append(manifest.fault("spec: required, but missing"))
        return None
    try:
        return parse_spec(model, spec)
    except InvalidSpec as error:
        faults += [manifest.fault(text) for text in error.faults]
        return None
