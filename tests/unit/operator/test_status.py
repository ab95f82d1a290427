"""What a status says, and when it is worth a write."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from streamjob_api.progress import DriverState, Progress, Rates, Totals
from streamjob_api.status import Condition, StreamJobStatus
from streamjob_operator.jobs.course import Observed
from streamjob_operator.jobs.decide import decide
from streamjob_operator.observed import Job
from streamjob_operator.telling.events import of_transition
from streamjob_operator.telling.status import is_notable, summarise
from unit.operator.builders import NOW, job, observed, pod, running_status

FIVE_MINUTES = 300.0


def said(rate: float = 100, *, after: timedelta = timedelta(), idle: bool = False) -> Progress:
    return Progress(
        state=DriverState.RUNNING,
        attempt=1,
        idle=idle,
        started_at=NOW,
        observed_at=NOW + after,
        totals=Totals(messages=int(rate * 60)),
        throughput={"1m": Rates(messages=rate, out=1)},
        lag={"a": 3, "b": 4},
    )


def running(progress: Progress | None = None) -> Observed:
    of = job(status=running_status(job()))
    return observed(of, pod(of), progress=progress)


def told(seen: Observed, after: timedelta = timedelta()) -> StreamJobStatus:
    return summarise(seen, decide(seen, NOW + after), NOW + after, FIVE_MINUTES)


def next_turn(seen: Observed, status: StreamJobStatus, progress: Progress) -> Observed:
    return replace(seen, job=replace(seen.job, status=status), progress=progress)


def condition(status: StreamJobStatus, kind: str) -> Condition:
    return next(found for found in status.conditions if found.type == kind)


def test_a_second_turn_says_the_same() -> None:
    seen = running(said())
    status = told(seen)
    assert told(next_turn(seen, status, said(after=timedelta(minutes=1))), timedelta(minutes=1)) == status


def test_a_running_job_has_every_condition_and_none_of_kstatus() -> None:
    status = told(running(said()))
    assert {found.type: found.status for found in status.conditions} == {
        "Ready": "True",
        "SpecValid": "True",
        "ResourceReserved": "True",
        "DriverReady": "True",
        "Progressing": "True",
    }
    assert all(found.observed_generation == 1 for found in status.conditions)
    assert (status.phase, status.observed_generation) == ("Running", 1)
    assert status.throughput
    assert (status.throughput.lag_records, status.throughput.input_records_per_second) == (7, 100)


def test_a_job_without_a_driver_shows_no_throughput() -> None:
    seen = running(said())
    paused = replace(job(state="Paused"), status=told(seen))
    assert told(observed(paused)).throughput is None


@pytest.mark.parametrize(
    ("rate", "minutes", "is_written"),
    [(105, 6, False), (120, 6, True), (120, 4, False), (0, 6, True)],
)
def test_numbers_alone_are_written_after_five_minutes_and_ten_percent(
    rate: float, minutes: int, is_written: bool
) -> None:
    seen = running(said())
    status = told(seen)
    after = timedelta(minutes=minutes)
    later = next_turn(seen, status, said(rate, after=after))
    assert (told(later, after) != status) == is_written
    assert is_notable(status, seen.progress, later.progress, FIVE_MINUTES) == is_written


def test_a_changed_condition_brings_the_numbers_along() -> None:
    seen = running(said())
    status = told(next_turn(seen, told(seen), said(0, idle=True)))
    assert condition(status, "Progressing").reason == "Idle"
    assert status.throughput
    assert status.throughput.input_records_per_second == 0


def test_a_transition_time_moves_only_when_the_status_flips() -> None:
    seen = running(said())
    first = told(seen)
    idle = told(next_turn(seen, first, said(idle=True)), timedelta(minutes=2))
    before, after = condition(first, "Progressing"), condition(idle, "Progressing")
    assert (after.reason, after.last_transition_time) == ("Idle", before.last_transition_time)


def test_a_first_answer_and_a_lost_answer_are_notable() -> None:
    status = told(running(said()))
    assert is_notable(status, None, said(), FIVE_MINUTES)
    assert is_notable(status, said(), None, FIVE_MINUTES)
    assert not is_notable(status, said(), said(), FIVE_MINUTES)


def test_a_status_stays_small_whatever_is_wrong() -> None:
    bad = {"input": "M::" + "a" * 120, "aggregation": "median", "windowSize": "forever", "output": "none"}
    of = job(status=running_status(job()), timeWindowAggregation={"policies": [bad] * 200})
    words = said().model_copy(update={"message": "m" * 512, "state": DriverState.WAITING, "reason": "KafkaUnreachable"})
    status = told(observed(of, pod(of, spec_hash="former"), progress=words))
    assert condition(status, "Stalled").reason == "InvalidSpec"
    assert len(status.model_dump_json(by_alias=True)) < 16 * 1024


def test_an_event_is_recorded_when_the_reason_of_ready_changes_and_only_then() -> None:
    of = job()
    status = told(running(said()))
    (event,) = of_transition(of, status, NOW, "operator-0")
    assert (event["type"], event["reason"], event["regarding"]["name"]) == ("Normal", "Running", "extremes")
    known: Job = replace(of, status=status)
    assert of_transition(known, status, NOW, "operator-0") == []
