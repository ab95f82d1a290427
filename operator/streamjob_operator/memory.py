"""What must be remembered between passes, kept in the job's status: attempts, failures, what is deployed. Pure."""

from datetime import datetime, timedelta

from streamjob_api.job_file import checkpoint_key
from streamjob_api.lifecycle import Restart
from streamjob_api.status import Deployed, Driver, Restarts, StreamJobStatus
from streamjob_operator import reasons
from streamjob_operator.backoff import delay_seconds
from streamjob_operator.observed import Job, Pod
from streamjob_operator.plan.config_map import identity
from streamjob_operator.plan.names import driver_name
from streamjob_operator.reasons import Ending, Fault
from streamjob_operator.validation import Runnable


def adopt(status: StreamJobStatus, pods: tuple[Pod, ...]) -> StreamJobStatus:
    """Bring the memory up to what pods show: a status that was lost is rebuilt, a new driver's UID is noted."""
    newest = max(pods, key=lambda pod: pod.attempt, default=None)
    if newest is not None and newest.attempt > status.attempt:
        status = status.model_copy(update=_rebuilt(newest))
    known = status.driver
    if known is None:
        return status
    for pod in pods:
        if pod.name == known.pod_name and known.uid in {"", pod.uid}:
            return status.model_copy(update={"driver": _driver(pod)})
    return status


def _rebuilt(pod: Pod) -> dict[str, object]:
    return {
        "attempt": pod.attempt,
        "admitted_cu": 0 if pod.finished else pod.cu,
        "driver": _driver(pod),
        "deployed": Deployed(spec_hash=pod.spec_hash, generation=0, epoch=pod.epoch),
    }


def _driver(pod: Pod) -> Driver:
    return Driver(pod_name=pod.name, uid=pod.uid, node=pod.node, started_at=pod.created)


def holding(status: StreamJobStatus, pod: Pod) -> StreamJobStatus:
    """The memory of a job that keeps this driver, whatever was intended with it before."""
    return status.model_copy(update={"driver": _driver(pod), "admitted_cu": max(status.admitted_cu, pod.cu)})


def account(status: StreamJobStatus, pods: tuple[Pod, ...], now: datetime) -> tuple[StreamJobStatus, bool]:
    """Count the end of the present driver, if it has ended and nobody asked it to.

    Returns:
        The memory, and whether the end was concluded from the pod not being there.
    """
    if status.driver is None or not status.driver.uid:
        return status, False  # no driver is expected, or it was not created yet
    pod = next((pod for pod in pods if pod.uid == status.driver.uid), None)
    ended = reasons.ending(pod) if pod else reasons.lost(status.driver.pod_name)
    return (count(status, ended, now), pod is None) if ended else (status, False)


def count(status: StreamJobStatus, ended: Ending, now: datetime) -> StreamJobStatus:
    """Count one end, once."""
    before = status.restarts
    restarts = before.model_copy(
        update={
            "total": before.total + 1,
            "consecutive": before.consecutive + (ended.fault is not Fault.INFRASTRUCTURE),
            "infrastructure": before.infrastructure + (ended.fault is Fault.INFRASTRUCTURE),
            "last_time": now,
            "last_reason": ended.reason,
            "last_message": ended.message,
            "last_exit_code": ended.exit_code,
            "last_attempt": status.attempt,
        }
    )
    return status.model_copy(update={"restarts": restarts, "driver": None})


def forgiven(restarts: Restarts) -> Restarts:
    """Failures in a row are forgotten: the driver was healthy for long, or another spec is tried."""
    return restarts.model_copy(update={"consecutive": 0, "infrastructure": 0, "last_attempt": 0})


def given_up(status: StreamJobStatus, spec_hash: str, restart: Restart) -> bool:
    """Whether the present spec is not to be tried again."""
    if status.deployed is None or status.deployed.spec_hash != spec_hash or not failed_last(status):
        return False
    permanent = status.restarts.last_reason in reasons.PERMANENT
    return permanent or status.restarts.consecutive > restart.max_failures


def next_start(job: Job, status: StreamJobStatus, spec_hash: str, restart: Restart) -> datetime | None:
    """When the next driver may start, after a failure of the present spec; None: at once."""
    last = status.restarts.last_time
    if not failed_last(status) or last is None or status.deployed is None or status.deployed.spec_hash != spec_hash:
        return None
    failures = max(status.restarts.consecutive, status.restarts.infrastructure)
    key = f"{job.uid}/{status.attempt}"
    wait = delay_seconds(failures, restart.backoff.seconds, restart.backoff_max.seconds, key)
    return last + timedelta(seconds=wait)


def failed_last(status: StreamJobStatus) -> bool:
    """Whether the present attempt is the one that failed last."""
    return status.attempt > 0 and status.restarts.last_attempt == status.attempt


def begin(job: Job, status: StreamJobStatus, runnable: Runnable, pods: tuple[Pod, ...]) -> StreamJobStatus:
    """The intent to start a driver. An intent that was not carried out is taken up under its own number."""
    epoch = status.deployed.epoch if status.deployed else 0
    pending = status.driver is not None and not status.driver.uid
    same = status.deployed is not None and status.deployed.spec_hash == runnable.spec_hash
    highest = max([status.attempt, *(pod.attempt for pod in pods)])
    as_told = same and status.deployed is not None and status.deployed.resolved_hash == runnable.resolved_hash
    attempt = status.attempt if pending and as_told and highest == status.attempt else highest + 1
    checkpoint = checkpoint_key(identity(job, attempt, epoch))
    return status.model_copy(
        update={
            "attempt": attempt,
            "admitted_cu": runnable.cu,
            "restarts": status.restarts if same else forgiven(status.restarts),
            "driver": Driver(pod_name=driver_name(job.key.name, attempt)),
            "deployed": Deployed(
                spec_hash=runnable.spec_hash,
                generation=job.generation,
                resolved_hash=runnable.resolved_hash,
                epoch=epoch,
                checkpoint=checkpoint,
            ),
        }
    )


def dropped(status: StreamJobStatus, generation: int) -> StreamJobStatus:
    """State and offsets are given up: the next start has another checkpoint path. Asking twice changes nothing."""
    if status.deployed is None or not status.deployed.spec_hash:
        return status
    empty = Deployed(spec_hash="", generation=generation, epoch=status.deployed.epoch + 1)
    return status.model_copy(update={"deployed": empty})
