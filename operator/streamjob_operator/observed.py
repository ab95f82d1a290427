"""What was seen in the cluster: small typed extracts of jobs, resources and driver pods."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from pydantic import ValidationError

from streamjob_api import kinds
from streamjob_api.faults import InvalidSpec, parse_spec
from streamjob_api.status import StreamJobStatus, StreamResourceStatus
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import StreamResourceSpec

Manifest = dict[str, Any]

DRIVER_CONTAINER = "spark-kubernetes-driver"
# Fields whose change does not restart a driver (diff classes Ignored and Live of the spec).
_NOT_RESTARTING: dict[str, Any] = {
    "description": True,
    "state": True,
    "priority": True,
    "restart": True,
    "lifecycle": {"start_deadline"},
}


class JobKey(NamedTuple):
    """A StreamJob."""

    namespace: str
    name: str


class OuKey(NamedTuple):
    """An OU, that is a namespace: its StreamResource and its ledger."""

    namespace: str


Key = JobKey | OuKey


def time_of(text: str) -> datetime:
    """Parse a Kubernetes timestamp."""
    return datetime.fromisoformat(text)


def digest(value: Any) -> str:
    """A short stable hash of plain data."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Job:
    """A StreamJob."""

    key: JobKey
    uid: str
    resource_version: str
    generation: int
    created: datetime
    deleting: bool
    spec: StreamJobSpec | InvalidSpec
    status: StreamJobStatus

    @cached_property
    def spec_digest(self) -> str:
        """Hash of the fields that restart a driver; those at their default take no part, so new ones change nothing."""
        if isinstance(self.spec, InvalidSpec):
            return ""
        given = self.spec.model_dump(mode="json", exclude_defaults=True, exclude=_NOT_RESTARTING)
        return digest({name: value for name, value in given.items() if value != {}})

    @property
    def rank(self) -> tuple[datetime, str]:
        """Age, then name: who of two jobs comes first."""
        return (self.created, self.key.name)


@dataclass(frozen=True)
class Resource:
    """A StreamResource."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    generation: int
    created: datetime
    deleting: bool
    spec: StreamResourceSpec | InvalidSpec
    status: StreamResourceStatus

    @property
    def org_id(self) -> str:
        """The OU's id in topics and records."""
        named = None if isinstance(self.spec, InvalidSpec) else self.spec.org_id
        return named or self.namespace

    @cached_property
    def connections_digest(self) -> str:
        """Hash of what drivers are given of this resource."""
        if isinstance(self.spec, InvalidSpec):
            return ""
        given = self.spec.model_dump(mode="json", exclude_defaults=True, include={"kafka", "redis"})
        return digest([self.org_id, given])

    @property
    def rank(self) -> tuple[datetime, str, str]:
        """Age, then name: which of two resources is in force."""
        return (self.created, self.namespace, self.name)


@dataclass(frozen=True)
class Container:
    """State of the driver's container."""

    state: str = ""  # waiting | running | terminated | "" when the kubelet has not said yet
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    started: bool = False


@dataclass(frozen=True)
class Pod:
    """A driver pod."""

    namespace: str
    name: str
    uid: str
    job: str
    job_uid: str
    attempt: int
    epoch: int
    cu: float
    spec_hash: str
    created: datetime
    phase: str
    terminating: bool = False
    ip: str = ""
    node: str = ""
    reason: str = ""
    message: str = ""
    ready: bool = False
    ready_since: datetime | None = None
    scheduled: bool = True
    scheduling: str = ""
    disruption: str = ""
    container: Container = field(default_factory=Container)

    @property
    def finished(self) -> bool:
        """Whether its containers have ended for good; then it holds no capacity."""
        return self.phase in {"Succeeded", "Failed"}

    @property
    def was_ready(self) -> bool:
        """Whether it is, or was before: its readiness last changed after its container had started."""
        started, changed = self.container.started_at, self.ready_since
        return self.ready or (started is not None and changed is not None and changed > started)

    @property
    def key(self) -> JobKey:
        """The job it belongs to, by name."""
        return JobKey(self.namespace, self.job)


