"""Turns: one for many wishes, never two at a time for one key, again after a failure."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Hashable
from typing import TypeVar

from streamjob_operator.backoff import delay_seconds
from streamjob_operator.key_queue import KeyQueue

KeyT = TypeVar("KeyT", bound=Hashable)


async def worked(
    queue: KeyQueue[KeyT], handle: Callable[[KeyT], Coroutine[None, None, None]], until: asyncio.Event
) -> None:
    workers = [asyncio.create_task(queue.work(handle)) for _ in range(4)]
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


async def test_a_turn_that_always_raises_holds_up_nobody() -> None:
    queue: KeyQueue[str] = KeyQueue()
    turns: Counter[str] = Counter()
    done = asyncio.Event()

    async def handle(key: str) -> None:
        turns[key] += 1
        if key == "bad":
            raise ValueError("always")
        if turns["good"] < 100:
            queue.add(key)
        else:
            done.set()

    queue.add("bad")
    queue.add("good")
    await worked(queue, handle, done)
    assert turns["good"] == 100
    assert queue.failing == 1


async def test_a_turn_that_hangs_is_cut_off_and_tried_again() -> None:
    queue: KeyQueue[str] = KeyQueue(turn_seconds=0.05)
    turns: Counter[str] = Counter()
    done = asyncio.Event()

    async def handle(key: str) -> None:
        turns[key] += 1
        if turns[key] == 1:
            await asyncio.Event().wait()
        done.set()

    queue.add("a")
    await worked(queue, handle, done)
    assert turns["a"] == 2


async def test_ous_whose_calls_hang_leave_workers_to_the_others() -> None:
    queue: KeyQueue[tuple[str, int]] = KeyQueue(lane=lambda key: key[0])
    done = asyncio.Event()
    hanging: Counter[str] = Counter()
    healthy = 0

    async def handle(key: tuple[str, int]) -> None:
        nonlocal healthy
        if key[0].startswith("hangs"):
            hanging[key[0]] += 1
            await asyncio.Event().wait()
        healthy += 1
        if healthy == 50:
            done.set()

    for number in range(50):
        queue.add(("hangs-a", number))
        queue.add(("hangs-b", number))
        queue.add(("good", number))
    await worked(queue, handle, done)  # with 4 workers
    assert 1 <= hanging.total() <= 3


async def test_one_ou_with_thousands_of_keys_does_not_hold_up_another() -> None:
    queue: KeyQueue[tuple[str, int]] = KeyQueue(lane=lambda key: key[0])
    done = asyncio.Event()
    order: list[str] = []

    async def handle(key: tuple[str, int]) -> None:
        order.append(key[0])
        if len(order) == 3001:
            done.set()

    for number in range(3000):
        queue.add(("large", number))
    queue.add(("small", 0))
    await worked(queue, handle, done)
    assert order.index("small") < 8


async def test_neither_news_nor_the_routine_starves() -> None:
    queue: KeyQueue[str] = KeyQueue(lane=lambda _: "one")
    done = asyncio.Event()
    turns: Counter[str] = Counter()

    async def handle(key: str) -> None:
        turns[key] += 1
        if key.startswith("news"):
            queue.add(key)  # there is always more news
        if sum(turns[f"routine-{number}"] for number in range(300)) == 300:
            done.set()

    for number in range(300):
        queue.add(f"routine-{number}", routine=True)
    for number in range(5):
        queue.add(f"news-{number}")
    await worked(queue, handle, done)
    news = sum(count for key, count in turns.items() if key.startswith("news"))
    assert 700 <= news <= 1300


async def test_a_routine_wish_becomes_urgent_and_is_still_one_turn() -> None:
    queue: KeyQueue[str] = KeyQueue(lane=lambda _: "one")
    done = asyncio.Event()
    order: list[str] = []

    async def handle(key: str) -> None:
        order.append(key)
        if len(order) == 21:
            done.set()

    for number in range(20):
        queue.add(f"routine-{number}", routine=True)
    queue.add("edited", routine=True)
    queue.add("edited")
    await worked(queue, handle, done)
    assert order.index("edited") < 4
    assert order.count("edited") == 1
    assert len(queue) == 0
