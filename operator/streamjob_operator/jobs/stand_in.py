"""A spec that was deployed before, in place of one that cannot take over from it. Pure."""

from dataclasses import replace
from datetime import datetime

from streamjob_api.status import StreamJobStatus
from streamjob_operator import reasons
from streamjob_operator.jobs import course as phases
from streamjob_operator.jobs import memory
from streamjob_operator.jobs.course import Course, Former, Observed, Wanted, Word
from streamjob_operator.jobs.driver_course import with_driver, without_driver
from streamjob_operator.observed import Pod
from streamjob_operator.validation import Runnable


def deployed(observed: Observed, remembered: StreamJobStatus) -> Wanted | None:
    """The spec that runs, or ran last, and whose state the job has; None where that is the present one."""
    known = remembered.deployed
    if known is None or not memory.has_state(remembered) or known.generation == observed.job.generation:
        return None
    return Wanted(known.revision, remembered.attempt)


def found(observed: Observed, wanted: Wanted | None) -> Former | None:
    """A former spec, once it was looked for."""
    former = observed.former
    return former if wanted is not None and former is not None and former.wanted == wanted else None


def instead(observed: Observed, wanted: Wanted | None, generation: int) -> Runnable | None:
    """A former spec, if it can be run; of this generation, as the status knows it."""
    former = found(observed, wanted)
    if former is None or not isinstance(former.verdict, Runnable):
        return None
    return replace(former.verdict, generation=generation or former.verdict.generation)


def instead_of_refused(observed: Observed, remembered: StreamJobStatus) -> Runnable | None:
    """The deployed spec, if it can be run in its OU as it is now and go on with the job's state."""
    known = remembered.deployed
    former = instead(observed, deployed(observed, remembered), known.generation if known else 0)
    return None if former is None or memory.breaks_state(remembered, former) else former


def never_ran(observed: Observed, remembered: StreamJobStatus) -> bool:
    """Whether the only driver that was ever intended was not made: there is no job file, nor any other trace of it."""
    former = found(observed, deployed(observed, remembered))
    traces = (remembered.last_stable, remembered.stop, remembered.restarts.total, observed.pods)
    return former is not None and former.spec is None and remembered.attempt == 1 and not any(traces)


def with_known_state(observed: Observed, remembered: StreamJobStatus) -> StreamJobStatus:
    """What the state of a job rests on, taken from the spec that made it where an older operator did not write it."""
    known = remembered.deployed
    former = instead(observed, deployed(observed, remembered), 0)
    if known is None or known.state_hash or former is None:
        return remembered
    return remembered.model_copy(update={"deployed": known.model_copy(update={"state_hash": former.state_hash})})


def course(
    observed: Observed,
    remembered: StreamJobStatus,
    alive: tuple[Pod, ...],
    runnable: Runnable,
    word: Word,
    now: datetime,
) -> Course:
    """A former spec is run as if it were the present one, and it is said why: ``word`` is of the present one."""
    seen = replace(observed, verdict=runnable)
    if alive:
        chosen = with_driver(seen, remembered, alive, runnable, now)
    else:
        chosen = without_driver(seen, remembered, runnable, now)
    goes_on = "runs on" if chosen.ready.holds else f"is to run in its place: {chosen.ready.message}"
    message = f"{word.message}; the former spec (generation {runnable.generation}) {goes_on}"
    told = replace(word, message=message)
    return replace(
        chosen,
        phase=phases.DEGRADED if chosen.ready.holds else chosen.phase,
        ready=told,
        working=None,
        stuck=replace(told, holds=True),
        stand_in=runnable,
    )


def waiting(chosen: Course, left: float | None) -> Course:
    """What is missing to the present spec may still be applied: the job is not stalled yet."""
    if not left:
        return chosen
    working = Word(True, reasons.WAITING_FOR_RESOURCE, chosen.ready.message)
    phase = phases.QUEUED if chosen.driver is None and chosen.start is None else chosen.phase
    return replace(chosen, phase=phase, working=working, stuck=None).sooner(left)
