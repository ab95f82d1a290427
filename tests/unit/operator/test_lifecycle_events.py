"""Events tell of transitions, and of a job that fails all day they do not flood; log lines say whose turn it is."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from streamjob_api.status import Restarts, StreamJobStatus
from streamjob_operator import log_context, logs
from streamjob_operator.jobs.decide import decide
from streamjob_operator.key_queue import KeyQueue
from streamjob_operator.observed import Manifest
from streamjob_operator.telling.event_budget import BURST, REFILL_SECONDS, EventBudget
from streamjob_operator.telling.events import of_transition
from streamjob_operator.telling.status import summarise
from unit.operator.builders import NOW, job, observed, pod, terminated

DAY = timedelta(days=1)


def a_day_of(code: int) -> list[Manifest]:
    """Events of a job whose driver starts, is ready for a moment and ends with this code, again and again."""
    of, now, told = job(restart={"maxFailures": 1000}), NOW, list[Manifest]()
    seen = observed(of)
    while now < NOW + DAY:
        course = decide(seen, now)
        status = summarise(seen, course, now, 300)
        told += of_transition(seen.job, status, now, "test")
        of = replace(seen.job, status=status)
        if course.start:
            now += timedelta(seconds=20)
            up = replace(pod(of, course.start.attempt, created=now), ready_since=now)
            again = observed(of, up)
            status = summarise(again, decide(again, now), now, 300)
            told += of_transition(of, status, now, "test")
            of = replace(of, status=status)
            now += timedelta(seconds=10)
            failed = pod(of, course.start.attempt, phase="Failed", ready=False, container=terminated(code))
            seen = observed(of, failed)
        else:
            now += timedelta(seconds=course.again_in or 60)
            seen = observed(of, *seen.pods)
    return told


@pytest.mark.parametrize("code", [69, 70])
def test_a_day_of_back_off_is_told_in_some_dozens_of_events(code: int) -> None:
    told = a_day_of(code)
    failures = [event for event in told if event["type"] == "Warning"]
    assert 5 < len(told) < 40
    assert failures[-1]["note"].endswith("(256 failures in a row)")
    assert [event["reason"] for event in told[:3]] == ["DriverStarting", "Running", failures[0]["reason"]]


def status(reason: str, failures: int, last_reason: str = "InternalError") -> StreamJobStatus:
    found = {
        "type": "Ready",
        "status": "True" if reason == "Running" else "False",
        "reason": reason,
        "lastTransitionTime": NOW,
    }
    restarts = Restarts(consecutive=failures, last_reason=last_reason)
    return StreamJobStatus.model_validate({"conditions": [found], "restarts": restarts.model_dump()})


def is_told(before: StreamJobStatus, after: StreamJobStatus) -> bool:
    return bool(of_transition(replace(job(), status=before), after, NOW, "test"))


def test_another_failure_than_the_last_one_is_told_at_once() -> None:
    assert not is_told(status("Running", 4), status("InternalError", 5))
    assert is_told(status("Running", 4), status("OOMKilled", 5, last_reason="OOMKilled"))


def test_the_end_of_a_retry_loop_is_told_whichever_it_is() -> None:
    assert is_told(status("InternalError", 11), status("RestartsExhausted", 11))
    assert is_told(status("Running", 11), status("Running", 0))
    assert not is_told(status("Running", 1), status("Running", 0))


def test_what_the_user_asks_for_is_told_even_in_a_retry_loop() -> None:
    assert is_told(status("InternalError", 5), status("Paused", 0))


def test_a_flapping_job_has_a_budget_that_comes_back() -> None:
    seconds = 0.0
    budget = EventBudget(lambda: seconds)
    assert [budget.take("a") for _ in range(BURST + 5)] == [True] * BURST + [False] * 5
    assert budget.take("b")
    seconds = REFILL_SECONDS
    assert [budget.take("a"), budget.take("a")] == [True, False]


def logged(work: object) -> list[Manifest]:
    stream, root = io.StringIO(), logging.getLogger()
    kept, level = root.handlers[:], root.level
    logs.configure("INFO")
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    try:
        asyncio.run(work)  # type: ignore[arg-type]
    finally:
        root.handlers[:] = kept
        root.setLevel(level)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_line_of_a_turn_says_whose_it_is_errors_of_the_queue_too() -> None:
    async def turn(key: str) -> None:
        log_context.enter(namespace="ou", job=key, attempt=None)
        await asyncio.sleep(0)
        logging.getLogger("deep.inside").info("working")
        log_context.note(attempt=3)
        await asyncio.sleep(0)
        raise ValueError("broken")

    async def work() -> None:
        queue: KeyQueue[str] = KeyQueue()
        for key in ("a", "b"):
            queue.add(key)
        workers = [asyncio.create_task(queue.work(turn)) for _ in range(2)]
        await asyncio.sleep(0.1)
        for worker in workers:
            worker.cancel()

    found = [
        (line["message"].split()[0], line["namespace"], line["job"], line.get("attempt")) for line in logged(work())
    ]
    assert sorted(found) == [
        ("retried", "ou", "a", 3),
        ("retried", "ou", "b", 3),
        ("working", "ou", "a", None),
        ("working", "ou", "b", None),
    ]
