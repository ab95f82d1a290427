"""How a driver that was asked to end did so, and what a pause that lasts too long says."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from streamjob_api.status import Stop, StreamJobStatus
from streamjob_operator.jobs.course import Observed
from streamjob_operator.jobs.decide import decide
from streamjob_operator.observed import Container, Pod
from streamjob_operator.telling.status import summarise
from unit.operator.builders import NOW, job, observed, pod, running_status, terminated

WORDS = '{"reason": "Stopped", "message": "%s", "attempt": 1, "batchId": 7, "graceful": %s}'
STARTED = {"startedAt": "2026-01-31T11:59:30Z"}


def turn(seen: Observed, *pods: Pod, now: datetime = NOW, parted: Pod | None = None) -> Observed:
    """What the next turn finds after this one's status was written."""
    status = summarise(seen, decide(seen, now), now, 300)
    return replace(seen, job=replace(seen.job, status=status), pods=pods, parted=parted)


def stop_of(seen: Observed) -> Stop | None:
    return decide(seen, NOW).memory.stop


def asked(state: str = "Paused") -> Observed:
    """A running job that was asked to end and has written so."""
    of = job(status=running_status(job()), state=state)
    return turn(observed(of, pod(of)), pod(of, terminating=True))


def gone_with(code: int, message: str = "", reason: str = "Error") -> Pod:
    state = terminated(code, message, reason)
    state["terminated"] |= STARTED
    return pod(job(), terminating=True, phase="Succeeded" if code == 0 else "Failed", ready=False, container=state)


def test_the_wish_is_written_before_the_pod_is_deleted() -> None:
    of = job(status=running_status(job()), state="Paused")
    course = decide(observed(of, pod(of)), NOW)
    assert course.stop
    assert course.memory.stop == Stop(pod_name="extremes-1-driver")


def never_deleted(**spec: Any) -> Observed:
    """A running job that was stopped and runs again; the operator died before it deleted the driver."""
    of = job(status=running_status(job()), state="Stopped")
    stopped = turn(observed(of, pod(of)), pod(of))
    return observed(replace(job(**spec), status=stopped.job.status), pod(of))


@pytest.mark.parametrize("granted", [0, 1])
def test_a_stop_that_was_not_carried_out_is_carried_out_though_the_job_is_to_run_again(granted: float) -> None:
    seen = replace(never_deleted(), granted=granted)
    course = decide(seen, NOW)
    assert (course.stop, course.start, course.ready.reason) == (seen.pods, None, "Stopping")
    assert "the job was stopped in between" in course.ready.message
    gone = turn(seen)
    assert gone.job.status.restarts.total == 0
    started = decide(replace(gone, granted=1), NOW)
    assert started.start
    assert (started.start.epoch, started.start.attempt) == (1, 2)
    fresh = replace(pod(seen.job, 2), epoch=1)
    assert decide(turn(replace(gone, granted=1), fresh), NOW).stop == ()


def test_a_stop_that_was_not_carried_out_is_carried_out_though_the_spec_is_invalid() -> None:
    seen = never_deleted(rateLimit=-1)
    course = decide(seen, NOW)
    assert (course.stop, course.start, course.ready.reason) == (seen.pods, None, "InvalidSpec")


def test_a_driver_is_kept_when_the_status_that_told_its_epoch_was_lost() -> None:
    of = job()
    driver = replace(pod(of, 3), epoch=2)
    course = decide(observed(of, driver), NOW)
    assert (course.stop, course.memory.deployed and course.memory.deployed.epoch) == ((), 2)


def test_nothing_is_said_of_the_end_while_it_lasts() -> None:
    assert stop_of(asked()) == Stop(pod_name="extremes-1-driver")


@pytest.mark.parametrize("state", ["Paused", "Stopped", "Draft", "Released"])
@pytest.mark.parametrize("vanished", [False, True], ids=["ended", "vanished"])
def test_last_words_decide_whether_it_was_graceful(state: str, vanished: bool) -> None:
    for graceful in (True, False):
        last = gone_with(0, WORDS % ("told", str(graceful).lower()))
        seen = replace(asked(state), pods=() if vanished else (last,), parted=last if vanished else None)
        stop = stop_of(seen)
        assert stop is not None
        assert (stop.graceful, stop.message, stop.at) == (graceful, "told", last.container.finished_at)


def test_a_driver_killed_at_its_deadline_was_not_graceful_and_ready_says_so() -> None:
    course = decide(replace(asked(), pods=(gone_with(137),)), NOW)
    assert course.memory.stop is not None
    assert course.memory.stop.graceful is False
    assert (
        "killed after lifecycle.stopDeadline; the micro-batch that was under way is read again" in course.ready.message
    )
    assert (course.ready.holds, course.ready.reason) == (True, "Paused")


def test_a_driver_that_had_not_begun_lost_nothing() -> None:
    waiting = pod(job(), phase="Pending", ready=False, container={"waiting": {"reason": "ContainerCreating"}})
    stop = stop_of(replace(asked(), pods=(), parted=waiting))
    assert stop is not None
    assert (stop.graceful, stop.message) == (True, "pod extremes-1-driver had not begun to work")


