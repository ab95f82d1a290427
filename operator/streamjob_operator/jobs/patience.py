"""How long what is missing is waited for, before an object is stalled. Pure: the conditions remember since when."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from streamjob_api.status import Condition
from streamjob_operator import reasons
from streamjob_operator.validation import Refusal

# How long what is missing may take to be applied.
PATIENCE = timedelta(minutes=5)


def patience(conditions: Sequence[Condition], generation: int, refusal: Refusal, now: datetime) -> float | None:
    """Seconds for which what is missing is still waited for; None when the object is stalled."""
    if not refusal.may_come:
        return None
    present = {condition.type: condition for condition in conditions}
    stalled, waiting = present.get("Stalled"), present.get("Reconciling")
    if stalled and _speaks_of(stalled, refusal.reason, generation):
        return None
    if waiting is None or not _speaks_of(waiting, reasons.WAITING_FOR_RESOURCE, generation):
        return PATIENCE.total_seconds()
    left = (waiting.last_transition_time + PATIENCE - now).total_seconds()
    return left if left > 0 else None


def _speaks_of(condition: Condition, reason: str, generation: int) -> bool:
    return condition.reason == reason and condition.observed_generation == generation
