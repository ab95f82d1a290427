"""What was seen in the cluster: small typed extracts of jobs, resources and pods."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from streamjob_api import kinds
from streamjob_api.diffs import given
from streamjob_api.faults import InvalidSpec
from streamjob_api.resources import RunningMode
from streamjob_api.status import StreamJobStatus, StreamResourceStatus
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import StreamResourceSpec

Manifest = dict[str, Any]

DRIVER_CONTAINER = "spark-kubernetes-driver"
EXECUTOR_CONTAINER = "spark-kubernetes-executor"
CHECK_CONTAINER = "check"
_BEING_CREATED = {"", "ContainerCreating", "PodInitializing"}


class JobKey(NamedTuple):
    """A StreamJob."""

    namespace: str
    name: str


class OuKey(NamedTuple):
    """An OU, that is a namespace: its StreamResource and its ledger."""

    namespace: str


@dataclass(frozen=True)
class ModelsKey:
    """The thing models of an OU."""

    namespace: str


Key = JobKey | OuKey | ModelsKey


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
        return digest(given(self.spec))

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
        told = self.spec.model_dump(
            mode="json", exclude_defaults=True, include={"kafka", "redis", "source", "timezone", "pipelines"}
        )
        return digest([self.org_id, told])

    @property
    def rank(self) -> tuple[datetime, str, str]:
        """Age, then name: which of two resources is in force."""
        return (self.created, self.namespace, self.name)


@dataclass(frozen=True)
class Container:
    """State of Spark's own container."""

    state: str = ""  # waiting | running | terminated | "" when the kubelet has not said yet
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    started: bool = False


@dataclass(frozen=True)
class Hindrance:
    """What holds a pod up that its own status does not show."""

    reason: str
    message: str


@dataclass(frozen=True)
class Pod:
    """A driver or executor pod.

    Args:
        owner_uid: UID of its controller: of a driver its job's, of an executor its driver's.
        workers: executors that a driver is to have.
        ends_by: when it is to be gone, since somebody has asked it to end.
        node_is_silent: whether the node's controller has called it unready, though its kubelet called it ready last.
        hindrance: what the warnings recorded of it say, while it is being created.
    """

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
    component: str = kinds.DRIVER
    owner_uid: str = ""
    workers: int = 0
    calculated: frozenset[str] = frozenset()
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
    ends_by: datetime | None = None
    node_is_silent: bool = False
    hindrance: Hindrance | None = None
    container: Container = field(default_factory=Container)
    resource_version: str = field(default="", compare=False)

    @property
    def mode(self) -> RunningMode:
        """Whose capacity it takes."""
        is_cluster = self.component == kinds.EXECUTOR or self.workers > 0
        return RunningMode.CLUSTER if is_cluster else RunningMode.STANDALONE

    @property
    def finished(self) -> bool:
        """Whether its containers have ended for good; then it holds no capacity."""
        return self.phase in {"Succeeded", "Failed"}

    @property
    def is_being_created(self) -> bool:
        """Whether its node has it, and has not started its container yet."""
        waits = self.container.state in {"", "waiting"} and self.container.reason in _BEING_CREATED
        return bool(self.node) and waits and not self.finished and not self.terminating

    @property
    def was_ready(self) -> bool:
        """Whether it is, or was before: its readiness last changed after its container had started."""
        started, changed = self.container.started_at, self.ready_since
        return self.ready or (started is not None and changed is not None and changed > started)

    @property
    def key(self) -> JobKey:
        """The job it belongs to, by name."""
        return JobKey(self.namespace, self.job)
