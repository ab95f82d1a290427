"""What an edit of a job changes and what that does to its driver, told before it is done. Pure."""

from dataclasses import replace

from streamjob_api.diffs import RESTARTING
from streamjob_api.spec_changes import changes, shown
from streamjob_api.status import StreamJobStatus
from streamjob_operator import reasons
from streamjob_operator.jobs import memory, stand_in
from streamjob_operator.jobs.course import Course, Observed
from streamjob_operator.validation import Runnable

_KEPT = "the driver restarts with its checkpoint"
_DROPPED = "state and offsets are dropped (upgradeMode: Stateless), the driver starts anew"


def explained(observed: Observed, remembered: StreamJobStatus, chosen: Course, runnable: Runnable) -> Course:
    """The same course; one that replaces a driver for another spec says what is different."""
    deployed = remembered.deployed
    if deployed is None or not deployed.spec_hash or deployed.spec_hash == runnable.spec_hash:
        return chosen
    chosen = replace(chosen, wants=chosen.wants or stand_in.deployed(observed, remembered))
    if chosen.ready.reason != reasons.UPGRADING:
        return chosen
    effect = _DROPPED if memory.breaks_state(remembered, runnable) else _KEPT
    message = f"{_what(observed, remembered, runnable)}: {effect}; {chosen.ready.message}"
    working = replace(chosen.working, message=message) if chosen.working else None
    return replace(chosen, ready=replace(chosen.ready, message=message), working=working)


def _what(observed: Observed, remembered: StreamJobStatus, runnable: Runnable) -> str:
    wanted = stand_in.deployed(observed, remembered)
    former = stand_in.found(observed, wanted)
    if former is not None and former.spec is not None:
        found = [change for change in changes(former.spec, runnable.spec) if change.diff in RESTARTING]
        if found:
            return shown(found)
    elif wanted is not None:
        return "the spec has changed"
    image = remembered.deployed.image if remembered.deployed else ""
    if image and image != runnable.image:
        return f"the runtime image of the catalogue: {image} -> {runnable.image}"
    return "what the StreamResource gives its drivers has changed"
