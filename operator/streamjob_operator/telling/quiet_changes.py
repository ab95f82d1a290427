"""Changes of a status that nobody waits for while a driver starts: they are written together, a little later. Pure.

A pod is seen, gets its node, runs, answers, and is ready: five changes within seconds, of which the first, the intent,
and the last, Ready, are all that programs look at.
"""

from dataclasses import dataclass, field
from datetime import datetime

from streamjob_api.status import StreamJobStatus
from streamjob_operator.observed import Job, JobKey

# What is told by words alone waits this long for what comes next.
QUIET_SECONDS = 2.0
# While drivers of others wait to be created, so does the word that this one was.
BUSY_SECONDS = 15.0
# Conditions that say how far a driver is; Ready says what matters of it.
_DETAILS = {"DriverReady", "Progressing"}


@dataclass
class QuietChanges:
    """Since when a job's status has waited."""

    _since: dict[JobKey, datetime] = field(default_factory=dict)

    def left(self, job: Job, status: StreamJobStatus, now: datetime, *, busy: bool) -> float | None:
        """For how many seconds the status need not be written yet; None: it is to be written now."""
        patience = _patience(job.status, status, busy=busy)
        if status == job.status or patience is None:
            self._since.pop(job.key, None)
            return None
        left = patience - (now - self._since.setdefault(job.key, now)).total_seconds()
        if left > 0:
            return left
        del self._since[job.key]
        return None

    def forget(self, key: JobKey) -> None:
        """The job is gone."""
        self._since.pop(key, None)


def _patience(before: StreamJobStatus, after: StreamJobStatus, *, busy: bool) -> float | None:
    """How long a change may wait: not at all while the job is, or becomes, ready, or where more than words changed."""
    if before.driver is None or after.driver is None or _told(before) != _told(after):
        return None
    is_ready = ("Ready", "True") in {(each.type, each.status) for each in after.conditions}
    if is_ready or _without_details(before) != _without_details(after):
        return None
    if before.driver.uid == after.driver.uid:
        return QUIET_SECONDS
    return BUSY_SECONDS if busy else None


def _told(status: StreamJobStatus) -> set[tuple[str, str, str]]:
    """Conditions, without their words."""
    return {(each.type, each.status, each.reason) for each in status.conditions if each.type not in _DETAILS}


def _without_details(status: StreamJobStatus) -> StreamJobStatus:
    return status.model_copy(update={"driver": None, "conditions": [], "throughput": None})
