"""The StreamResource: what an OU asked for. An OU is a namespace; it has one StreamResource."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from streamjob_api import forms
from streamjob_api.base import ApiModel, Int, Number
from streamjob_api.connections import Kafka, ObjectName, Redis, TimeSeries
from streamjob_api.permissions import Permissions
from streamjob_api.rule_faults import RuleFault
from streamjob_api.schema_marks import keyed_by, rules, unit
from streamjob_api.source import Source
from streamjob_api.stream_job import Version
from streamjob_api.timezones import TimeZone

LIBRARIES_PER_DESIGN_CU = 3
MAX_LIBRARIES = 300
UTC = TimeZone.parse("UTC")

LibraryName = Annotated[str, StringConstraints(pattern=forms.LABEL.pattern, min_length=1, max_length=63)]
Quantity = Annotated[str, StringConstraints(pattern=forms.SIZE.pattern, max_length=32)]


class Capacity(ApiModel):
    """Computing units by use; 1 CU is 1 CPU core and 2 GiB of memory."""

    design: Int = Field(
        default=1,
        ge=0,
        le=100,
        description="Capacity for installed libraries, 3 of them per CU.",
        examples=[2],
        json_schema_extra=unit("CU"),
    )
    standalone: Number = Field(
        default=0,
        ge=0,
        le=2000,
        multiple_of=0.5,
        description="Capacity for jobs in Standalone mode; with 0 none may run.",
        examples=[8],
        json_schema_extra=unit("CU"),
    )
    cluster: Number = Field(
        default=0,
        ge=0,
        le=10_000,
        multiple_of=0.5,
        description="Capacity for jobs in Cluster mode; with 0 none may run.",
        examples=[16],
        json_schema_extra=unit("CU"),
    )


class Library(ApiModel):
    """An installed library at a version."""

    name: LibraryName = Field(description="Name in the operator's catalogue.", examples=["time-window-aggregation"])
    version: Version = Field(
        description="Version in the operator's catalogue; it selects a runtime image.", examples=["1.0"]
    )


class Models(ApiModel):
    """Where the OU's thing models are."""

    config_map: ObjectName = Field(
        description="ConfigMap whose key models.yaml lists models, points and attributes with their types.",
        examples=["thing-models"],
    )


class VolumeClaim(ApiModel):
    """The claim that is made for each job's checkpoints."""

    storage_class_name: ObjectName | None = Field(
        default=None,
        description="StorageClass of the claims. Left out: the cluster's default class.",
        examples=["standard"],
    )
    size: Quantity = Field(default="1Gi", description="Size of each job's claim.", examples=["5Gi"])


class Checkpoints(ApiModel):
    """Where jobs keep state and offsets: volumeClaim (the default), uri or claimName."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "at most one of volumeClaim, uri and claimName",
                "[has(self.volumeClaim), has(self.uri), has(self.claimName)].filter(given, given).size() <= 1",
            )
        )
    )

    volume_claim: VolumeClaim | None = Field(
        default=None, description="One claim for each job, deleted with the job; for Standalone jobs."
    )
    uri: Annotated[str, StringConstraints(pattern=forms.STORAGE_URI.pattern, max_length=512)] | None = Field(
        default=None,
        description="Object store that all pods reach, without credentials in the address; not supported by this "
        "version's image.",
        examples=["s3a://lake/streamjob"],
    )
    claim_name: ObjectName | None = Field(
        default=None,
        description="An existing ReadWriteMany claim that all pods of the OU share; Cluster jobs need one.",
        examples=["checkpoints"],
    )

    @classmethod
    def faults_of_form(cls, raw: Mapping[str, Any]) -> Iterator[RuleFault]:
        """There is one place."""
        given = [name for name in ("volumeClaim", "uri", "claimName") if raw.get(name) is not None]
        if len(given) > 1:
            yield RuleFault(f"{' and '.join(given)} are given; checkpoints have one place, write one of them")

    @property
    def claim(self) -> VolumeClaim | None:
        """The claim to be made for each job, None where checkpoints have another place."""
        if self.uri is not None or self.claim_name is not None:
            return None
        return self.volume_claim or VolumeClaim()


class StreamResourceSpec(ApiModel):
    """What an OU asked for: capacity, installed libraries, connections."""

    org_id: Annotated[str, StringConstraints(pattern=forms.ORG_ID.pattern, max_length=64)] | None = Field(
        default=None,
        description="The OU's id in topics and records. Left out: the namespace's name.",
        examples=["o15724268424841"],
    )
    timezone: TimeZone = Field(
        default=UTC,
        description="Time zone of the days of the energy templates, where a job names none.",
        examples=["Europe/Berlin"],
    )
    capacity: Capacity = Field(description="Computing units by use.")
    libraries: list[Library] = Field(
        default=[],
        max_length=MAX_LIBRARIES,
        description="Installed libraries; each name and version takes one of the 3 slots of a design CU.",
        json_schema_extra=keyed_by("name", "version"),
    )
    kafka: Kafka = Field(description="The OU's Kafka.")
    redis: Redis | None = Field(
        default=None, description="The OU's Redis, where latest values go. Left out: results go to Kafka only."
    )
    time_series: TimeSeries | None = Field(
        default=None,
        description="The OU's time-series store, where results go by policy. Left out: results are not stored.",
    )
    models: Models | None = Field(
        default=None, description="The OU's thing models. Left out: names of points are only checked for their form."
    )
    checkpoints: Checkpoints = Field(default=Checkpoints(), description="Where jobs keep state and offsets.")
    pipelines: Permissions | None = Field(
        default=None,
        description="What pipelines may do beyond calculating: run scripts, ask other hosts, use further topics. Left "
        "out: nothing.",
    )
    source: Source | None = Field(
        default=None,
        description="Topics and message form of devices that speak differently. Left out: the service's own.",
    )

    @classmethod
    def faults_of_form(cls, raw: Mapping[str, Any]) -> Iterator[RuleFault]:
        """No library is listed twice."""
        seen = set()
        libraries = raw.get("libraries")
        for number, library in enumerate(libraries if isinstance(libraries, list) else ()):
            if not isinstance(library, Mapping):
                continue
            named = (str(library.get("name")), str(library.get("version")))
            if named in seen:
                yield RuleFault(f"{' '.join(named)} is listed twice; leave one out", ("libraries", number))
            seen.add(named)
