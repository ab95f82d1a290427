"""Conditions as Kubernetes defines them (metav1.Condition)."""

from collections.abc import Iterable
from datetime import datetime

from streamjob_api.status import Condition

# Several conditions may tell the same; together they stay far below the 16 KiB of a status.
MAX_MESSAGE = 2048


def condition(kind: str, holds: bool | None, reason: str, message: str, generation: int, now: datetime) -> Condition:
    """A condition that became what it is now; ``holds`` None means Unknown."""
    status = "Unknown" if holds is None else "True" if holds else "False"
    return Condition.model_validate(
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message[:MAX_MESSAGE],
            "observedGeneration": generation,
            "lastTransitionTime": now.replace(microsecond=0),
        }
    )


def settled(earlier: Iterable[Condition], wanted: Iterable[Condition]) -> list[Condition]:
    """The wanted conditions; the time of one whose status did not flip stays what it was."""
    times = {(old.type, old.status): old.last_transition_time for old in earlier}
    return [
        new.model_copy(update={"last_transition_time": times.get((new.type, new.status), new.last_transition_time)})
        for new in wanted
    ]
