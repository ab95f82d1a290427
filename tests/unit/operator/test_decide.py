"""What is done about a job: each test is one situation, seen once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from streamjob_api.points import PointRef
from streamjob_api.progress import DriverState, Progress
from streamjob_operator.jobs.course import Course, Observed
from streamjob_operator.jobs.decide import KEEP_FAILED, decide
from streamjob_operator.jobs.patience import PATIENCE
from streamjob_operator.ledger import Waiting
from streamjob_operator.telling.status import summarise
from streamjob_operator.validation import Fault, Refusal
from unit.operator.builders import NOW, job, observed, pod, runnable, running_status, terminated


def acted(seen: Observed) -> Course:
    """The course after its own intent was written: what a crash between the two would find."""
    course = decide(seen, NOW)
    return decide(replace(seen, job=replace(seen.job, status=course.memory)), NOW)


def test_an_admitted_job_starts_its_first_attempt_with_an_intent() -> None:
    course = decide(observed(job()), NOW)
    assert course.start
    assert (course.start.attempt, course.start.epoch) == (1, 0)
    assert course.memory.driver
    assert (course.memory.driver.pod_name, course.memory.driver.uid) == ("extremes-1-driver", "")
    assert course.memory.admitted_cu == 1
    assert course.concludes_gone


def test_an_intent_that_was_not_carried_out_is_taken_up_under_its_own_number() -> None:
    again = acted(observed(job()))
    assert again.start
    assert again.start.attempt == 1


def test_a_job_that_was_not_admitted_starts_nothing_and_tells_the_numbers() -> None:
    course = decide(observed(job(), granted=0, waiting=Waiting(1, 1, 2, 4, 4)), NOW)
    assert course.start is None
    assert course.ready.reason == "Queued"
    assert course.ready.message == "needs 1 CU of standalone; 4 of 4 in use, 0 free; 2nd in the queue"


def test_a_job_larger_than_its_ou_is_stalled() -> None:
    course = decide(
        observed(
            job(resources={"cu": 4}), granted=0, verdict=runnable(job(resources={"cu": 4}), capacity={"standalone": 2})
        ),
        NOW,
    )
    assert course.stuck
    assert course.stuck.reason == "CapacityNeverSuffices"
    assert "needs 4 CU of standalone, but StreamResource energy has 2 in all" in course.stuck.message


def test_a_ready_driver_of_the_present_spec_is_kept() -> None:
    running = job(status=running_status(job()))
    course = decide(observed(running, pod(running)), NOW)
    assert (course.start, course.stop, course.ready.holds) == (None, (), True)


def test_a_driver_that_is_gone_is_concluded_only_from_a_live_look_and_restarts_later() -> None:
    running = job(status=running_status(job()))
    course = decide(observed(running), NOW)
    assert course.concludes_gone
    assert course.start is None
    assert course.ready.reason == "DriverLost"
    assert course.memory.restarts.infrastructure == 1
    assert course.again_in
    assert 7 < course.again_in <= 10
    later = replace(running, status=course.memory)
    started = decide(observed(later), NOW + timedelta(seconds=10))
    assert started.start
    assert started.start.attempt == 2


def test_an_end_is_counted_once() -> None:
    running = job(status=running_status(job()))
    failed = pod(running, phase="Failed", ready=False, container=terminated(70))
    once = acted(observed(running, failed))
    assert (once.memory.restarts.total, once.memory.restarts.consecutive) == (1, 1)


def test_no_driver_starts_while_another_one_lives() -> None:
    running = job(status=running_status(job()))
    course = decide(observed(running, pod(running, terminating=True)), NOW)
    assert course.start is None
    assert course.stop == ()


def test_of_two_living_drivers_the_lower_attempt_ends() -> None:
    running = job(status=running_status(job(), attempt=2))
    course = decide(observed(running, pod(running, 1), pod(running, 2)), NOW)
    assert course.start is None
    assert [stopped.attempt for stopped in course.stop] == [1]


def test_a_driver_of_a_deleted_job_of_the_same_name_is_waited_for() -> None:
    course = decide(observed(job(), pod(job(), job_uid="former")), NOW)
    assert course.start is None
    assert course.ready.reason == "PredecessorStopping"


def test_a_changed_spec_stops_the_driver_and_forgets_it_first() -> None:
    running = job(status=running_status(job()), rateLimit=10)
    old = pod(running, spec_hash="former")
    course = decide(observed(running, old), NOW)
    assert course.stop == (old,)
    assert course.memory.driver is None
    assert course.ready.reason == "Upgrading"
    gone = decide(observed(replace(running, status=course.memory)), NOW)
    assert gone.start
    assert (gone.start.attempt, gone.memory.restarts.total) == (2, 0)


CHAINED = (PointRef("M", "A"),)


def test_an_input_that_another_job_comes_to_calculate_restarts_the_driver_with_its_checkpoint() -> None:
    running = job(status=running_status(job()))
    chained = replace(runnable(running), calculated=CHAINED)
    course = decide(observed(running, pod(running), verdict=chained), NOW)
    assert [stopped.attempt for stopped in course.stop] == [1]
    assert (course.phase, course.ready.reason) == ("Upgrading", "InputsChanged")
    assert course.ready.message.startswith("jobs of the OU calculate M::A now")
    stopping = observed(replace(running, status=course.memory), pod(running, terminating=True), verdict=chained)
    assert decide(stopping, NOW).ready == course.ready
    gone = decide(observed(replace(running, status=course.memory), verdict=chained), NOW)
    assert gone.start
    assert (gone.start.attempt, gone.start.epoch, gone.memory.restarts.total) == (2, 0, 0)
    assert gone.start.runnable.calculated == CHAINED


def test_an_input_that_nobody_calculates_any_more_restarts_the_driver_too() -> None:
    running = job(status=running_status(job()))
    of_chain = pod(running, calculated=("M::A", "M::B"))
    course = decide(observed(running, of_chain, verdict=replace(runnable(running), calculated=CHAINED)), NOW)
    assert (course.stop, course.ready.reason) == ((of_chain,), "InputsChanged")
    assert course.ready.message.startswith("no job of the OU calculates M::B any more")
    both = pod(running, calculated=("M::C",))
    said = decide(observed(running, both, verdict=replace(runnable(running), calculated=CHAINED)), NOW).ready.message
    assert said.startswith("jobs of the OU calculate M::A now, which")
    assert "; no job of the OU calculates M::C any more, which is read from the devices' topic; waiting" in said


def test_an_intent_is_not_taken_up_with_other_inputs_under_its_own_number() -> None:
    # The ConfigMap of the first attempt may be there already, and nobody can change it.
    first = observed(job())
    intended = replace(first, job=replace(first.job, status=decide(first, NOW).memory))
    assert attempt(decide(intended, NOW)) == 1
    chained = replace(intended, verdict=replace(runnable(job()), calculated=CHAINED))
    course = decide(chained, NOW)
    assert attempt(course) == 2
    assert attempt(decide(replace(chained, job=replace(first.job, status=course.memory)), NOW)) == 2


def attempt(course: Course) -> int:
    assert course.start
    return course.start.attempt


def test_a_job_that_grows_keeps_its_driver_until_the_ledger_admits_it() -> None:
    grown = job(status=running_status(job()), resources={"cu": 2})
    old = pod(grown, spec_hash="former")
    waits = decide(observed(grown, old, granted=1, waiting=Waiting(2, 1, 1, 4, 4)), NOW)
    assert waits.stop == ()
    assert "the driver of the former spec goes on" in waits.ready.message
    assert decide(observed(grown, old, granted=2), NOW).stop == (old,)


def test_an_invalid_spec_keeps_the_driver_and_is_stalled() -> None:
    running = job(status=running_status(job()), rateLimit=0)
    course = decide(observed(running, pod(running, spec_hash="former")), NOW)
    assert course.stop == ()
    assert course.stuck
    assert course.stuck.reason == "InvalidSpec"
    assert "spec.rateLimit" in course.stuck.message


def test_what_is_missing_is_waited_for_and_then_stalled() -> None:
    missing = Refusal((Fault("ResourceMissing", "no StreamResource", may_come=True),))
    first = observed(job(), verdict=missing)
    course = decide(first, NOW)
    assert course.working
    assert (course.working.reason, course.stuck) == ("WaitingForResource", None)
    status = summarise(first, course, NOW, 300)
    then = NOW + PATIENCE
    late = observed(replace(job(), status=status), verdict=missing)
    course = decide(late, then)
    assert course.stuck
    assert (course.stuck.reason, course.working) == ("ResourceMissing", None)
    stalled = summarise(late, course, then, 300)
    assert decide(observed(replace(job(), status=stalled), verdict=missing), then).stuck


@pytest.mark.parametrize(("state", "reason", "epoch"), [("Paused", "Paused", 0), ("Stopped", "Stopped", 1)])
def test_paused_keeps_and_stopped_drops_the_checkpoint(state: str, reason: str, epoch: int) -> None:
    asked = job(status=running_status(job()), state=state)
    stopping = decide(observed(asked, pod(asked)), NOW)
    assert len(stopping.stop) == 1
    assert not stopping.ready.holds
    assert stopping.memory.driver is None
    asked = replace(asked, status=stopping.memory)
    done = decide(observed(asked), NOW)
    assert (done.ready.holds, done.ready.reason, done.memory.admitted_cu) == (True, reason, 0)
    assert done.memory.deployed
    assert done.memory.deployed.epoch == epoch
    assert decide(observed(replace(asked, status=done.memory)), NOW).memory == done.memory
    resumed = decide(observed(job(status=done.memory.model_dump(mode="json", by_alias=True))), NOW)
    assert resumed.start
    assert (resumed.start.attempt, resumed.start.epoch) == (2, epoch)


@pytest.mark.parametrize("code", [65, 66])
def test_a_permanent_failure_is_not_retried_until_the_spec_changes(code: int) -> None:
    running = job(status=running_status(job()))
    failed = pod(
        running, phase="Failed", ready=False, container=terminated(code, '{"reason":"x","message":"why","attempt":1}')
    )
    course = acted(observed(running, failed))
    assert course.stuck
    assert course.start is None
    assert course.memory.admitted_cu == 0
    assert "why" in course.stuck.message
    edited = replace(job(restartNonce=1), status=course.memory)
    again = decide(observed(edited, failed), NOW)
    assert again.start
    assert again.start.attempt == 2


def test_restarts_are_exhausted_after_max_failures() -> None:
    restarts = {"total": 3, "consecutive": 2, "lastAttempt": 2}
    last = job(status=running_status(job(), attempt=3, restarts=restarts), restart={"maxFailures": 2})
    failed = pod(last, 3, phase="Failed", ready=False, container=terminated(70, "boom"))
    course = decide(observed(last, failed), NOW)
    assert course.stuck
    assert course.stuck.reason == "RestartsExhausted"
    assert course.stuck.message.startswith("3 failures in a row, the last one InternalError: boom")


def test_infrastructure_is_never_exhausted() -> None:
    restarts = {"infrastructure": 500, "lastAttempt": 2}
    lost = job(status=running_status(job(), attempt=3, restarts=restarts), restart={"maxFailures": 0})
    course = decide(observed(lost), NOW)
    assert course.stuck is None
    assert course.again_in
    assert course.again_in <= 300


def test_failures_are_forgotten_after_a_long_healthy_run() -> None:
    restarts = {"total": 4, "consecutive": 3, "infrastructure": 1, "lastAttempt": 3}
    healthy = job(status=running_status(job(), attempt=4, restarts=restarts))
    early = decide(observed(healthy, pod(healthy, 4)), NOW)
    assert early.memory.restarts.consecutive == 3
    assert early.again_in == pytest.approx(3580)
    late = decide(observed(healthy, pod(healthy, 4)), NOW + timedelta(hours=1))
    assert (late.memory.restarts.consecutive, late.memory.restarts.total) == (0, 4)


def test_a_driver_that_waits_for_kafka_says_so_and_is_not_replaced() -> None:
    running = job(status=running_status(job()))
    said = Progress(
        state=DriverState.WAITING,
        reason="KafkaUnreachable",
        message="kafka:9092 does not answer",
        attempt=1,
        started_at=NOW,
        observed_at=NOW,
    )
    old = pod(running, ready=False, created=NOW - timedelta(hours=1))
    course = decide(observed(running, old, progress=said), NOW)
    assert (course.phase, course.ready.reason, course.ready.holds) == ("Degraded", "KafkaUnreachable", False)
    assert course.stop == ()


def test_a_silent_driver_is_replaced_after_the_start_deadline() -> None:
    running = job(status=running_status(job()))
    silent = pod(running, ready=False, created=NOW - timedelta(minutes=6))
    course = decide(observed(running, silent), NOW)
    assert course.stop == (silent,)
    assert (course.memory.restarts.last_reason, course.memory.restarts.infrastructure) == ("StartTimeout", 1)
    again = decide(observed(replace(running, status=course.memory), silent), NOW + timedelta(seconds=5))
    assert (again.stop, again.memory.restarts) == ((silent,), course.memory.restarts)
    assert "was not ready within 5m (lifecycle.startDeadline); waiting for pod" in again.ready.message


def test_a_status_that_was_lost_is_rebuilt_from_the_pod() -> None:
    forgotten = job()
    course = decide(observed(forgotten, pod(forgotten, 7)), NOW)
    assert (course.start, course.stop) == (None, ())
    assert (course.memory.attempt, course.memory.admitted_cu) == (7, 1)
    assert course.memory.driver
    assert course.memory.driver.uid == "pod-7"


def test_the_last_failed_pod_is_kept_for_its_log_and_older_ones_are_not() -> None:
    running = job(status=running_status(job(), attempt=3))
    failed = [pod(running, attempt, phase="Failed", ready=False, container=terminated(70)) for attempt in (1, 2)]
    course = decide(observed(running, *failed, pod(running, 3)), NOW)
    assert course.stop == (failed[0],)
    later = decide(observed(running, *failed, pod(running, 3)), NOW + KEEP_FAILED)
    assert {stopped.attempt for stopped in later.stop} == {1, 2}


def test_an_older_jobs_edit_takes_the_output_from_the_driver_that_writes_it() -> None:
    running = job(status=running_status(job()))
    taken = Refusal((Fault("OutputTaken", "written by an older job"),), runnable=runnable(running))
    assert len(decide(observed(running, pod(running), verdict=taken), NOW).stop) == 1
    assert decide(observed(running, pod(running, spec_hash="former"), verdict=taken), NOW).stop == ()


@pytest.mark.parametrize(
    ("state", "message"),
    [("Draft", "checked; holds nothing"), ("Released", "checked, its outputs are reserved; not running")],
)
def test_a_draft_and_a_released_job_are_ready_and_hold_nothing(state: str, message: str) -> None:
    course = decide(observed(job(state=state), granted=0), NOW)
    assert (course.phase, course.ready.holds, course.ready.reason, course.ready.message) == (
        state,
        True,
        state,
        message,
    )
    assert (course.start, course.stuck, course.working, course.memory.admitted_cu) == (None, None, None, 0)


@pytest.mark.parametrize("state", ["Draft", "Released"])
def test_running_to_draft_or_released_acts_as_stopped_and_says_so(state: str) -> None:
    asked = job(status=running_status(job()), state=state)
    ending = decide(observed(asked, pod(asked)), NOW)
    assert (ending.phase, ending.ready.reason, len(ending.stop)) == ("Stopping", "Stopping", 1)
    assert "state and offsets are dropped" in ending.ready.message
    done = decide(observed(replace(asked, status=ending.memory)), NOW)
    assert (done.ready.holds, done.ready.reason) == (True, state)
    assert "state and offsets are dropped" in done.ready.message
    assert done.memory.deployed
    assert done.memory.deployed.epoch == 1
    again = decide(observed(job(status=done.memory.model_dump(mode="json", by_alias=True))), NOW)
    assert again.start
    assert again.start.epoch == 1


@pytest.mark.parametrize("state", ["Draft", "Released"])
def test_a_draft_that_could_not_run_says_why_and_waits_for_what_may_come(state: str) -> None:
    wrong = Refusal((Fault("UnknownName", "spec.x: no such point"),))
    seen = observed(job(state=state), verdict=wrong)
    course = decide(seen, NOW)
    assert (course.phase, course.ready.holds, course.stuck and course.stuck.reason) == (state, False, "UnknownName")
    status = summarise(seen, course, NOW, 300)
    spec_valid = next(condition for condition in status.conditions if condition.type == "SpecValid")
    assert (spec_valid.status, spec_valid.reason) == ("False", "UnknownName")
    missing = Refusal((Fault("ModelsMissing", "no ConfigMap", may_come=True),))
    waiting = decide(observed(job(state=state), verdict=missing), NOW)
    assert (waiting.stuck, waiting.working and waiting.working.reason) == (None, "WaitingForResource")
    assert waiting.again_in == PATIENCE.total_seconds()


def test_a_draft_ends_its_driver_even_when_it_is_refused() -> None:
    asked = job(status=running_status(job()), state="Draft")
    wrong = Refusal((Fault("UnknownName", "spec.x: no such point"),))
    assert len(decide(observed(asked, pod(asked), verdict=wrong), NOW).stop) == 1


def test_a_released_job_that_is_larger_than_its_ou_says_so() -> None:
    large = job(state="Released", resources={"cu": 4})
    course = decide(observed(large, verdict=runnable(large, capacity={"standalone": 2})), NOW)
    assert (course.ready.holds, course.ready.reason) == (False, "CapacityNeverSuffices")


@pytest.mark.parametrize(
    "reason", ["UnknownName", "TypeMismatch", "ModelsMissing", "ModelsInvalid", "TemplateNotInstalled"]
)
def test_a_driver_goes_on_whatever_becomes_wrong_around_it(reason: str) -> None:
    running = job(status=running_status(job()))
    for may_come in (True, False):
        course = decide(observed(running, pod(running), verdict=Refusal((Fault(reason, "why", may_come),))), NOW)
        assert (course.stop, course.phase, course.ready.reason) == ((), "Degraded", reason)
        assert course.memory.admitted_cu == 1


def test_fields_without_effect_are_a_warning_that_changes_nothing_else() -> None:
    running = job(status=running_status(job()), lifecycle={"rollbackOnFailure": True}, alarms={"lag": 5, "for": "2m"})
    seen = observed(running, pod(running))
    status = summarise(seen, decide(seen, NOW), NOW, 300)
    found = {condition.type: condition for condition in status.conditions}
    assert (found["Ready"].status, found["WarningNoEffect"].status) == ("True", "True")
    assert "spec.alarms" in found["WarningNoEffect"].message
    plain = observed(job())
    assert "WarningNoEffect" not in {each.type for each in summarise(plain, decide(plain, NOW), NOW, 300).conditions}
