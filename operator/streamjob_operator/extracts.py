"""From manifests, as the API server sends them, to the extracts that the operator works with."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from streamjob_api import kinds
from streamjob_api.faults import InvalidSpec, parse_spec
from streamjob_api.status import StreamJobStatus, StreamResourceStatus
from streamjob_api.stream_job import StreamJobSpec
from streamjob_api.stream_resource import StreamResourceSpec
from streamjob_operator.observed import (
    CHECK_CONTAINER,
    DRIVER_CONTAINER,
    EXECUTOR_CONTAINER,
    Container,
    Job,
    JobKey,
    Pod,
    Resource,
)

_JUDGED = {DRIVER_CONTAINER, EXECUTOR_CONTAINER, CHECK_CONTAINER}


def job_of(body: Mapping[str, Any], earlier: Job | None = None) -> Job:
    """Extract a StreamJob; the parsed spec of ``earlier`` is taken over when the generation is the same."""
    meta = body["metadata"]
    same = earlier is not None and (earlier.uid, earlier.generation) == (meta["uid"], meta.get("generation", 0))
    return Job(
        key=JobKey(meta["namespace"], meta["name"]),
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        generation=meta.get("generation", 0),
        created=_time(meta["creationTimestamp"]),
        deleting="deletionTimestamp" in meta,
        spec=earlier.spec if earlier and same else _parsed(StreamJobSpec, body),
        status=_status(StreamJobStatus, body),
    )


def resource_of(body: Mapping[str, Any], earlier: Resource | None = None) -> Resource:
    """Extract a StreamResource; the parsed spec of ``earlier`` is taken over when the generation is the same."""
    meta = body["metadata"]
    same = earlier is not None and (earlier.uid, earlier.generation) == (meta["uid"], meta.get("generation", 0))
    return Resource(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        generation=meta.get("generation", 0),
        created=_time(meta["creationTimestamp"]),
        deleting="deletionTimestamp" in meta,
        spec=earlier.spec if earlier and same else _parsed(StreamResourceSpec, body),
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
    """Extract a driver or executor pod."""
    meta, status = body["metadata"], body.get("status") or {}
    labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    ready, scheduled = conditions.get("Ready", {}), conditions.get("PodScheduled", {})
    disruption = conditions.get("DisruptionTarget", {})
    return Pod(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        resource_version=meta.get("resourceVersion", ""),
        component=labels.get(kinds.COMPONENT_LABEL, kinds.DRIVER),
        job=labels.get(kinds.JOB_LABEL, ""),
        job_uid=annotations.get(kinds.JOB_UID_ANNOTATION) or _controller(meta),
        owner_uid=_controller(meta),
        workers=_whole(annotations.get(kinds.WORKERS_ANNOTATION)),
        attempt=_whole(labels.get(kinds.ATTEMPT_LABEL)),
        epoch=_whole(labels.get(kinds.EPOCH_LABEL)),
        cu=_number(annotations.get(kinds.CU_ANNOTATION)),
        spec_hash=annotations.get(kinds.SPEC_HASH_ANNOTATION, ""),
        created=_time(meta["creationTimestamp"]),
        phase=status.get("phase", ""),
        calculated=frozenset(filter(None, annotations.get(kinds.CALCULATED_ANNOTATION, "").split(","))),
        terminating="deletionTimestamp" in meta,
        ip=status.get("podIP", ""),
        node=(body.get("spec") or {}).get("nodeName", ""),
        reason=status.get("reason", ""),
        message=status.get("message", ""),
        ready=ready.get("status") == "True",
        ready_since=_time(ready["lastTransitionTime"]) if ready.get("lastTransitionTime") else None,
        scheduled=scheduled.get("status") != "False",
        scheduling=scheduled.get("message", ""),
        disruption=disruption.get("reason", "") if disruption.get("status") == "True" else "",
        ends_by=_time(meta["deletionTimestamp"]) if "deletionTimestamp" in meta else None,
        node_is_silent=status.get("phase") == "Unknown" or _is_unheard(conditions),
        container=_container(status),
    )


def _is_unheard(conditions: Mapping[str, Any]) -> bool:
    """Whether the pod is called unready although its containers are ready, as only the controller of a lost node does.

    It changes no other condition: https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/util/node/controller_utils.go
    """
    ready, containers = conditions.get("Ready", {}), conditions.get("ContainersReady", {})
    return (ready.get("status"), containers.get("status")) == ("False", "True")


def _controller(meta: Mapping[str, Any]) -> str:
    owners = [owner["uid"] for owner in meta.get("ownerReferences") or () if owner.get("controller")]
    return owners[0] if owners else ""


def _container(status: Mapping[str, Any]) -> Container:
    """Only Spark's own container is judged: a side-car may live or die as it likes."""
    for container in status.get("containerStatuses") or ():
        if container["name"] in _JUDGED and container.get("state"):
            ((state, facts),) = container["state"].items()
            facts = facts or {}
            return Container(
                state=state,
                reason=facts.get("reason", ""),
                message=facts.get("message", ""),
                exit_code=facts.get("exitCode"),
                started_at=_time(facts["startedAt"]) if facts.get("startedAt") else None,
                finished_at=_time(facts["finishedAt"]) if facts.get("finishedAt") else None,
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


def _time(text: str) -> datetime:
    """Parse a Kubernetes timestamp."""
    return datetime.fromisoformat(text)
