"""How a driver that was asked to end did so, and since when a job is paused; kept in the job's status. Pure."""

from collections.abc import Iterable
from datetime import datetime

from streamjob_api.faults import InvalidSpec
from streamjob_api.lifecycle import DesiredState
from streamjob_api.status import Stop, StreamJobStatus
from streamjob_operator import reasons
from streamjob_operator.observed import Job, Pod

_READ_AGAIN = "the micro-batch that was under way is read again"
# A pause is looked at once a day at least: its limit may be years, which no timer needs to hold.
_LOOK_AGAIN_SECONDS = 86_400.0


def asked(status: StreamJobStatus, pods: Iterable[Pod]) -> StreamJobStatus:
    """The intent to end these pods. One whose failure is counted already is cleared away, not asked."""
    living = [pod for pod in pods if not pod.finished and pod.attempt != status.restarts.last_attempt]
    newest = max(living, key=lambda pod: pod.attempt, default=None)
    if newest is None or (status.stop is not None and status.stop.pod_name == newest.name):
        return status
    return status.model_copy(update={"stop": Stop(pod_name=newest.name)})


def ended(
    status: StreamJobStatus, pods: Iterable[Pod], parted: Pod | None, now: datetime
) -> tuple[StreamJobStatus, bool]:
    """Note how the driver ended that was asked to, as soon as it has.

    Args:
        pods: the job's pods that are there.
        parted: the last one that vanished, as it was seen last.

    Returns:
        The memory, and whether it was concluded from the pod not being there.
    """
    stop = status.stop
    if stop is None or stop.at is not None:
        return status, False
    present = next((pod for pod in pods if pod.name == stop.pod_name), None)
    if present is not None and not (present.finished or present.container.state == "terminated"):
        return status, False
    last = present or (parted if parted is not None and parted.name == stop.pod_name else None)
    return status.model_copy(update={"stop": _told(stop, last, now)}), present is None


def _told(stop: Stop, pod: Pod | None, now: datetime) -> Stop:
    graceful, message = _how(stop.pod_name, pod)
    at = (pod.container.finished_at if pod else None) or now.replace(microsecond=0)
    return stop.model_copy(update={"graceful": graceful, "at": at, "message": message[:1024]})


def _how(name: str, pod: Pod | None) -> tuple[bool, str]:
    if pod is None or pod.container.state == "running":
        return False, f"pod {name} is gone, its last words were not seen; {_READ_AGAIN}, if there was one"
    container = pod.container
    if container.started_at is None:
        return True, f"pod {name} had not begun to work"
    words = reasons.last_words(container.message)
    if words is None:
        killed = ", killed after lifecycle.stopDeadline" if container.exit_code == _KILLED else ""
        return False, f"pod {name} ended with exit code {container.exit_code}{killed}; {_READ_AGAIN}"
    if words.graceful:
        return True, words.message or f"pod {name} finished micro-batch {words.batch_id}"
    return False, words.message or f"pod {name}: {words.reason}; {_READ_AGAIN}"


_KILLED = 137  # 128 + SIGKILL, by which the kubelet ends what did not end in time


def paused(status: StreamJobStatus, job: Job, now: datetime) -> StreamJobStatus:
    """Since when the job is paused. An invalid spec says nothing of that."""
    if isinstance(job.spec, InvalidSpec):
        return status
    is_paused = job.spec.state is DesiredState.PAUSED
    if is_paused is (status.paused_at is not None):
        return status
    return status.model_copy(update={"paused_at": now.replace(microsecond=0) if is_paused else None})


def pause_left(status: StreamJobStatus, limit_seconds: float, now: datetime) -> float:
    """Seconds until a pause reaches its limit, or a day where that is sooner; 0 when it has."""
    since = status.paused_at or now
    return min(max(limit_seconds - (now - since).total_seconds(), 0.0), _LOOK_AGAIN_SECONDS)
