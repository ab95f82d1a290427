"""What must be remembered between passes, kept in the job's status: attempts, failures, what is deployed. Pure."""

from datetime import datetime, timedelta

from streamjob_api.job_file import checkpoint_key
from streamjob_api.lifecycle import Restart, UpgradeMode
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
        status = status.model_copy(update=_rebuilt(status, newest))
    known = status.driver
    if known is None:
        return status
    for pod in pods:
        if pod.name == known.pod_name and known.uid in {"", pod.uid}:
            return status.model_copy(update={"driver": _driver(pod)})
    return status


def _rebuilt(status: StreamJobStatus, pod: Pod) -> dict[str, object]:
    return {
        "attempt": pod.attempt,
        "admitted_cu": 0 if pod.finished else pod.cu,
        "admitted_mode": pod.mode,
        "driver": _driver(pod),
        "deployed": Deployed(spec_hash=pod.spec_hash, generation=0, epoch=pod.epoch),
        "highest_epoch": max(status.highest_epoch, pod.epoch),
    }


def _driver(pod: Pod) -> Driver:
    return Driver(pod_name=pod.name, uid=pod.uid, node=pod.node, started_at=pod.created)


def holding(status: StreamJobStatus, pod: Pod) -> StreamJobStatus:
    """The memory of a job that keeps this driver, whatever was intended with it before."""
    before = status.admitted_cu if status.admitted_mode is pod.mode else 0
    held = {"admitted_cu": max(before, pod.cu), "admitted_mode": pod.mode}
    return status.model_copy(update={"driver": _driver(pod), **held})


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


def begin(
    job: Job, status: StreamJobStatus, runnable: Runnable, pods: tuple[Pod, ...], now: datetime
) -> StreamJobStatus:
    """The intent to start a driver. An intent that was not carried out is taken up under its own number."""
    epoch = _epoch(status, runnable)
    pending = status.driver is not None and not status.driver.uid
    before = status.deployed
    same = before is not None and before.spec_hash == runnable.spec_hash
    highest = max([status.attempt, *(pod.attempt for pod in pods)])
    as_told = same and before is not None and _told(before) == (runnable.resolved_hash, runnable.generation)
    attempt = status.attempt if pending and as_told and highest == status.attempt else highest + 1
    return status.model_copy(
        update={
            "attempt": attempt,
            "admitted_cu": runnable.cu,
            "admitted_mode": runnable.spec.resources.mode,
            "restarts": status.restarts if same else forgiven(status.restarts),
            "driver": Driver(pod_name=driver_name(job.key.name, attempt)),
            "highest_epoch": max(status.highest_epoch, epoch),
            "deployed": Deployed(
                spec_hash=runnable.spec_hash,
                generation=runnable.generation,
                resolved_hash=runnable.resolved_hash,
                state_hash=runnable.state_hash,
                epoch=epoch,
                checkpoint=checkpoint_key(identity(job, attempt, epoch)),
                image=runnable.image,
                revision=_revision(status, runnable),
                unproven_since=_unproven_since(status, now, same=same),
            ),
        }
    )


def is_tried(status: StreamJobStatus) -> bool:
    """Whether the deployed spec has a driver, or is to get one at once, or one after a failure."""
    return status.driver is not None or failed_last(status)


def _unproven_since(status: StreamJobStatus, now: datetime, *, same: bool) -> datetime | None:
    """Since when a spec is tried that was never ready; a try that was broken off by a pause does not count."""
    since = status.deployed.unproven_since if status.deployed else None
    if same and (since is None or is_tried(status)):
        return since
    return now.replace(microsecond=0)


def _told(deployed: Deployed) -> tuple[str, int]:
    """What an attempt was told beside what its spec's hash covers; its job file can be written only once."""
    return deployed.resolved_hash, deployed.generation


def _epoch(status: StreamJobStatus, runnable: Runnable) -> int:
    """The checkpoint that the next driver goes on with; a new one where the state is dropped."""
    deployed, stable = status.deployed, status.last_stable
    if deployed is None:
        return 0
    if status.rolled_back is not None and stable is not None and stable.generation == runnable.generation:
        return stable.epoch
    is_stateless = runnable.spec.upgrade_mode is UpgradeMode.STATELESS
    return _next_epoch(status) if is_stateless and breaks_state(status, runnable) else deployed.epoch


def _next_epoch(status: StreamJobStatus) -> int:
    """An epoch that no driver has written to."""
    return 1 + max(status.highest_epoch, status.deployed.epoch if status.deployed else 0)


def _revision(status: StreamJobStatus, runnable: Runnable) -> str:
    """The revision that holds this spec, as far as the status knows."""
    known = (status.deployed, status.last_stable)
    return next((one.revision for one in known if one and one.generation == runnable.generation), "")


def has_state(status: StreamJobStatus) -> bool:
    """Whether there is a state that a change could break."""
    return status.deployed is not None and bool(status.deployed.spec_hash)


def breaks_state(status: StreamJobStatus, runnable: Runnable) -> bool:
    """Whether the job's state is of no use to this spec. Of a state whose identity is not known it is not said.

    Then the runtime's own check of the checkpoint stands behind.
    """
    deployed = status.deployed
    if deployed is None or not deployed.spec_hash or not deployed.state_hash:
        return False
    return deployed.state_hash != runnable.state_hash


def is_state_breaking(status: StreamJobStatus, runnable: Runnable) -> bool:
    """Whether an edit is refused because the job's state would be of no use after it."""
    return runnable.spec.upgrade_mode is UpgradeMode.STATEFUL and breaks_state(status, runnable)


def proven(status: StreamJobStatus, runnable: Runnable) -> StreamJobStatus:
    """What a ready driver of this spec shows; what an older operator did not write of it is added."""
    deployed = status.deployed
    if deployed is None or deployed.spec_hash != runnable.spec_hash:
        return status
    known: dict[str, object] = {
        "state_hash": deployed.state_hash or runnable.state_hash,
        "image": deployed.image or runnable.image,
        "generation": deployed.generation or runnable.generation,
        "unproven_since": None,
    }
    return status.model_copy(update={"deployed": deployed.model_copy(update=known)})


def is_unkept(status: StreamJobStatus, runnable: Runnable) -> bool:
    """Whether no revision holds the deployed spec yet."""
    deployed = status.deployed
    return deployed is not None and deployed.spec_hash == runnable.spec_hash and not deployed.revision


def kept(status: StreamJobStatus, revision: str) -> StreamJobStatus:
    """The deployed spec is held by a revision now."""
    deployed = status.deployed
    if deployed is None:
        return status
    return status.model_copy(update={"deployed": deployed.model_copy(update={"revision": revision})})


def dropped(status: StreamJobStatus, generation: int) -> StreamJobStatus:
    """State and offsets are given up: the next start has another checkpoint path. Asking twice changes nothing."""
    if not has_state(status):
        return status
    epoch = _next_epoch(status)
    given_up: dict[str, object] = {
        "deployed": Deployed(spec_hash="", generation=generation, epoch=epoch),
        "highest_epoch": epoch,
        "last_stable": None,
        "rolled_back": None,
    }
    return status.model_copy(update=given_up)
