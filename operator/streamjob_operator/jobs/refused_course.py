"""A job whose spec cannot be run: the former one goes on, and is started again where it was lost. Pure."""

from dataclasses import replace
from datetime import datetime

from streamjob_api.diffs import Diff
from streamjob_api.spec_changes import changes, shown
from streamjob_api.status import StreamJobStatus
from streamjob_operator import reasons
from streamjob_operator.jobs import course as phases
from streamjob_operator.jobs import stand_in
from streamjob_operator.jobs.course import Course, Observed, Word
from streamjob_operator.jobs.driver_course import held, of_dropped_state, to_delete
from streamjob_operator.jobs.patience import patience
from streamjob_operator.observed import Pod
from streamjob_operator.validation import Refusal, Runnable

_WAYS_OUT = (
    "take the change back, or write spec.upgradeMode: Stateless to drop state and offsets with it, or stop the job "
    "first (spec.state: Stopped)"
)


def refused(
    observed: Observed, remembered: StreamJobStatus, alive: tuple[Pod, ...], refusal: Refusal, now: datetime
) -> Course:
    """The spec has faults, or its OU has not what it needs. The last valid spec runs, if it can."""
    word = Word(False, refusal.reason, refusal.message)
    left = patience(observed.job.status.conditions, observed.job.generation, refusal, now)
    wanted = stand_in.deployed(observed, remembered)
    former = stand_in.instead_of_refused(observed, remembered)
    if former is not None:
        chosen = stand_in.course(observed, remembered, alive, former, word, now)
    else:
        seen = stand_in.found(observed, wanted)
        verdicts = (refusal, seen.verdict if seen else None)
        chosen = nothing_new(remembered, alive, word, verdicts)
    return replace(stand_in.waiting(chosen, left), wants=wanted)


def state_breaking(
    observed: Observed, remembered: StreamJobStatus, alive: tuple[Pod, ...], runnable: Runnable, now: datetime
) -> Course:
    """The edit is not carried out: the deployed spec runs with its state."""
    word = breaking(observed, remembered, runnable)
    former = stand_in.instead_of_refused(observed, remembered)
    if former is not None:
        chosen = stand_in.course(observed, remembered, alive, former, word, now)
    else:
        chosen = nothing_new(remembered, alive, word, ())
    return replace(chosen, wants=stand_in.deployed(observed, remembered))


def breaking(observed: Observed, remembered: StreamJobStatus, runnable: Runnable) -> Word:
    """Which fields break the state, and the ways out."""
    wanted = stand_in.deployed(observed, remembered)
    former = stand_in.found(observed, wanted)
    if wanted is None:
        what = "orgId, topics or time zone of the StreamResource have changed"
    elif former is None or former.spec is None:
        what = "fields of the class StateBreaking have changed"
    else:
        found = [change for change in changes(former.spec, runnable.spec) if change.diff is Diff.STATE_BREAKING]
        what = shown(found) or "orgId, topics or time zone of the StreamResource have changed"
    message = f"{what}: the state that the job has does not fit this; {_WAYS_OUT}"
    return Word(False, reasons.STATE_BREAKING_CHANGE, message)


def nothing_new(
    remembered: StreamJobStatus, alive: tuple[Pod, ...], word: Word, verdicts: tuple[object, ...]
) -> Course:
    """Nothing starts. A driver that runs goes on with what it was given, unless the job was stopped in between."""
    stuck = replace(word, holds=True)
    if not alive:
        return Course(
            memory=remembered.model_copy(update={"admitted_cu": 0, "driver": None}),
            phase=phases.FAILED,
            ready=word,
            reserved=Word(False, word.reason, "holds no CU"),
            stuck=stuck,
            concludes_gone=remembered.admitted_cu > 0,
        )
    ends = of_dropped_state(alive[-1], remembered) or any(_gives_way(verdict, alive[-1]) for verdict in verdicts)
    return Course(
        memory=remembered.model_copy(update={"driver": None}) if ends else remembered,
        phase=phases.DEGRADED,
        ready=word,
        reserved=held(remembered),
        stuck=stuck,
        stop=to_delete(alive) if ends else (),
        driver=alive[-1],
    )


def _gives_way(verdict: object, driver: Pod) -> bool:
    """Whether an older job was edited to write what this driver writes, or to feed it: that one keeps its outputs."""
    runnable = verdict.runnable if isinstance(verdict, Refusal) else None
    return runnable is not None and driver.spec_hash == runnable.spec_hash
