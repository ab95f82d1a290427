"""What to do about a job now: pure, level-triggered, safe to run twice."""

from dataclasses import replace
from datetime import datetime, timedelta

from streamjob_api.faults import InvalidSpec
from streamjob_api.lifecycle import DesiredState
from streamjob_api.status import StreamJobStatus
from streamjob_operator import course as phases
from streamjob_operator import memory, reasons, stops
from streamjob_operator.asked_course import as_asked
from streamjob_operator.course import Course, Observed, Word
from streamjob_operator.driver_course import held, to_delete, with_driver, without_driver
from streamjob_operator.observed import Pod
from streamjob_operator.patience import patience
from streamjob_operator.validation import Refusal

# How long the last failed pod is kept for its log; it holds no capacity.
KEEP_FAILED = timedelta(hours=1)


def decide(observed: Observed, now: datetime) -> Course:
    """Choose the course of one job."""
    own = tuple(pod for pod in observed.pods if pod.job_uid == observed.job.uid)
    remembered = memory.adopt(observed.job.status, own)
    remembered, concluded_gone = memory.account(remembered, own, now)
    remembered, concluded_end = stops.ended(remembered, own, observed.parted, now)
    remembered = stops.paused(remembered, observed.job, now)
    alive = tuple(sorted((pod for pod in own if not pod.finished), key=lambda pod: pod.attempt))
    chosen = _choose(observed, remembered, alive, now)
    chosen = replace(chosen, memory=stops.asked(chosen.memory, chosen.stop))
    expired, expiry = _expired(own, now)
    chosen = replace(chosen, stop=chosen.stop + expired).sooner(expiry)
    return replace(chosen, concludes_gone=chosen.concludes_gone or concluded_gone or concluded_end)


def _choose(observed: Observed, remembered: StreamJobStatus, alive: tuple[Pod, ...], now: datetime) -> Course:
    spec, verdict = observed.job.spec, observed.verdict
    if not isinstance(spec, InvalidSpec) and spec.state is not DesiredState.RUNNING:
        return as_asked(observed, remembered, alive, spec.state, now)
    if isinstance(verdict, Refusal):
        return _refused(observed, remembered, alive, verdict, now)
    if alive:
        return with_driver(observed, remembered, alive, verdict, now)
    return without_driver(observed, remembered, verdict, now)


def _refused(
    observed: Observed, remembered: StreamJobStatus, alive: tuple[Pod, ...], refusal: Refusal, now: datetime
) -> Course:
    """Nothing new starts. A driver that runs goes on with the last valid spec."""
    word = Word(False, refusal.reason, refusal.message)
    left = patience(observed.job.status.conditions, observed.job.generation, refusal, now)
    waits = Word(True, reasons.WAITING_FOR_RESOURCE, refusal.message) if left else None
    stuck = None if left else replace(word, holds=True)
    if alive:
        # An older job was edited to write what this driver writes, or to feed it: that one keeps its outputs.
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
