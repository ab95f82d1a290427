"""Kubernetes Events of transitions: of changes of the reason of a job's Ready condition. Pure."""

import hashlib
from datetime import datetime

from streamjob_api import kinds
from streamjob_api.status import StreamJobStatus
from streamjob_operator import reasons
from streamjob_operator.observed import Job, Manifest
from streamjob_operator.telling import event_damping

_MAX_NOTE = 1000
# Transitions that are as they should be; all others are warnings.
_NORMAL = {
    reasons.RUNNING,
    reasons.STARTING,
    reasons.QUEUED,
    reasons.UPGRADING,
    reasons.INPUTS_CHANGED,
    reasons.PAUSING,
    reasons.PAUSED,
    reasons.STOPPING,
    reasons.STOPPED,
    reasons.DRAFT,
    reasons.RELEASED,
}


def of_transition(job: Job, status: StreamJobStatus, now: datetime, reporter: str) -> list[Manifest]:
    """The Event of this status change, or none."""
    after = event_damping.ready(status)
    if after is None or not event_damping.is_told(job.status, status):
        return []
    failed_again = event_damping.in_a_row(status) if after.reason == status.restarts.last_reason else ""
    key = f"{job.uid}/{after.reason}/{now.isoformat()}"
    return [
        {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {
                "name": f"{job.key.name}.{hashlib.sha256(key.encode()).hexdigest()[:16]}",
                "namespace": job.key.namespace,
            },
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "type": "Normal" if after.reason in _NORMAL else "Warning",
            "reason": after.reason,
            "action": "Reconcile",
            "note": f"{after.message[:_MAX_NOTE] or after.reason}{failed_again}",
            "regarding": {
                "apiVersion": kinds.API_VERSION,
                "kind": kinds.STREAM_JOB,
                "namespace": job.key.namespace,
                "name": job.key.name,
                "uid": job.uid,
            },
            "reportingController": "streamjob.dev/operator",
            "reportingInstance": reporter[:128],
        }
    ]
