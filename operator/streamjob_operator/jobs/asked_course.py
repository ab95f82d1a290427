"""A job that is not to run: its driver ends gracefully, then it holds nothing. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime

from streamjob_api.faults import InvalidSpec
from streamjob_api.lifecycle import DesiredState
from streamjob_api.status import StreamJobStatus
from streamjob_operator import reasons
from streamjob_operator.jobs import course as phases
from streamjob_operator.jobs import memory, stops
from streamjob_operator.jobs.course import Course, Observed, Word
from streamjob_operator.jobs.driver_course import LOOK_AGAIN_SECONDS, held, or_unheard, to_delete
from streamjob_operator.jobs.patience import patience
from streamjob_operator.observed import Pod


@dataclass(frozen=True)
class _State:
    """What is said of a job in a state that is not Running."""

    reason: str
    phase: str
    message: str
    ending: tuple[str, str] = (reasons.STOPPING, phases.STOPPING)


_AS_ASKED = "as asked by spec.state"
_STATES = {
    DesiredState.PAUSED: _State(reasons.PAUSED, phases.PAUSED, _AS_ASKED, (reasons.PAUSING, phases.PAUSING)),
    DesiredState.STOPPED: _State(reasons.STOPPED, phases.STOPPED, _AS_ASKED),
    DesiredState.DRAFT: _State(reasons.DRAFT, phases.DRAFT, "checked; holds nothing"),
    DesiredState.RELEASED: _State(reasons.RELEASED, phases.RELEASED, "checked, its outputs are reserved; not running"),
}
_DROPPED = "it is stopped by this, its state and offsets are dropped"


def as_asked(
    observed: Observed, remembered: StreamJobStatus, alive: tuple[Pod, ...], state: DesiredState, now: datetime
) -> Course:
    """The driver ends gracefully, then the capacity is free. Only Paused keeps state and offsets."""
    said = _STATES[state]
    if state is not DesiredState.PAUSED:
        remembered = memory.dropped(remembered, observed.job.generation)
    remembered = remembered.model_copy(
        update={"driver": None, "restarts": memory.forgiven(remembered.restarts)},
    )
    if alive:
        waits = _ending(remembered, alive, said, explains=_is_checked(state))
        return or_unheard(waits, alive[-1], now)
    message = f"{said.message}{_unfinished(remembered)}"
    if _is_checked(state) and remembered.deployed is not None:
        message = f"{message}; {_DROPPED}"
    done = Course(
        memory=remembered.model_copy(update={"admitted_cu": 0}),
        phase=said.phase,
        ready=Word(True, said.reason, message),
        reserved=Word(False, reasons.RELEASED, "holds no CU"),
        concludes_gone=remembered.admitted_cu > 0,
    )
    if state is DesiredState.PAUSED:
        return _expiring(observed, done, now)
    return _checked(observed, done, now) if _is_checked(state) else done


def _unfinished(remembered: StreamJobStatus) -> str:
    """What is said of a driver that did not finish its micro-batch."""
    stop = remembered.stop
    return f"; not gracefully: {stop.message}" if stop and stop.graceful is False else ""


def _expiring(observed: Observed, done: Course, now: datetime) -> Course:
    """A pause that has reached its limit asks for a decision; nothing else comes of it."""
    spec = observed.job.spec
    if isinstance(spec, InvalidSpec):
        return done
    limit = spec.lifecycle.pause_limit
    left = stops.pause_left(done.memory, limit.seconds, now)
    if left > 0:
        return replace(done, again_in=left)
    since = f"{done.memory.paused_at:%Y-%m-%dT%H:%M:%SZ}"
    message = (
        f"paused since {since}, longer than {limit} (lifecycle.pauseLimit); state and offsets are kept: resume the job "
        "(spec.state: Running), drop them (spec.state: Stopped), or raise the limit"
    )
    word = Word(True, reasons.PAUSE_EXPIRED, message)
    return replace(done, phase=phases.PAUSE_EXPIRED, ready=word, undecided=word)


def _is_checked(state: DesiredState) -> bool:
    """Whether the job is there to be checked."""
    return state in {DesiredState.DRAFT, DesiredState.RELEASED}


def _ending(remembered: StreamJobStatus, alive: tuple[Pod, ...], said: _State, *, explains: bool) -> Course:
    reason, phase = said.ending
    message = f"waiting for pod {alive[-1].name} to finish its micro-batch"
    if explains:
        message = f"spec.state is {said.phase}: {_DROPPED}; {message}"
    return Course(
        memory=remembered,
        phase=phase,
        ready=Word(False, reason, message),
        reserved=held(remembered),
        working=Word(True, reason, message),
        stop=to_delete(alive),
        driver=alive[-1],
        again_in=LOOK_AGAIN_SECONDS,
    )


def _checked(observed: Observed, done: Course, now: datetime) -> Course:
    """A job that could not be run says so, though it is not asked to."""
    refusal = observed.refusal
    if refusal is None:
        return done
    word = Word(False, refusal.reason, refusal.message)
    left = patience(observed.job.status.conditions, observed.job.generation, refusal, now)
    return replace(
        done,
        ready=word,
        working=Word(True, reasons.WAITING_FOR_RESOURCE, refusal.message) if left else None,
        stuck=None if left else replace(word, holds=True),
        again_in=left,
    )
