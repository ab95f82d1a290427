"""Only what nobody waits for is written later, and none of it is forgotten."""

from datetime import UTC, datetime, timedelta

import pytest

from streamjob_api.faults import InvalidSpec
from streamjob_api.status import Condition, Driver, StreamJobStatus
from streamjob_operator.observed import Job, JobKey
from streamjob_operator.telling.quiet_changes import BUSY_SECONDS, QUIET_SECONDS, QuietChanges

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def status(driver: Driver | None, message: str = "", reason: str = "DriverStarting", **more: object) -> StreamJobStatus:
    ready = Condition(type="Ready", status="False", reason=reason, message=message, last_transition_time=NOW)
    return StreamJobStatus(conditions=[ready], driver=driver, attempt=1).model_copy(update=more)


def job(present: StreamJobStatus) -> Job:
    return Job(JobKey("ou", "job"), "uid", "1", 1, NOW, False, InvalidSpec([]), present)


INTENT, SEEN = Driver(pod_name="job-1-driver"), Driver(pod_name="job-1-driver", uid="pod")
PLACED = Driver(pod_name="job-1-driver", uid="pod", node="node")


def test_a_node_and_words_wait_for_what_comes_next_but_not_for_ever() -> None:
    quiet, change = QuietChanges(), status(PLACED, "another word")
    assert quiet.left(job(status(SEEN)), change, NOW, busy=False) == QUIET_SECONDS
    assert quiet.left(job(status(SEEN)), change, NOW + timedelta(seconds=1), busy=False) == QUIET_SECONDS - 1
    assert quiet.left(job(status(SEEN)), change, NOW + timedelta(seconds=2), busy=False) is None


def test_that_a_pod_is_there_waits_only_while_others_wait_for_theirs() -> None:
    assert QuietChanges().left(job(status(INTENT)), status(SEEN), NOW, busy=False) is None
    assert QuietChanges().left(job(status(INTENT)), status(SEEN), NOW, busy=True) == BUSY_SECONDS


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (status(None), status(INTENT)),
        (status(SEEN), status(None)),
        (status(SEEN), status(PLACED, reason="ImagePullFailed")),
        (status(SEEN), status(PLACED, phase="Running")),
        (status(SEEN), status(PLACED, attempt=2)),
        (status(SEEN), status(PLACED, admitted_cu=2.0)),
    ],
)
def test_everything_else_is_written_at_once(before: StreamJobStatus, after: StreamJobStatus) -> None:
    assert QuietChanges().left(job(before), after, NOW, busy=True) is None
