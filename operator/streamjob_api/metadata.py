"""What a manifest says beside its spec: kind and metadata, checked as the API server does."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from streamjob_api import forms
from streamjob_api.base import ApiModel
from streamjob_api.faults import InvalidSpec, parse_part, path_text
from streamjob_api.kinds import API_VERSION, GROUP, MAX_JOB_NAME, STREAM_JOB, STREAM_RESOURCE
from streamjob_api.spelling import shown
from streamjob_api.suggestions import did_you_mean

KINDS = (STREAM_JOB, STREAM_RESOURCE)
_FIELDS = ("apiVersion", "kind", "metadata", "spec", "status")

# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
LabelValue = Annotated[str, StringConstraints(pattern=forms.LABEL_VALUE.pattern, max_length=63)]
Namespace = Annotated[str, StringConstraints(pattern=forms.LABEL.pattern, min_length=1, max_length=63)]


class ObjectMeta(ApiModel):
    """The metadata of an object; what only the API server writes may stand there and is not checked."""

    name: Annotated[str, StringConstraints(pattern=forms.OBJECT_NAME.pattern, min_length=1, max_length=253)] | None = (
        Field(default=None, examples=["energy"])
    )
    generate_name: str | None = None
    namespace: Namespace | None = Field(default=None, examples=["ou-energy"])
    labels: dict[str, LabelValue] | None = Field(default=None, examples=[{"team": "energy"}])
    annotations: dict[str, str] | None = Field(default=None, examples=[{"note": "energy"}])
    finalizers: Any = None
    owner_references: Any = None
    uid: Any = None
    resource_version: Any = None
    generation: Any = None
    creation_timestamp: Any = None
    deletion_timestamp: Any = None
    deletion_grace_period_seconds: Any = None
    managed_fields: Any = None
    self_link: Any = None


class JobMeta(ObjectMeta):
    """The metadata of a StreamJob: its name is shorter and has no dots, since pods and labels are named after it."""

    name: (
        Annotated[str, StringConstraints(pattern=forms.LABEL.pattern, min_length=1, max_length=MAX_JOB_NAME)] | None
    ) = Field(default=None, examples=["meter-extremes-10min"])


def is_ours(content: Mapping[str, Any]) -> bool:
    """Whether a manifest is, or was meant to be, of a kind of this API."""
    kind, version = content.get("kind"), content.get("apiVersion")
    of_group = isinstance(version, str) and version.partition("/")[0].casefold() == GROUP
    named = isinstance(kind, str) and kind.casefold() in map(str.casefold, KINDS)
    return of_group or named


def kind_faults(content: Mapping[str, Any]) -> list[str]:
    """What is wrong with apiVersion and kind."""
    version, kind = content.get("apiVersion"), content.get("kind")
    found = []
    if version is None:
        found.append(f"apiVersion: required, but missing; write apiVersion: {API_VERSION}")
    elif version != API_VERSION:
        found.append(f"apiVersion: {shown(version)} is not served; write {API_VERSION}")
    if kind is None:
        found.append(f"kind: required, but missing; write one of {', '.join(KINDS)}")
    elif kind not in KINDS:
        near = did_you_mean(kind, KINDS) if isinstance(kind, str) else ""
        found.append(f"kind: {shown(kind)} is not one of {', '.join(KINDS)}{near}")
    return found


def metadata_faults(content: Mapping[str, Any]) -> list[str]:
    """What is wrong with a manifest of a known kind beside its spec, all at once."""
    return [*_unknown_fields(content), *_of_metadata(content)]


def _unknown_fields(content: Mapping[str, Any]) -> Iterator[str]:
    for name in content:
        if name not in _FIELDS:
            near = did_you_mean(str(name), _FIELDS) or f"; the fields here are {', '.join(_FIELDS)}"
            yield f"{path_text((str(name),), '').removeprefix('.')}: unknown field{near}"


def _of_metadata(content: Mapping[str, Any]) -> list[str]:
    model = JobMeta if content.get("kind") == STREAM_JOB else ObjectMeta
    example = model.model_fields["name"].examples or [""]
    needed = f"required, but missing; write e.g. name: {example[0]}"
    metadata = content.get("metadata")
    if metadata is None:
        return [f"metadata.name: {needed}"]
    try:
        meta = parse_part(model, metadata, "metadata")
    except InvalidSpec as error:
        return error.faults
    return [] if meta.name or meta.generate_name else [f"metadata.name: {needed}"]
