"""Which spec is known to work, and when a changed one is given up for it; kept in the job's status. Pure.

A spec is stable when its driver has been ready for a minute (or for ``lifecycle.startDeadline``, where that is shorter)
and says that micro-batches advance or that there is nothing to read.
"""

from datetime import datetime, timedelta

from streamjob_api.progress import DriverState, Progress
from streamjob_api.status import Deployed, RolledBack, Stable, StreamJobStatus
from streamjob_operator import reasons
from streamjob_operator.jobs import memory
from streamjob_operator.jobs.course import Observed, Wanted
from streamjob_operator.observed import Pod
from streamjob_operator.validation import Runnable

STABLE_AFTER = timedelta(minutes=1)
# Until a driver that is ready for long enough has said how it is.
_ASK_AGAIN_SECONDS = 60.0


def stabilised(
    status: StreamJobStatus, driver: Pod, runnable: Runnable, progress: Progress | None, now: datetime
) -> tuple[StreamJobStatus, float | None]:
    """Note that a spec is stable, once it is; else after how many seconds that is to be looked at again."""
    deployed = status.deployed
    if deployed is None or deployed.spec_hash != runnable.spec_hash or not deployed.revision or _is_known(status):
        return status, None
    if not driver.ready or driver.ready_since is None:
        return status, None
    deadline = timedelta(seconds=runnable.spec.lifecycle.start_deadline.seconds)
    left = (driver.ready_since + min(STABLE_AFTER, deadline) - now).total_seconds()
    if left > 0:
        return status, left
    if not _advances(progress):
        return status, _ASK_AGAIN_SECONDS
    return status.model_copy(update={"last_stable": _stable(deployed)}), None


def _is_known(status: StreamJobStatus) -> bool:
    deployed, stable = status.deployed, status.last_stable
    return deployed is not None and stable is not None and stable == _stable(deployed)


def _stable(deployed: Deployed) -> Stable:
    return Stable(
        spec_hash=deployed.spec_hash,
        generation=deployed.generation,
        epoch=deployed.epoch,
        revision=deployed.revision,
    )


def _advances(progress: Progress | None) -> bool:
    if progress is None or progress.state is not DriverState.RUNNING:
        return False
    return progress.idle or progress.batch_id >= 0


def last_stable(status: StreamJobStatus, runnable: Runnable) -> Wanted | None:
    """What a changed spec can be given up for; None where nothing else was ever stable."""
    stable, deployed = status.last_stable, status.deployed
    if stable is None or stable.generation == runnable.generation or stable.spec_hash == runnable.spec_hash:
        return None
    is_deployed = deployed is not None and deployed.generation == stable.generation
    return Wanted(stable.revision, status.attempt if is_deployed else 0)


def is_given_up(status: StreamJobStatus, runnable: Runnable) -> bool:
    """Whether this spec was given up before; another one is tried."""
    return status.rolled_back is not None and status.rolled_back.spec_hash == runnable.spec_hash


def failure(
    observed: Observed, status: StreamJobStatus, driver: Pod | None, runnable: Runnable, now: datetime
) -> RolledBack | None:
    """Why a changed spec is to be given up now, if it is."""
    deployed = status.deployed
    if not runnable.spec.lifecycle.rollback_on_failure or deployed is None or deployed.spec_hash != runnable.spec_hash:
        return None
    if memory.given_up(status, runnable.spec_hash, runnable.spec.restart):
        last = status.restarts
        is_permanent = last.last_reason in reasons.PERMANENT
        reason = last.last_reason if is_permanent else reasons.RESTARTS_EXHAUSTED
        return _rolled_back(runnable, reason, last.last_message)
    left = unproven_left(observed, status, driver, runnable, now)
    if left is None or left > 0:
        return None
    message = f"its driver was not ready within {runnable.spec.lifecycle.start_deadline} (lifecycle.startDeadline)"
    return _rolled_back(runnable, reasons.START_TIMEOUT, message)


def unproven_left(
    observed: Observed, status: StreamJobStatus, driver: Pod | None, runnable: Runnable, now: datetime
) -> float | None:
    """Seconds that are left to a spec to become ready for the first time; None where that is not asked.

    A driver that says for which of its dependencies it waits is alive; the former spec would wait as well. While a
    job is paused or queued its spec is not tried.
    """
    since = status.deployed.unproven_since if status.deployed else None
    if since is None or (driver is not None and driver.ready):
        return None
    if driver is None and not memory.is_tried(status):
        return None
    if driver is not None and observed.progress is not None and observed.progress.state is DriverState.WAITING:
        return None
    return (since + timedelta(seconds=runnable.spec.lifecycle.start_deadline.seconds) - now).total_seconds()


def _rolled_back(runnable: Runnable, reason: str, message: str) -> RolledBack:
    return RolledBack(
        spec_hash=runnable.spec_hash, generation=runnable.generation, reason=reason, message=message[:1024]
    )