def job_of(body: Mapping[str, Any], earlier: Job | None = None) -> Job:
    """Extract a StreamJob; the parsed spec of ``earlier`` is taken over when the generation is the same."""
    meta = body["metadata"]
    same = earlier is not None and (earlier.uid, earlier.generation) == (meta["uid"], meta.get("generation", 0))
    return Job(
        key=JobKey(meta["namespace"], meta["name"]),
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        generation=meta.get("generation", 0),
        created=time_of(meta["creationTimestamp"]),
        deleting="deletionTimestamp" in meta,
        spec=earlier.spec if earlier and same else _parsed(StreamJobSpec, body),
        status=_status(StreamJobStatus, body),
    )


def resource_of(body: Mapping[str, Any]) -> Resource:
    """Extract a StreamResource."""
    meta = body["metadata"]
    return Resource(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        generation=meta.get("generation", 0),
        created=time_of(meta["creationTimestamp"]),
        deleting="deletionTimestamp" in meta,
        spec=_parsed(StreamResourceSpec, body),
        status=_status(StreamResourceStatus, body),
    )


def _parsed(model: Any, body: Mapping[str, Any]) -> Any:
    try:
        return parse_spec(model, body.get("spec") or {})
    except InvalidSpec as fault:
        return fault


def _status(model: Any, body: Mapping[str, Any]) -> Any:
    """A status that nobody but this operator writes; what does not parse is rebuilt from the world."""
    try:
        return model.model_validate(body.get("status") or {})
    except ValidationError:
        return model()


def pod_of(body: Mapping[str, Any]) -> Pod:
    """Extract a driver pod."""
    meta, status = body["metadata"], body.get("status") or {}
    labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    ready, scheduled = conditions.get("Ready", {}), conditions.get("PodScheduled", {})
    disruption = conditions.get("DisruptionTarget", {})
    return Pod(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        job=labels.get(kinds.JOB_LABEL, ""),
        job_uid=_controller(meta),
        attempt=_whole(labels.get(kinds.ATTEMPT_LABEL)),
        epoch=_whole(labels.get(kinds.EPOCH_LABEL)),
        cu=_number(annotations.get(kinds.CU_ANNOTATION)),
        spec_hash=annotations.get(kinds.SPEC_HASH_ANNOTATION, ""),
        created=time_of(meta["creationTimestamp"]),
        phase=status.get("phase", ""),
        terminating="deletionTimestamp" in meta,
        ip=status.get("podIP", ""),
        node=(body.get("spec") or {}).get("nodeName", ""),
        reason=status.get("reason", ""),
        message=status.get("message", ""),
        ready=ready.get("status") == "True",
        ready_since=time_of(ready["lastTransitionTime"]) if ready.get("lastTransitionTime") else None,
        scheduled=scheduled.get("status") != "False",
        scheduling=scheduled.get("message", ""),
        disruption=disruption.get("reason", "") if disruption.get("status") == "True" else "",
        container=_container(status),
    )


def _controller(meta: Mapping[str, Any]) -> str:
    owners = [owner["uid"] for owner in meta.get("ownerReferences") or () if owner.get("controller")]
    return owners[0] if owners else ""


def _container(status: Mapping[str, Any]) -> Container:
    """Only the driver's own container is judged: a side-car may live or die as it likes."""
    for container in status.get("containerStatuses") or ():
        if container["name"] == DRIVER_CONTAINER and container.get("state"):
            ((state, facts),) = container["state"].items()
            facts = facts or {}
            return Container(
                state=state,
                reason=facts.get("reason", ""),
                message=facts.get("message", ""),
                exit_code=facts.get("exitCode"),
                started_at=time_of(facts["startedAt"]) if facts.get("startedAt") else None,
                finished_at=time_of(facts["finishedAt"]) if facts.get("finishedAt") else None,
                started=bool(container.get("started")),
            )
    return Container()


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
