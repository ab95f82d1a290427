"""When an OU's ledger is gone over, and for how long capacity that was taken back has been on its way out. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from streamjob_api.resources import RunningMode
from streamjob_api.status import StreamJobStatus
from streamjob_operator import reasons
from streamjob_operator.ledger import Holder
from streamjob_operator.telling.connections import of_reason

Leaver = tuple[RunningMode, Holder]

# Longer than it takes from a look at the grant to the driver's pod, even on a busy machine.
LEAVING = timedelta(seconds=1)
# Numbers alone: how many drivers of those that were admitted have come.
_NUMBERS = timedelta(seconds=1)
# A pass over thousands of jobs takes its time; after it the jobs have their turn for this many times as long.
_REST = 9
_LONGEST_REST = timedelta(seconds=1)


@dataclass
class OuPace:
    """The times of one OU's passes."""

    _rests_until: datetime | None = None
    _written_at: datetime | None = None
    _leaving_since: dict[Leaver, datetime] = field(default_factory=dict)

    def rest_seconds(self, now: datetime) -> float:
        """How long the OU rests before its next pass."""
        return max((self._rests_until - now).total_seconds(), 0) if self._rests_until else 0

    def passed(self, began: datetime, ended: datetime) -> None:
        """A pass took this long."""
        self._rests_until = ended + min(_REST * (ended - began), _LONGEST_REST)

    def wrote(self, now: datetime) -> None:
        """The status was written."""
        self._written_at = now

    def numbers_in(self, now: datetime) -> float:
        """Seconds until numbers alone are written again."""
        return max((self._written_at + _NUMBERS - now).total_seconds(), 0) if self._written_at else 0

    def note(self, leavers: Collection[Leaver], now: datetime) -> None:
        """What is leaving at this moment."""
        self._leaving_since = {leaver: self._leaving_since.get(leaver, now) for leaver in leavers}

    def ripe(self, now: datetime) -> set[Leaver]:
        """What has been leaving for long enough; a live look at its holder decides."""
        return {leaver for leaver, since in self._leaving_since.items() if now - since >= LEAVING}

    def ripe_in(self, now: datetime) -> float | None:
        """Seconds until the next of them is ripe."""
        since = min(self._leaving_since.values(), default=None)
        return None if since is None else max((since + LEAVING - now).total_seconds(), 0)


def pass_in(before: StreamJobStatus, after: StreamJobStatus) -> float | None:
    """Seconds until an OU wants a pass because a job's status changed; None: it has no interest in that.

    Somebody may wait for what the job held, or gives up; what is only counted follows when more of it has come.
    """
    if after.admitted_cu < before.admitted_cu or after.restarts != before.restarts:
        return 0.0
    return None if _interest(before) == _interest(after) else _NUMBERS.total_seconds()


def _interest(status: StreamJobStatus) -> tuple[float, str, bool]:
    """What a job holds, which connection of its OU the driver misses, if any, and whether it works."""
    reason = next((found.reason for found in status.conditions if found.type == "Ready"), "")
    return (status.admitted_cu, of_reason(reason) or "", reason == reasons.RUNNING)
