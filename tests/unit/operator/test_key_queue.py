"""Turns: one for many wishes, never two at a time for one key, again after a failure."""

from __future__ import annotations

import asyncio
from collections import Counter

from streamjob_operator.backoff import delay_seconds
from streamjob_operator.key_queue import KeyQueue


async def worked(queue: KeyQueue[str], handle: object, until: asyncio.Event) -> None:
    workers = [asyncio.create_task(queue.work(handle)) for _ in range(4)]  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        await until.wait()
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


async def test_many_wishes_are_one_turn_and_a_wish_during_a_turn_is_one_more() -> None:
    queue: KeyQueue[str] = KeyQueue()
    turns: Counter[str] = Counter()
    done = asyncio.Event()

    async def handle(key: str) -> None:
        turns[key] += 1
        if turns[key] == 1:
            queue.add(key)
            queue.add(key)
        else:
            done.set()

    for _ in range(10):
        queue.add("a")
    await worked(queue, handle, done)
    assert turns == {"a": 2}


async def test_a_key_is_never_worked_on_twice_at_a_time_while_others_go_on() -> None:
    queue: KeyQueue[str] = KeyQueue()
    working: Counter[str] = Counter()
    most: Counter[str] = Counter()
    finished: Counter[str] = Counter()
    done = asyncio.Event()

    async def handle(key: str) -> None:
        working[key] += 1
        most[key] = max(most[key], working[key])
        most["all"] = max(most["all"], sum(working.values()))
        await asyncio.sleep(0.01)
        working[key] -= 1
        finished[key] += 1
        if finished[key] < 5:
            queue.add(key)
        if sum(finished.values()) >= 15:
            done.set()

    for key in "abc":
        queue.add(key)
    await worked(queue, handle, done)
    assert (most["a"], most["b"], most["c"], most["all"]) == (1, 1, 1, 3)


async def test_a_failure_is_retried_and_does_not_stop_the_workers() -> None:
    queue: KeyQueue[str] = KeyQueue()
    turns: Counter[str] = Counter()
    done = asyncio.Event()

    async def handle(key: str) -> None:
        turns[key] += 1
        if turns[key] < 3:
            raise ValueError("not yet")
        done.set()

    queue.add("a")
    await worked(queue, handle, done)
    assert turns["a"] == 3


async def test_of_several_later_wishes_the_earliest_counts() -> None:
    queue: KeyQueue[str] = KeyQueue()
    done = asyncio.Event()

    async def handle(key: str) -> None:
        done.set()

    queue.add_after("a", 60)
    queue.add_after("a", 0.01)
    queue.add_after("a", 60)
    await worked(queue, handle, done)


def test_back_off_doubles_up_to_the_longest_and_is_spread() -> None:
    waits = [delay_seconds(failures, 10, 300, "job/1") for failures in range(1, 40)]
    wholes = [min(300, 10 * 2**number) for number in range(39)]
    assert all(0.75 * whole <= wait <= whole for wait, whole in zip(waits, wholes, strict=True))
    assert len({delay_seconds(1, 10, 300, f"job/{number}") for number in range(20)}) == 20
    assert delay_seconds(0, 10, 300, "job/1") == 0
