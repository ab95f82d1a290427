"""What is done about edits: refused, carried out, rolled back; each test is one situation, seen once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from streamjob_api.progress import DriverState, Progress
from streamjob_operator.extracts import job_of
from streamjob_operator.jobs.course import Course, Former, Observed, Wanted
from streamjob_operator.jobs.decide import decide
from streamjob_operator.jobs.rollback import STABLE_AFTER
from streamjob_operator.observed import Job, Pod
from streamjob_operator.validation import Fault, Lineage, Refusal, check
from unit.operator.builders import (
    NOW,
    facts,
    job,
    job_manifest,
    observed,
    pod,
    resource,
    runnable,
    running_status,
    terminated,
)

STABLE = {"stopDeadline": "20s", "rollbackOnFailure": True}


def size(length: str) -> dict[str, Any]:
    policy = {"input": "M::A", "aggregation": "max", "windowSize": length, "output": "M::extremes"}
    return {"timeWindowAggregation": {"policies": [policy]}}


def edited(before: Job, generation: int = 2, status: dict[str, Any] | None = None, **spec: Any) -> Job:
    """The job after an edit; ``before`` is what is deployed."""
    manifest = job_manifest(**spec)
    manifest["metadata"]["generation"] = generation
    known = runnable(before)
    deployed = {"stateHash": known.state_hash, "revision": "extremes-a", "image": known.image}
    base = running_status(before)
    base["deployed"] = {**base["deployed"], "generation": before.generation, **deployed}
    return job_of({**manifest, "status": {**base, **(status or {})}})


def seen(of: Job, *pods: Pod, before: Job | None = None, wanted: Wanted | None = None, **more: Any) -> Observed:
    """With the spec of ``before`` as the former one that the course wants."""
    told = observed(of, *pods, **more)
    if before is None:
        return told
    verdict = check(before, facts(), Lineage())
    spec = None if isinstance(verdict, Refusal) else verdict.spec
    return replace(told, former=Former(wanted or Wanted("extremes-a", 1), spec, verdict))


def after(course: Course, of: Job, *pods: Pod, now: datetime = NOW, **more: Any) -> Course:
    """The course after the memory of another one was written."""
    return decide(seen(replace(of, status=course.memory), *pods, **more), now)


def test_an_edit_that_breaks_the_state_touches_nothing_and_names_fields_and_ways_out() -> None:
    breaking = edited(job(), **size("20m"))
    driver = pod(breaking, spec_hash=runnable(job()).spec_hash)
    asks = decide(seen(breaking, driver), NOW)
    assert (asks.stop, asks.wants) == ((), Wanted("extremes-a", 1))
    course = decide(seen(breaking, driver, before=job()), NOW)
    assert (course.stop, course.start, course.memory.admitted_cu) == ((), None, 1)
    assert course.stuck
    assert course.stuck.reason == "StateBreakingChange"
    assert course.ready.message == (
        "spec.timeWindowAggregation.policies[0].windowSize: 10m -> 20m: the state that the job has does not fit this; "
        "take the change back, or write spec.upgradeMode: Stateless to drop state and offsets with it, or stop the job "
        "first (spec.state: Stopped); the former spec (generation 1) runs on"
    )


def test_a_lost_driver_of_a_refused_edit_is_replaced_with_the_deployed_spec_and_its_checkpoint() -> None:
    breaking = edited(job(), **size("20m"))
    lost = decide(seen(breaking, before=job()), NOW)
    assert lost.ready.reason == "StateBreakingChange"
    assert "DriverLost" not in lost.ready.reason
    assert "was deleted by someone else; attempt 2 starts at" in lost.ready.message
    started = after(lost, breaking, before=job(), now=NOW + timedelta(seconds=10))
    assert started.start
    assert started.start.runnable.spec == runnable(job()).spec
    assert (started.start.attempt, started.start.epoch) == (2, 0)
    assert started.memory.deployed
    assert (started.memory.deployed.generation, started.memory.deployed.revision) == (1, "extremes-a")


def test_without_the_deployed_spec_nothing_starts_and_a_driver_goes_on() -> None:
    breaking = edited(job(), **size("20m"))
    unread = Former(Wanted("extremes-a", 1))
    driver = pod(breaking, spec_hash=runnable(job()).spec_hash)
    course = decide(replace(seen(breaking, driver), former=unread), NOW)
    assert (course.stop, course.stuck and course.stuck.reason) == ((), "StateBreakingChange")
    assert "fields of the class StateBreaking have changed" in course.ready.message
    lost = decide(replace(seen(breaking), former=unread), NOW)
    assert (lost.start, lost.memory.admitted_cu, lost.concludes_gone) == (None, 0, True)


def test_a_start_that_was_never_carried_out_left_no_state_to_break() -> None:
    intended = edited(job(), status={"driver": {"podName": "extremes-1-driver"}}, **size("20m"))
    course = decide(replace(seen(intended), former=Former(Wanted("extremes-a", 1))), NOW)
    assert (course.start, course.memory.deployed, course.again_in) == (None, None, 0)
    started = after(course, intended)
    assert started.start
    assert (started.start.runnable.spec, started.start.attempt) == (intended.spec, 2)


def test_stateless_restarts_with_an_epoch_that_nobody_has_written_to() -> None:
    dropping = edited(job(), status={"highestEpoch": 4}, upgradeMode="Stateless", **size("20m"))
    old = pod(dropping, spec_hash=runnable(job()).spec_hash)
    course = decide(seen(dropping, old, before=job()), NOW)
    assert course.stop == (old,)
    assert "10m -> 20m: state and offsets are dropped (upgradeMode: Stateless)" in course.ready.message
    started = after(course, dropping, before=job())
    assert started.start
    assert (started.start.epoch, started.memory.highest_epoch) == (5, 5)
    again = after(started, dropping, before=job())
    assert again.start
    assert (again.start.epoch, again.start.attempt) == (5, started.start.attempt)


def test_stateless_alone_drops_nothing() -> None:
    same = edited(job(), upgradeMode="Stateless", rateLimit=5)
    old = pod(same, spec_hash=runnable(job()).spec_hash)
    course = decide(seen(same, old, before=job()), NOW)
    assert course.ready.message.startswith("spec.rateLimit: not set -> 5: the driver restarts with its checkpoint; ")
    started = after(course, same, before=job())
    assert started.start
    assert started.start.epoch == 0


def test_a_paused_job_learns_of_a_breaking_edit_and_runs_the_former_spec_when_resumed() -> None:
    paused = edited(job(), status={"driver": None, "admittedCu": 0}, state="Paused", **size("20m"))
    course = decide(seen(paused, before=job()), NOW)
    assert (course.ready.reason, course.stuck and course.stuck.reason) == ("Paused", "StateBreakingChange")
    resumed = edited(job(), generation=3, status={"driver": None, "admittedCu": 0}, **size("20m"))
    started = decide(seen(resumed, before=job()), NOW)
    assert started.start
    assert (started.start.runnable.spec, started.start.epoch) == (runnable(job()).spec, 0)


@pytest.mark.parametrize("state", ["Stopped", "Draft", "Released"])
def test_a_job_without_state_may_be_edited_as_it_likes(state: str) -> None:
    asked = edited(job(), status={"driver": None, "admittedCu": 0}, state=state, **size("20m"))
    stopped = decide(seen(asked), NOW)
    assert stopped.stuck is None
    again = edited(job(), generation=3, **size("20m"))
    started = after(stopped, again)
    assert started.start
    assert (started.start.epoch, started.ready.reason) == (1, "DriverStarting")


def test_what_the_platform_changes_under_a_state_is_refused_too() -> None:
    running = edited(job(), generation=1)
    moved = runnable(running, orgId="o2")
    driver = pod(running, spec_hash=runnable(job()).spec_hash)
    course = decide(seen(running, driver, verdict=moved), NOW)
    assert (course.stop, course.ready.reason) == ((), "StateBreakingChange")
    assert course.ready.message.startswith("orgId, topics or time zone of the StreamResource have changed")


def test_a_state_of_an_older_operator_is_judged_by_the_spec_that_made_it() -> None:
    breaking = edited(job(), **size("20m"))
    assert breaking.status.deployed
    deployed = breaking.status.deployed.model_copy(update={"state_hash": "", "revision": "", "image": ""})
    breaking = replace(breaking, status=breaking.status.model_copy(update={"deployed": deployed}))
    driver = pod(breaking, spec_hash=runnable(job()).spec_hash)
    asks = decide(seen(breaking, driver), NOW)
    assert asks.wants == Wanted("", 1)
    course = decide(seen(breaking, driver, before=job(), wanted=asks.wants), NOW)
    assert course.ready.reason == "StateBreakingChange"
    unknown = decide(replace(seen(breaking, driver), former=Former(asks.wants)), NOW)
    assert (unknown.ready.reason, len(unknown.stop)) == ("Upgrading", 1)


def test_a_ready_driver_completes_what_an_older_operator_wrote() -> None:
    running = job(status=running_status(job()))
    course = decide(seen(running, pod(running)), NOW)
    assert course.memory.deployed
    known = runnable(running)
    assert (course.memory.deployed.state_hash, course.memory.deployed.image) == (known.state_hash, known.image)
    assert course.keeps == known


INVALID = size("2d")


def test_a_lost_driver_is_replaced_with_the_last_valid_spec() -> None:
    invalid = edited(job(resources={"cu": 2}), **INVALID)
    lost = decide(seen(invalid, before=job(resources={"cu": 2})), NOW)
    started = after(lost, invalid, before=job(resources={"cu": 2}), granted=2, now=NOW + timedelta(seconds=10))
    assert started.start
    assert (started.start.runnable.spec.resources.cu, started.memory.admitted_cu) == (2, 2)
    assert (started.ready.reason, started.stuck and started.stuck.reason) == ("InvalidSpec", "InvalidSpec")
    assert "the former spec (generation 1) is to run in its place: starting driver, attempt 2" in started.ready.message


def test_an_invalid_edit_of_a_paused_job_does_not_start_it() -> None:
    since = {"pausedAt": (NOW - timedelta(hours=1)).isoformat(), "driver": None, "admittedCu": 0}
    paused = edited(job(), status=since, state="Paused", **INVALID)
    course = decide(seen(paused, before=job()), NOW)
    assert (course.start, course.stand_in, course.phase) == (None, None, "Paused")
    assert (course.ready.holds, course.ready.reason) == (False, "InvalidSpec")
    assert course.ready.message.endswith("; the job stays paused until this is corrected")
    assert (course.stuck and course.stuck.reason, course.working) == ("InvalidSpec", None)
    assert course.memory.paused_at == paused.status.paused_at
    driver = pod(paused, spec_hash=runnable(job()).spec_hash)
    assert decide(seen(paused, driver, before=job()), NOW).stop == (driver,)


@pytest.mark.parametrize("state", ["Stopped", "Draft", "Released"])
def test_an_invalid_edit_of_a_stopped_job_does_not_start_it(state: str) -> None:
    asked = edited(job(), status={"driver": None, "admittedCu": 0}, state=state)
    stopped = decide(seen(asked), NOW)
    course = after(stopped, edited(job(), generation=3, state=state, **INVALID), before=job())
    assert (course.start, course.wants, course.ready.reason) == (None, None, "InvalidSpec")


def test_the_last_valid_spec_waits_for_capacity_as_any_other() -> None:
    invalid = edited(job(), **INVALID)
    lost = decide(seen(invalid, before=job()), NOW)
    waits = after(lost, invalid, before=job(), granted=0, now=NOW + timedelta(seconds=10))
    assert waits.start is None
    assert waits.stand_in == runnable(job())


def test_a_driver_of_the_last_valid_spec_is_kept_and_judged_like_any_other() -> None:
    invalid = edited(job(), **INVALID)
    driver = pod(invalid, spec_hash=runnable(job()).spec_hash)
    course = decide(seen(invalid, driver, before=job()), NOW)
    assert (course.stop, course.phase) == ((), "Degraded")
    assert course.ready.message.endswith("; the former spec (generation 1) runs on")
    moved = runnable(job(), kafka={"bootstrapServers": "other:9092"})
    former = Former(Wanted("extremes-a", 1), moved.spec, moved)
    assert decide(replace(seen(invalid, driver), former=former), NOW).stop == (driver,)


def test_where_the_ou_lacks_what_the_last_valid_spec_needs_nothing_new_starts() -> None:
    invalid = edited(job(), **INVALID)
    missing = Refusal((Fault("ResourceMissing", "no StreamResource", may_come=True),))
    former = Former(Wanted("extremes-a", 1), runnable(job()).spec, missing)
    lost = decide(replace(seen(invalid), former=former), NOW)
    assert (lost.start, lost.stuck and lost.stuck.reason) == (None, "InvalidSpec")


def test_a_spec_that_its_ou_refuses_gives_way_to_the_deployed_one_while_it_is_waited_for() -> None:
    wrong = edited(job(), template={"name": "time-window-aggregation", "version": "2.0"})
    course = decide(seen(wrong, pod(wrong, spec_hash=runnable(job()).spec_hash), before=job()), NOW)
    assert (course.stop, course.ready.reason) == ((), "TemplateNotInstalled")
    assert (course.stuck, course.working and course.working.reason) == (None, "WaitingForResource")
    assert course.again_in


RUNNING = Progress(state=DriverState.RUNNING, attempt=1, idle=True, started_at=NOW, observed_at=NOW)


def test_a_spec_is_stable_once_its_driver_works_for_a_minute() -> None:
    running = edited(job(), generation=1)
    fresh = pod(running, created=NOW)
    fresh = replace(fresh, ready_since=NOW)
    early = decide(seen(running, fresh, progress=RUNNING), NOW)
    assert (early.memory.last_stable, early.again_in) == (None, STABLE_AFTER.total_seconds())
    silent = decide(seen(running, fresh), NOW + STABLE_AFTER)
    assert silent.memory.last_stable is None
    busy = RUNNING.model_copy(update={"idle": False})
    assert decide(seen(running, fresh, progress=busy), NOW + STABLE_AFTER).memory.last_stable is None
    late = decide(seen(running, fresh, progress=RUNNING), NOW + STABLE_AFTER)
    assert late.memory.last_stable
    assert (late.memory.last_stable.generation, late.memory.last_stable.revision) == (1, "extremes-a")
    assert after(late, running, fresh, progress=RUNNING, now=NOW + STABLE_AFTER).memory == late.memory


def rolling(reason: str = "", **deployed: Any) -> Job:
    """Generation 2 is deployed and fails; generation 1 is stable."""
    bad = job(lifecycle=STABLE, rateLimit=7)
    stable = {"specHash": runnable(job()).spec_hash, "generation": 1, "epoch": 0, "revision": "extremes-a"}
    failing = edited(job(), status={"lastStable": stable}, lifecycle=STABLE, rateLimit=7)
    told = {"spec_hash": runnable(bad).spec_hash, "generation": 2, "revision": "extremes-b", **deployed}
    assert failing.status.deployed
    status = failing.status.model_copy(update={"deployed": failing.status.deployed.model_copy(update=told)})
    return replace(failing, status=status)


LAST_STABLE = Wanted("extremes-a", 0)


def failed(of: Job, code: int = 65) -> Pod:
    words = '{"reason":"x","message":"why","attempt":1}'
    return pod(of, phase="Failed", ready=False, container=terminated(code, words), spec_hash="of-generation-2")


def test_a_changed_spec_that_fails_for_good_gives_way_to_the_last_stable_one_with_its_epoch() -> None:
    bad = rolling(epoch=3)
    asks = decide(seen(bad, failed(bad)), NOW)
    assert (asks.wants, asks.memory.rolled_back) == (LAST_STABLE, None)
    course = decide(seen(bad, failed(bad), before=job(), wanted=LAST_STABLE), NOW)
    assert course.start
    assert (course.start.runnable.spec, course.start.epoch) == (runnable(job()).spec, 0)
    assert course.memory.rolled_back
    assert (course.memory.rolled_back.generation, course.memory.rolled_back.reason) == (2, "InvalidConfiguration")
    assert course.memory.deployed
    assert (course.memory.deployed.generation, course.memory.deployed.revision) == (1, "extremes-a")
    assert course.stuck
    assert course.stuck.reason == "RolledBack"
    assert "generation 2 did not become healthy (InvalidConfiguration: why)" in course.stuck.message
    lasting = Wanted("extremes-a", course.memory.attempt)
    kept = after(course, bad, pod(bad, 2, spec_hash=runnable(job()).spec_hash), before=job(), wanted=lasting)
    assert (kept.stop, kept.ready.reason, kept.memory.rolled_back) == ((), "RolledBack", course.memory.rolled_back)


MISSING = Refusal((Fault("ResourceMissing", "no StreamResource", may_come=True),))


@pytest.mark.parametrize("verdict", [None, MISSING], ids=["unreadable", "refused"])
def test_the_driver_of_the_last_stable_spec_goes_on_when_that_cannot_be_run_any_more(verdict: Refusal | None) -> None:
    bad = rolling()
    rolled = decide(seen(bad, failed(bad), before=job(), wanted=LAST_STABLE), NOW)
    lasting = Former(Wanted("extremes-a", rolled.memory.attempt), verdict=verdict)
    now = replace(bad, status=rolled.memory)
    driver = pod(bad, 2, spec_hash=runnable(job()).spec_hash)
    kept = decide(replace(seen(now, driver), former=lasting), NOW)
    assert (kept.stop, kept.ready.reason, kept.wants) == ((), "RolledBack", lasting.wanted)
    assert kept.memory.rolled_back == rolled.memory.rolled_back
    adopted = decide(seen(now, driver, before=job(), wanted=lasting.wanted), NOW)
    lost = decide(replace(seen(replace(bad, status=adopted.memory)), former=lasting), NOW)
    assert (lost.start, lost.ready.reason, lost.memory.admitted_cu) == (None, "RolledBack", 0)


def test_a_spec_that_fails_is_not_given_up_for_a_stable_one_that_cannot_be_run() -> None:
    bad = rolling()
    course = decide(replace(seen(bad, failed(bad)), former=Former(LAST_STABLE, verdict=MISSING)), NOW)
    assert (course.memory.rolled_back, course.ready.reason) == (None, "InvalidConfiguration")


def test_restarts_that_are_exhausted_are_rolled_back() -> None:
    bad = rolling()
    restarts = bad.status.restarts.model_copy(update={"consecutive": 10})
    bad = replace(bad, status=bad.status.model_copy(update={"restarts": restarts}))
    course = decide(seen(bad, failed(bad, 70), before=job(), wanted=LAST_STABLE), NOW)
    assert course.memory.rolled_back
    assert course.memory.rolled_back.reason == "RestartsExhausted"


def test_a_changed_spec_has_its_start_deadline_from_its_first_try_to_become_ready() -> None:
    bad = rolling(unproven_since=NOW - timedelta(minutes=4))
    starting = pod(bad, ready=False, created=NOW, spec_hash=runnable(bad).spec_hash)
    early = decide(seen(bad, starting), NOW)
    assert (early.stop, early.again_in) == ((), 60)
    late = NOW + timedelta(minutes=1)
    course = decide(seen(bad, starting, before=job(), wanted=LAST_STABLE), late)
    assert course.stop == (starting,)
    assert course.memory.rolled_back
    assert course.memory.rolled_back.reason == "StartTimeout"
    waits = RUNNING.model_copy(update={"state": DriverState.WAITING, "reason": "KafkaUnreachable"})
    patient = decide(seen(bad, starting, before=job(), wanted=LAST_STABLE, progress=waits), late)
    assert (patient.stop, patient.memory.rolled_back) == ((), None)
    ready = pod(bad, created=NOW, spec_hash=runnable(bad).spec_hash)
    proven = decide(seen(bad, ready), NOW)
    assert proven.memory.deployed
    assert proven.memory.deployed.unproven_since is None


def test_a_changed_spec_is_not_blamed_for_the_time_it_was_paused() -> None:
    bad = rolling(unproven_since=NOW - timedelta(hours=1))
    paused = edited(job(), generation=3, state="Paused", lifecycle=STABLE, rateLimit=7)
    asked = after(decide(seen(replace(paused, status=bad.status)), NOW), paused)
    queued = after(asked, bad, granted=0)
    assert (queued.phase, queued.memory.rolled_back, queued.again_in) == ("Queued", None, None)
    resumed = after(queued, bad, before=job(), wanted=LAST_STABLE)
    assert resumed.start
    assert (resumed.start.runnable.spec, resumed.memory.rolled_back) == (bad.spec, None)
    assert resumed.memory.deployed
    assert resumed.memory.deployed.unproven_since == NOW
    late = NOW + timedelta(minutes=5)
    starting = pod(bad, 2, ready=False, created=NOW, spec_hash=runnable(bad).spec_hash)
    assert after(resumed, bad, starting, before=job(), wanted=LAST_STABLE, now=late).memory.rolled_back


def test_a_start_that_is_taken_up_again_or_follows_a_failure_has_no_new_deadline() -> None:
    since = NOW - timedelta(minutes=4)
    bad = rolling(unproven_since=since)
    again = after(decide(seen(bad, failed(bad, 70)), NOW), bad, now=NOW + timedelta(seconds=30))
    taken_up = after(again, bad, now=NOW + timedelta(seconds=40))
    for course in (again, taken_up):
        assert course.start
        assert course.memory.deployed
        assert course.memory.deployed.unproven_since == since
    late = after(taken_up, bad, before=job(), wanted=LAST_STABLE, now=NOW + timedelta(minutes=1))
    assert late.memory.rolled_back


@pytest.mark.parametrize("edit", [{"restartNonce": 1}, {"rateLimit": 8}])
def test_another_edit_tries_anew(edit: dict[str, Any]) -> None:
    bad = rolling()
    rolled = decide(seen(bad, failed(bad), before=job(), wanted=LAST_STABLE), NOW)
    again = edited(job(), generation=3, **{"lifecycle": STABLE, "rateLimit": 7, **edit})
    driver = pod(again, 2, spec_hash=runnable(job()).spec_hash)
    course = after(rolled, again, driver, before=job())
    assert (course.stop, course.memory.rolled_back) == ((driver,), None)
    same = edited(job(), generation=3, lifecycle=STABLE, rateLimit=7, description="other words")
    kept = after(rolled, same, driver, before=job(), wanted=Wanted("extremes-a", rolled.memory.attempt))
    assert (kept.stop, kept.memory.rolled_back) == ((), rolled.memory.rolled_back)


def test_without_rollback_on_failure_or_a_stable_spec_a_failed_one_stays_as_it_is() -> None:
    bad = rolling()
    plain = edited(job(), rateLimit=7)
    status = bad.status.model_copy(
        update={
            "deployed": bad.status.deployed
            and bad.status.deployed.model_copy(update={"spec_hash": runnable(plain).spec_hash})
        }
    )
    course = decide(seen(replace(plain, status=status), failed(bad)), NOW)
    assert (course.stuck and course.stuck.reason, course.wants) == ("InvalidConfiguration", None)
    unstable = replace(bad, status=bad.status.model_copy(update={"last_stable": None}))
    course = decide(seen(unstable, failed(bad)), NOW)
    assert (course.stuck and course.stuck.reason, course.wants) == ("InvalidConfiguration", None)


def test_stopping_a_job_forgets_what_was_stable() -> None:
    bad = rolling()
    rolled = decide(seen(bad, failed(bad), before=job(), wanted=LAST_STABLE), NOW)
    asked = edited(job(), generation=3, state="Stopped", lifecycle=STABLE, rateLimit=7)
    stopped = after(rolled, asked)
    assert (stopped.memory.last_stable, stopped.memory.rolled_back, stopped.memory.highest_epoch) == (None, None, 1)


def test_a_new_image_of_the_catalogue_restarts_with_the_checkpoint_and_is_named() -> None:
    running = edited(job(), generation=1)
    newer = replace(runnable(running), image="example.org/runtime:2", spec_hash="other")
    course = decide(seen(running, pod(running), verdict=newer), NOW)
    assert len(course.stop) == 1
    assert course.ready.message.startswith(
        "the runtime image of the catalogue: example.org/runtime:1 -> example.org/runtime:2: the driver restarts with "
    )
    started = after(course, running, verdict=newer)
    assert started.start
    assert (started.start.epoch, started.memory.deployed and started.memory.deployed.image) == (0, newer.image)


def test_other_connections_of_the_ou_restart_the_driver_and_are_told() -> None:
    running = edited(job(), generation=1)
    moved = check(running, facts(resource(kafka={"bootstrapServers": "other:9092"})), Lineage())
    course = decide(seen(running, pod(running), verdict=moved), NOW)
    assert course.ready.message.startswith("what the StreamResource gives its drivers has changed: the driver restarts")
