"""Which transitions of a job are worth an Event: one that fails again and again must not flood its namespace. Pure."""

from streamjob_api.status import Condition, Restarts, StreamJobStatus
from streamjob_operator import reasons

_ROUND = {reasons.STARTING, reasons.RUNNING, reasons.NOT_READY}


def is_told(before: StreamJobStatus, after: StreamJobStatus) -> bool:
    """Whether people are told of a status change.

    Of a job that fails in a row they hear of every change of the reason, but of the same rounds only after the first
    two failures, the fourth, the eighth, and so on; and once when it has been healthy for long.
    """
    was, now = ready(before), ready(after)
    if now is None:
        return False
    if failures(before.restarts) > _FEW and failures(after.restarts) == 0 and now.reason == reasons.RUNNING:
        return True
    if was is not None and was.reason == now.reason:
        return False
    in_a_row = failures(after.restarts)
    if in_a_row <= _FEW or in_a_row & (in_a_row - 1) == 0:
        return True
    is_same_failure = now.reason == after.restarts.last_reason == before.restarts.last_reason
    return not (now.reason in _ROUND or is_same_failure)


_FEW = 2


def failures(restarts: Restarts) -> int:
    """Ends of drivers since the job was last healthy for long."""
    return restarts.consecutive + restarts.infrastructure


def in_a_row(status: StreamJobStatus) -> str:
    """What is added to the note of a failure that is not the first one."""
    count = failures(status.restarts)
    return f" ({count} failures in a row)" if count > 1 else ""


def ready(status: StreamJobStatus) -> Condition | None:
    """The condition that transitions are of."""
    return next((condition for condition in status.conditions if condition.type == "Ready"), None)
