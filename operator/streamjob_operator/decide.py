"""What to do about a job now: pure, level-triggered, safe to run twice."""

from dataclasses import replace
from datetime import datetime, timedelta

from streamjob_api.faults import InvalidSpec
from streamjob_api.lifecycle import DesiredState
from streamjob_api.status import Condition, StreamJobStatus
from streamjob_operator import course as phases
from streamjob_operator import memory, reasons
from streamjob_operator.course import Course, Observed, Word
from streamjob_operator.driver_course import LOOK_AGAIN_SECONDS, held, to_delete, with_driver, without_driver
from streamjob_operator.observed import Pod
from streamjob_operator.validation import Refusal

# How long the last failed pod is kept for its log; it holds no capacity.
KEEP_FAILED = timedelta(hours=1)
# How long what is missing may take to be applied before the job is stalled.
PATIENCE = timedelta(minutes=5)


def decide(observed: Observed, now: datetime) -> Course:
    """Choose the course of one job."""
    own = tuple(pod for pod in observed.pods if pod.job_uid == observed.job.uid)
    remembered = memory.adopt(observed.job.status, own)
    remembered, concluded_gone = memory.account(remembered, own, now)
    alive = tuple(sorted((pod for pod in own if not pod.finished), key=lambda pod: pod.attempt))
    chosen = _choose(observed, remembered, alive, now)
    expired, expiry = _expired(own, now)
    chosen = replace(chosen, stop=chosen.stop + expired).sooner(expiry)
    return replace(chosen, concludes_gone=chosen.concludes_gone or concluded_gone)


def _choose(observed: Observed, remembered: StreamJobStatus, alive: tuple[Pod, ...], now: datetime) -> Course:
    spec, verdict = observed.job.spec, observed.verdict
    if not isinstance(spec, InvalidSpec) and spec.state is not DesiredState.RUNNING:
        return _as_asked(observed, remembered, alive, spec.state)
    if isinstance(verdict, Refusal):
        return _refused(observed, remembered, alive, verdict, now)
    if alive:
        return with_driver(observed, remembered, alive, verdict, now)
    return without_driver(observed, remembered, verdict, now)


def _as_asked(observed: Observed, remembered: StreamJobStatus, alive: tuple[Pod, ...], state: DesiredState) -> Course:
    """Paused or Stopped: the driver ends gracefully, then the capacity is free."""
    stopping = state is DesiredState.STOPPED
    if stopping:
        remembered = memory.dropped(remembered, observed.job.generation)
    remembered = remembered.model_copy(
        update={"driver": None, "restarts": memory.forgiven(remembered.restarts)},
    )
    if alive:
        doing, phase = (reasons.STOPPING, phases.STOPPING) if stopping else (reasons.PAUSING, phases.PAUSING)
        message = f"waiting for pod {alive[-1].name} to finish its micro-batch"
        return Course(
            memory=remembered,
            phase=phase,
            ready=Word(False, doing, message),
            reserved=held(remembered),
            working=Word(True, doing, message),
            stop=to_delete(alive),
            driver=alive[-1],
            again_in=LOOK_AGAIN_SECONDS,
        )
    done, phase = (reasons.STOPPED, phases.STOPPED) if stopping else (reasons.PAUSED, phases.PAUSED)
    return Course(
        memory=remembered.model_copy(update={"admitted_cu": 0}),
        phase=phase,
        ready=Word(True, done, "as asked by spec.state"),
        reserved=Word(False, reasons.RELEASED, "holds no CU"),
        concludes_gone=remembered.admitted_cu > 0,
    )


def _refused(
    observed: Observed, remembered: StreamJobStatus, alive: tuple[Pod, ...], refusal: Refusal, now: datetime
) -> Course:
    """Nothing new starts. A driver that runs goes on with the last valid spec."""
    word = Word(False, refusal.reason, refusal.message)
    left = _patience(observed, refusal, now)
    waits = Word(True, reasons.WAITING_FOR_RESOURCE, refusal.message) if left else None
    stuck = None if left else replace(word, holds=True)
    if alive:
        # An older job was edited to write what this driver writes: that one keeps the output.
        rival = refusal.runnable is not None and alive[-1].spec_hash == refusal.runnable.spec_hash
        if rival:
            remembered = remembered.model_copy(update={"driver": None})
        return Course(
            memory=remembered,
            phase=phases.DEGRADED,
            ready=word,
            reserved=held(remembered),
            working=waits,
            stuck=stuck,
            stop=to_delete(alive) if rival else (),
            driver=alive[-1],
            again_in=left,
        )
    return Course(
        memory=remembered.model_copy(update={"admitted_cu": 0, "driver": None}),
        phase=phases.QUEUED if left else phases.FAILED,
        ready=word,
        reserved=Word(False, refusal.reason, "holds no CU"),
        working=waits,
        stuck=stuck,
        again_in=left,
        concludes_gone=remembered.admitted_cu > 0,
    )


def _patience(observed: Observed, refusal: Refusal, now: datetime) -> float | None:
    """Seconds for which what is missing is still waited for; None when the job is stalled."""
    if not refusal.may_come:
        return None
    present = {condition.type: condition for condition in observed.job.status.conditions}
    stalled, waiting = present.get("Stalled"), present.get("Reconciling")
    if stalled and _speaks_of(stalled, refusal.reason, observed.job.generation):
        return None
    if waiting is None or not _speaks_of(waiting, reasons.WAITING_FOR_RESOURCE, observed.job.generation):
        return PATIENCE.total_seconds()
    left = (waiting.last_transition_time + PATIENCE - now).total_seconds()
    return left if left > 0 else None


def _speaks_of(condition: Condition, reason: str, generation: int) -> bool:
    return condition.reason == reason and condition.observed_generation == generation


def _expired(own: tuple[Pod, ...], now: datetime) -> tuple[tuple[Pod, ...], float | None]:
    """Ended pods to delete now (all but the last, and that one after its time), and when to look again."""
    ended = sorted((pod for pod in own if pod.finished), key=lambda pod: pod.attempt)
    if not ended:
        return (), None
    last = ended.pop()
    left = ((last.container.finished_at or last.created) + KEEP_FAILED - now).total_seconds()
    if left <= 0:
        ended.append(last)
    return to_delete(tuple(ended)), left if left > 0 else None
