"""A job that is to run: keep its driver, replace it, start one, or wait. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta

from streamjob_api.progress import DriverState, Progress
from streamjob_api.status import StreamJobStatus
from streamjob_operator import ledger, obstacles, reasons
from streamjob_operator.jobs import course as phases
from streamjob_operator.jobs import memory, rollback
from streamjob_operator.jobs.course import Course, Observed, Start, Word
from streamjob_operator.jobs.executors import hindered, with_remedy
from streamjob_operator.observed import Pod
from streamjob_operator.reasons import Ending, Fault
from streamjob_operator.validation import Runnable

# Safety net while a pod is on its way out, should its last event be lost.
LOOK_AGAIN_SECONDS = 15.0
# Points that one message names.
_SHOWN_INPUTS = 5


def with_driver(
    observed: Observed, remembered: StreamJobStatus, alive: tuple[Pod, ...], runnable: Runnable, now: datetime
) -> Course:
    """A driver lives: keep it, replace it, or wait until it is gone."""
    *former, driver = alive
    if former:
        # The runtime's marker beside the checkpoint holds back the lower attempt until it is gone.
        chosen = with_driver(observed, remembered, (driver,), runnable, now)
        return replace(chosen, stop=chosen.stop + to_delete(tuple(former)))
    if driver.terminating:
        return _until_gone(remembered, alive, runnable, now)
    if of_dropped_state(driver, remembered):
        return _until_gone(remembered, alive, runnable, now)
    if _outdated(remembered, driver, runnable):
        return _upgrade(observed, remembered, driver, runnable, now)
    if _start_is_overdue(observed, driver, runnable, now):
        deadline = runnable.spec.lifecycle.start_deadline
        message = f"pod {driver.name} was not ready within {deadline} (lifecycle.startDeadline)"
        ended = Ending(reasons.START_TIMEOUT, message, Fault.INFRASTRUCTURE)
        # What was counted already is a pod whose deletion has failed since.
        counted = remembered if memory.failed_last(remembered) else memory.count(remembered, ended, now)
        return _until_gone(counted, alive, runnable, now)
    return _kept(observed, remembered, driver, runnable, now)


def _until_gone(remembered: StreamJobStatus, alive: tuple[Pod, ...], runnable: Runnable, now: datetime) -> Course:
    """The next driver starts only when no other lives."""
    driver = alive[-1]
    upgrading = _outdated(remembered, driver, runnable)
    reason, why = upgrading or (reasons.STARTING, "")
    message = f"{why}waiting for pod {driver.name} to end"
    if memory.failed_last(remembered) and not upgrading:
        reason, message = remembered.restarts.last_reason, f"{remembered.restarts.last_message}; {message}"
    waits = Course(
        memory=remembered.model_copy(update={"driver": None}),
        phase=phases.UPGRADING if upgrading else phases.DEGRADED,
        ready=Word(False, reason, message),
        reserved=held(remembered),
        working=Word(True, reason, message),
        stop=to_delete(alive),
        driver=driver,
        again_in=LOOK_AGAIN_SECONDS,
    )
    return or_unheard(waits, driver, now)


def or_unheard(waits: Course, ending: Pod, now: datetime) -> Course:
    """The same, unless the pod should have ended by now: then its node does not carry it out, and somebody must act."""
    if not obstacles.overdue(ending, now):
        return waits.sooner(obstacles.seconds_until_overdue(ending, now))
    word = Word(False, reasons.NODE_LOST, obstacles.unheard(ending))
    return replace(waits, phase=phases.DEGRADED, ready=word, working=None, stuck=replace(word, holds=True))


def of_dropped_state(driver: Pod, remembered: StreamJobStatus) -> bool:
    """Whether a driver writes to a state that was given up after its start: it was not ended as it should have been."""
    return remembered.deployed is not None and driver.epoch != remembered.deployed.epoch


def _outdated(remembered: StreamJobStatus, driver: Pod, runnable: Runnable) -> tuple[str, str] | None:
    """Why a driver has to be replaced, as a reason and the beginning of a message; None where it need not be.

    A driver that reads an input from devices would wait for ever when another job writes it, and one that reads it
    from the results' topic when nobody writes it any more.
    """
    if of_dropped_state(driver, remembered):
        return reasons.STOPPING, "the job was stopped in between, which dropped the state of its driver; "
    if driver.spec_hash != runnable.spec_hash:
        return reasons.UPGRADING, ""
    calculated = frozenset(map(str, runnable.calculated))
    added, gone = sorted(calculated - driver.calculated), sorted(driver.calculated - calculated)
    why = f"jobs of the OU calculate {_shown(added)} now, which is read from the results' topic; " if added else ""
    if gone:
        why += f"no job of the OU calculates {_shown(gone)} any more, which is read from the devices' topic; "
    return (reasons.INPUTS_CHANGED, why) if why else None


def _shown(points: list[str]) -> str:
    more = len(points) - _SHOWN_INPUTS
    return ", ".join(points[:_SHOWN_INPUTS]) + (f" and {more} more" if more > 0 else "")


def _upgrade(observed: Observed, remembered: StreamJobStatus, driver: Pod, runnable: Runnable, now: datetime) -> Course:
    """Replace the driver, once the ledger has admitted what the next one takes."""
    if observed.granted >= runnable.cu:
        return _until_gone(remembered, (driver,), runnable, now)
    if runnable.never_suffices:
        word = Word(False, runnable.never_suffices.reason, runnable.never_suffices.message)
        working, stuck = None, replace(word, holds=True)
    else:
        word = Word(False, reasons.QUEUED, _queue_message(observed, runnable))
        working, stuck = replace(word, holds=True), None
    return Course(
        memory=remembered,
        phase=phases.DEGRADED,
        ready=replace(word, message=f"{word.message}; the driver of the former spec goes on"),
        reserved=held(remembered),
        working=working,
        stuck=stuck,
        driver=driver,
    )


def _start_is_overdue(observed: Observed, driver: Pod, runnable: Runnable, now: datetime) -> bool:
    """Not ready, and silent, for too long. A driver that says why it waits is alive; an obstacle is told instead."""
    deadline = timedelta(seconds=runnable.spec.lifecycle.start_deadline.seconds)
    silent = observed.progress is None and not driver.container.started
    return not driver.ready and silent and obstacles.obstacle(driver) is None and now - driver.created > deadline


def _kept(observed: Observed, remembered: StreamJobStatus, driver: Pod, runnable: Runnable, now: datetime) -> Course:
    restarts, again_in = remembered.restarts, None
    failed = restarts.consecutive or restarts.infrastructure
    if failed and driver.ready and driver.ready_since is not None:
        healthy = driver.ready_since + timedelta(seconds=runnable.spec.restart.reset_after.seconds) - now
        again_in = max(healthy.total_seconds(), 0.0)
        if again_in == 0:
            restarts, again_in = memory.forgiven(restarts), None
    remembered = memory.holding(remembered, driver).model_copy(update={"restarts": restarts})
    if driver.ready:
        remembered = memory.proven(remembered, runnable)
    remembered, stable_in = rollback.stabilised(remembered, driver, runnable, observed.progress, now)
    phase, ready, working, stuck = _of_driver(observed, driver, runnable, now)
    if not driver.ready:
        deadline = driver.created + timedelta(seconds=runnable.spec.lifecycle.start_deadline.seconds) - now
        again_in = deadline.total_seconds() + 0.1 if deadline.total_seconds() > 0 else None
    return Course(
        memory=remembered,
        phase=phase,
        ready=ready,
        reserved=held(remembered),
        working=working,
        stuck=stuck,
        driver=driver,
        again_in=again_in,
        keeps=runnable if driver.ready and memory.is_unkept(remembered, runnable) else None,
    ).sooner(stable_in)


def _of_driver(
    observed: Observed, driver: Pod, runnable: Runnable, now: datetime
) -> tuple[str, Word, Word | None, Word | None]:
    """Phase, Ready, Reconciling and Stalled of a job whose driver is the right one."""
    progress = observed.progress
    patient = now - driver.created < timedelta(seconds=runnable.spec.lifecycle.start_deadline.seconds)
    obstacle = obstacles.obstacle(driver)
    if obstacle:
        word = Word(False, *obstacle)
        seen = replace(word, holds=True)
        if driver.node_is_silent:
            return phases.DEGRADED, word, seen, None
        return phases.STARTING, word, seen if patient else None, None if patient else seen
    if progress is not None and progress.state is DriverState.WAITING:
        return phases.DEGRADED, Word(False, progress.reason or reasons.NOT_READY, progress.message), None, None
    if driver.ready:
        return phases.RUNNING, Word(True, reasons.RUNNING, f"pod {driver.name} runs"), None, None
    if not driver.was_ready and _starts(progress, patient=patient):
        word = Word(False, reasons.STARTING, f"pod {driver.name} starts")
        return phases.STARTING, word, replace(word, holds=True), None
    reason, message = (progress.reason, progress.message) if progress else ("", "")
    message = message or f"pod {driver.name} fails its readiness probe"
    if keeps := hindered(driver, observed.executors):
        message = f"{message}; {keeps}"
    return phases.DEGRADED, Word(False, reason or reasons.NOT_READY, message), None, None


def _starts(progress: Progress | None, *, patient: bool) -> bool:
    """Whether a driver that was never ready is on its way: it says so, or says nothing else within its deadline."""
    if progress is not None and progress.state is DriverState.STARTING:
        return True
    return patient and (progress is None or not progress.reason)


def without_driver(observed: Observed, remembered: StreamJobStatus, runnable: Runnable, now: datetime) -> Course:
    """No driver lives: start one, if the job may have one now."""
    if memory.given_up(remembered, runnable.spec_hash, runnable.spec.restart):
        return _given_up(remembered)
    if _predecessor(observed):
        message = f"a pod of a deleted StreamJob {observed.job.key.name} still stops"
        word = Word(False, reasons.PREDECESSOR_STOPPING, message)
        return _waiting(remembered, word, LOOK_AGAIN_SECONDS)
    if observed.granted < runnable.cu:
        return _queued(observed, remembered, runnable)
    start_at = memory.next_start(observed.job, remembered, runnable.spec_hash, runnable.spec.restart)
    if start_at is not None and start_at > now:
        return _backing_off(remembered, start_at, now)
    intent = memory.begin(observed.job, remembered, runnable, observed.pods, now)
    word = Word(False, reasons.STARTING, f"starting driver, attempt {intent.attempt}")
    if observed.refused:
        word = Word(False, reasons.DRIVER_REFUSED, with_remedy(observed.refused))
    epoch = intent.deployed.epoch if intent.deployed else 0
    return Course(
        memory=intent,
        phase=phases.STARTING,
        ready=word,
        reserved=held(intent),
        working=replace(word, holds=True),
        start=Start(runnable, intent.attempt, epoch),
        concludes_gone=True,
    )


def _given_up(remembered: StreamJobStatus) -> Course:
    restarts = remembered.restarts
    if restarts.last_reason in reasons.PERMANENT:
        reason, message = restarts.last_reason, restarts.last_message
    else:
        reason = reasons.RESTARTS_EXHAUSTED
        message = (
            f"{restarts.consecutive} failures in a row, the last one {restarts.last_reason}: {restarts.last_message}"
        )
    word = Word(False, reason, f"{message}; correct the spec or change spec.restartNonce")
    return Course(
        memory=remembered.model_copy(update={"admitted_cu": 0, "driver": None}),
        phase=phases.FAILED,
        ready=word,
        reserved=Word(False, reasons.RELEASED, "holds no CU"),
        stuck=replace(word, holds=True),
        concludes_gone=remembered.admitted_cu > 0,
    )


def _queued(observed: Observed, remembered: StreamJobStatus, runnable: Runnable) -> Course:
    remembered = remembered.model_copy(update={"driver": None, "admitted_cu": 0})
    gone = observed.job.status.admitted_cu > 0
    if runnable.never_suffices:
        word = Word(False, runnable.never_suffices.reason, runnable.never_suffices.message)
        return Course(
            memory=remembered,
            phase=phases.FAILED,
            ready=word,
            reserved=word,
            stuck=replace(word, holds=True),
            concludes_gone=gone,
        )
    word = Word(False, reasons.QUEUED, _queue_message(observed, runnable))
    chosen = replace(_waiting(remembered, word, None), phase=phases.QUEUED, reserved=word, concludes_gone=gone)
    return replace(chosen, awaits_ledger=observed.waiting is None and not gone)


def _backing_off(remembered: StreamJobStatus, start_at: datetime, now: datetime) -> Course:
    restarts = remembered.restarts
    then = start_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    message = f"{restarts.last_message}; attempt {remembered.attempt + 1} starts at {then}"
    word = Word(False, restarts.last_reason, message)
    chosen = _waiting(remembered, word, (start_at - now).total_seconds())
    return replace(chosen, phase=phases.DEGRADED, working=Word(True, reasons.BACK_OFF, message))


def _waiting(remembered: StreamJobStatus, word: Word, again_in: float | None) -> Course:
    return Course(
        memory=remembered,
        phase=phases.STARTING,
        ready=word,
        reserved=held(remembered),
        working=replace(word, holds=True),
        again_in=again_in,
    )


def _queue_message(observed: Observed, runnable: Runnable) -> str:
    if observed.waiting is None:
        pool = ledger.words(runnable.spec.resources.mode)
        return f"needs {runnable.cu:g} CU of {pool}; its place in the queue is not known yet"
    return ledger.explain(observed.waiting)


def held(remembered: StreamJobStatus) -> Word:
    """ResourceReserved: what the job holds."""
    if remembered.admitted_cu > 0:
        pool = ledger.words(remembered.admitted_mode)
        return Word(True, reasons.ADMITTED, f"holds {remembered.admitted_cu:g} CU of {pool}")
    return Word(False, reasons.RELEASED, "holds no CU")


def _predecessor(observed: Observed) -> bool:
    return any(pod.job_uid != observed.job.uid and not pod.finished for pod in observed.pods)


def to_delete(alive: tuple[Pod, ...]) -> tuple[Pod, ...]:
    """Pods that were not asked to end yet."""
    return tuple(pod for pod in alive if not pod.terminating)