@pytest.mark.parametrize("parted", [None, pod(job(), terminating=True)], ids=["unknown", "ran-when-seen-last"])
def test_words_that_nobody_saw_are_not_made_up(parted: Pod | None) -> None:
    course = decide(replace(asked(), pods=(), parted=parted), NOW)
    assert course.concludes_gone
    assert course.memory.stop is not None
    assert (course.memory.stop.graceful, course.memory.stop.at) == (False, NOW)
    assert "its last words were not seen" in course.memory.stop.message


def test_an_upgrade_tells_how_the_former_driver_ended() -> None:
    of = job(status=running_status(job()), rateLimit=10)
    former = pod(of, spec_hash="former")
    seen = turn(observed(of, former), gone_with(0, WORDS % ("", "true")))
    assert seen.job.status.stop == Stop(pod_name="extremes-1-driver")
    course = decide(seen, NOW)
    assert course.start
    assert course.memory.stop is not None
    assert (course.memory.stop.graceful, course.memory.stop.message) == (
        True,
        "pod extremes-1-driver finished micro-batch 7",
    )


def test_a_failed_driver_is_no_stop() -> None:
    of = job(status=running_status(job()))
    failed = pod(of, phase="Failed", ready=False, container=terminated(70))
    seen = turn(observed(of, failed), failed)
    assert seen.job.status.stop is None
    later = decide(seen, NOW + timedelta(hours=2))
    assert later.stop == (failed,)
    assert later.memory.stop is None


def test_an_end_that_was_told_stays_told_when_the_pod_is_gone() -> None:
    told = turn(replace(asked(), pods=(gone_with(0, WORDS % ("", "true")),)))
    stop = stop_of(told)
    assert stop == told.job.status.stop
    assert stop is not None
    assert stop.graceful


def paused(for_hours: float = 0, **spec: Any) -> Observed:
    of = job(state="Paused", **spec)
    since = NOW - timedelta(hours=for_hours)
    return turn(observed(of), now=since)


def conditions(seen: Observed, now: datetime = NOW) -> dict[str, tuple[str, str]]:
    return {found.type: (found.status, found.reason) for found in status_of(seen, now).conditions}


def status_of(seen: Observed, now: datetime = NOW) -> StreamJobStatus:
    return summarise(seen, decide(seen, now), now, 300)


def test_a_pause_within_its_limit_is_looked_at_again_when_it_ends() -> None:
    seen = paused(for_hours=23.5)
    assert conditions(seen)["Ready"] == ("True", "Paused")
    assert decide(seen, NOW).again_in == 1800


def test_a_pause_beyond_its_limit_asks_for_a_decision_and_stays_ready() -> None:
    seen = paused(for_hours=24)
    found = conditions(seen)
    assert (found["Ready"], found["PauseExpired"]) == (("True", "PauseExpired"), ("True", "PauseExpired"))
    assert not {"Stalled", "Reconciling"} & found.keys()
    assert decide(seen, NOW).again_in is None
    assert status_of(seen).phase == "PauseExpired"
    assert decide(seen, NOW).memory.deployed == seen.job.status.deployed


def test_a_higher_limit_takes_the_question_back() -> None:
    seen = paused(for_hours=30)
    expired = replace(seen, job=replace(seen.job, status=status_of(seen)))
    raised = job(state="Paused", lifecycle={"pauseLimit": "2d"})
    assert "PauseExpired" not in conditions(replace(expired, job=replace(raised, status=expired.job.status)))


def test_a_limit_of_years_needs_no_timer_of_years() -> None:
    again_in = decide(paused(lifecycle={"pauseLimit": "3650d"}), NOW).again_in
    assert again_in == 86_400


@pytest.mark.parametrize("state", ["Running", "Stopped", "Draft", "Released"])
def test_a_pause_ends_with_another_state_and_the_next_one_begins_anew(state: str) -> None:
    seen = paused(for_hours=20)
    resumed = turn(replace(seen, job=replace(job(state=state), status=seen.job.status)))
    assert resumed.job.status.paused_at is None
    again = turn(replace(seen, job=replace(job(state="Paused"), status=resumed.job.status)))
    assert again.job.status.paused_at == NOW


def test_an_invalid_edit_keeps_since_when_the_job_is_paused() -> None:
    seen = paused(for_hours=20)
    broken = job(state="Paused", rateLimit=-1)
    assert decide(observed(replace(broken, status=seen.job.status)), NOW).memory.paused_at == NOW - timedelta(hours=20)


def test_a_driver_seen_to_end_by_itself_while_asked_tells_its_own_words() -> None:
    state = terminated(70, WORDS % ("broken", "false"))
    state["terminated"] |= STARTED
    last = pod(job(), terminating=True, phase="Failed", ready=False, container=state)
    assert last.container == Container(
        state="terminated",
        reason="Error",
        message=WORDS % ("broken", "false"),
        exit_code=70,
        started_at=last.container.started_at,
        finished_at=last.container.finished_at,
        started=False,
    )
    stop = stop_of(replace(asked(), pods=(last,)))
    assert stop is not None
    assert (stop.graceful, stop.message) == (False, "broken")
