"""What to do about a job now: pure, level-triggered, safe to run twice."""

from dataclasses import replace
from datetime import datetime, timedelta

from streamjob_api.faults import InvalidSpec
from streamjob_api.lifecycle import DesiredState
from streamjob_api.status import RolledBack, StreamJobStatus
from streamjob_operator import reasons
from streamjob_operator.jobs import memory, rollback, stand_in, stops
from streamjob_operator.jobs.asked_course import as_asked
from streamjob_operator.jobs.course import STARTING, Course, Observed, Word
from streamjob_operator.jobs.driver_course import to_delete, with_driver, without_driver
from streamjob_operator.jobs.edits import explained
from streamjob_operator.jobs.executors import orphans
from streamjob_operator.jobs.refused_course import breaking, nothing_new, refused, state_breaking
from streamjob_operator.observed import Pod
from streamjob_operator.validation import Refusal, Runnable

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
    left_over = orphans(observed.job.uid, alive, observed.executors)
    chosen = replace(chosen, stop=chosen.stop + expired + left_over).sooner(expiry)
    return replace(chosen, concludes_gone=chosen.concludes_gone or concluded_gone or concluded_end)


def _choose(observed: Observed, remembered: StreamJobStatus, alive: tuple[Pod, ...], now: datetime) -> Course:
    spec, verdict = observed.job.spec, observed.verdict
    if not isinstance(spec, InvalidSpec) and spec.state is not DesiredState.RUNNING:
        asked = as_asked(observed, remembered, alive, spec.state, now)
        return _forewarned(observed, asked) if spec.state is DesiredState.PAUSED else asked
    if isinstance(verdict, Refusal):
        if isinstance(spec, InvalidSpec) and remembered.paused_at is not None:
            return _still_paused(observed, remembered, alive, verdict, now)
        return refused(observed, remembered, alive, verdict, now)
    remembered = stand_in.with_known_state(observed, remembered)
    if not rollback.is_given_up(remembered, verdict):
        remembered = remembered.model_copy(update={"rolled_back": None})
    if memory.is_state_breaking(remembered, verdict):
        if stand_in.never_ran(observed, remembered):
            return _begun_anew(remembered)
        return state_breaking(observed, remembered, alive, verdict, now)
    return _run_or_roll_back(observed, remembered, alive, verdict, now)


def _begun_anew(remembered: StreamJobStatus) -> Course:
    """A start that was intended, but never carried out, left no state that the edit could break."""
    word = Word(False, reasons.STARTING, "the start of an earlier spec was not carried out; the present one is next")
    return Course(
        memory=remembered.model_copy(update={"deployed": None, "driver": None, "admitted_cu": 0}),
        phase=STARTING,
        ready=word,
        reserved=Word(False, reasons.RELEASED, "holds no CU"),
        working=replace(word, holds=True),
        again_in=0.0,
        concludes_gone=True,
    )


def _forewarned(observed: Observed, paused: Course) -> Course:
    """A paused job whose spec its state does not fit any more learns it before it is resumed."""
    verdict = observed.verdict
    remembered = stand_in.with_known_state(observed, paused.memory)
    wanted = stand_in.deployed(observed, remembered)
    if isinstance(verdict, Refusal) or not memory.is_state_breaking(remembered, verdict):
        return replace(paused, wants=wanted if _is_unknown(remembered) else None)
    word = breaking(observed, remembered, verdict)
    return replace(paused, stuck=replace(word, holds=True), wants=wanted)


def _still_paused(
    observed: Observed, remembered: StreamJobStatus, alive: tuple[Pod, ...], refusal: Refusal, now: datetime
) -> Course:
    """An invalid spec does not say what is wished: a job that was paused is not started by it."""
    paused = as_asked(observed, remembered, alive, DesiredState.PAUSED, now)
    word = Word(False, refusal.reason, f"{refusal.message}; the job stays paused until this is corrected")
    return replace(paused, ready=word, working=None, stuck=replace(word, holds=True))


def _is_unknown(remembered: StreamJobStatus) -> bool:
    """Whether an older operator did not write what the job's state rests on."""
    return memory.has_state(remembered) and not (remembered.deployed and remembered.deployed.state_hash)


def _run_or_roll_back(
    observed: Observed, remembered: StreamJobStatus, alive: tuple[Pod, ...], runnable: Runnable, now: datetime
) -> Course:
    """The spec is run, unless it is given up for the last stable one."""
    driver = alive[-1] if alive else None
    failed = remembered.rolled_back or rollback.failure(observed, remembered, driver, runnable, now)
    wanted = rollback.last_stable(remembered, runnable) if failed else None
    if failed is None or wanted is None:
        return _run(observed, remembered, alive, runnable, now)
    generation = remembered.last_stable.generation if remembered.last_stable else 0
    stable = stand_in.instead(observed, wanted, generation)
    word = _rolled_back(failed)
    if stable is None and remembered.rolled_back:
        # The stable spec cannot be run now, or not be read; its driver is healthy, and the given-up spec is not.
        seen = stand_in.found(observed, wanted)
        return replace(nothing_new(remembered, alive, word, (seen.verdict if seen else None,)), wants=wanted)
    if stable is None or stable.spec_hash == runnable.spec_hash:
        return replace(_run(observed, remembered, alive, runnable, now), wants=wanted)
    remembered = remembered.model_copy(update={"rolled_back": failed})
    return replace(stand_in.course(observed, remembered, alive, stable, word, now), wants=wanted)


def _rolled_back(failed: RolledBack) -> Word:
    message = (
        f"generation {failed.generation} did not become healthy ({failed.reason}: {failed.message}); correct the spec, "
        "or change spec.restartNonce to try it again"
    )
    return Word(False, reasons.ROLLED_BACK, message)


def _run(
    observed: Observed, remembered: StreamJobStatus, alive: tuple[Pod, ...], runnable: Runnable, now: datetime
) -> Course:
    if not alive:
        chosen = without_driver(observed, remembered, runnable, now)
    else:
        chosen = with_driver(observed, remembered, alive, runnable, now)
    left = rollback.unproven_left(observed, chosen.memory, chosen.driver, runnable, now)
    is_watched = runnable.spec.lifecycle.rollback_on_failure and left is not None and left > 0
    return explained(observed, remembered, chosen, runnable).sooner(left if is_watched else None)


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
