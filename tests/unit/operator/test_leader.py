"""The election, on a Lease of our own that is slow, away or deleted, with the lease's times at a twentieth."""

from __future__ import annotations

import asyncio
import copy
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from streamjob_operator.api_server import leader
from streamjob_operator.api_server.cluster import ApiError, Conflict, NotFound
from streamjob_operator.api_server.leader import Leadership
from streamjob_operator.observed import Manifest

SCALE = 20
SLACK = 1.0  # s that a busy machine may be late


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HELD_SECONDS", "GIVEN_UP_SECONDS", "TRY_SECONDS"):
        monkeypatch.setattr(leader, name, getattr(leader, name) / SCALE)


class Leases:
    """One Lease, kept as the API server keeps it: a replacement needs the version that is there."""

    def __init__(self) -> None:
        self.lease: Manifest | None = None
        self.delay = 0.0
        self.fails = False
        self._versions = itertools.count(1)

    async def read(self, *_: str) -> Manifest | None:
        await self._answer()
        return copy.deepcopy(self.lease)

    async def create(self, *given: Any) -> Manifest:
        *_, body = given
        await self._answer()
        if self.lease is not None:
            raise Conflict(409, "it is there")
        return self._store(body)

    async def replace(self, *given: Any) -> Manifest:
        *_, body = given
        await self._answer()
        if self.lease is None:
            raise NotFound(404, "it is not there")
        if body["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
            raise Conflict(409, "it changed")
        return self._store(body)

    def renewed_by(self, holder: str, at: str) -> None:
        """Written by a replica with a clock of its own."""
        self._store({"metadata": {}, "spec": {"holderIdentity": holder, "renewTime": at, "leaseDurationSeconds": 10}})

    @property
    def holder(self) -> str:
        return str(self.lease["spec"]["holderIdentity"]) if self.lease else ""

    async def _answer(self) -> None:
        await asyncio.sleep(self.delay)
        if self.fails:
            raise ApiError(500, "down")

    def _store(self, body: Manifest) -> Manifest:
        self.lease = copy.deepcopy(body)
        self.lease["metadata"]["resourceVersion"] = str(next(self._versions))
        return copy.deepcopy(self.lease)


class Replica:
    def __init__(self, leases: Leases, identity: str) -> None:
        self.lost = 0
        self.part = Leadership(leases, "ou", identity, self._lose)  # type: ignore[arg-type]

    def _lose(self) -> None:
        self.lost += 1

    @property
    def acts(self) -> bool:
        return self.part.holds_still()


@asynccontextmanager
async def standing(*replicas: Replica) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(replica.part.run()) for replica in replicas]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def soon(fact: Callable[[], bool], seconds: float = 5.0) -> float:
    """Wait until ``fact()`` holds; for how long that took."""
    since = time.monotonic()
    async with asyncio.timeout(seconds):
        while not fact():  # noqa: ASYNC110 (whatever the fact, not an event of the code under test)
            await asyncio.sleep(0.01)
    return time.monotonic() - since


async def never_both(one: Replica, two: Replica, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert not (one.acts and two.acts)
        await asyncio.sleep(0.005)


async def test_one_leads_and_the_other_takes_over_what_is_released() -> None:
    leases = Leases()
    one, two = Replica(leases, "one"), Replica(leases, "two")
    async with standing(one):
        await soon(lambda: one.acts)
        async with standing(two):
            await never_both(one, two, 1.0)
            await one.part.release()
            assert await soon(lambda: two.acts) <= 2 * 2.0 / SCALE + SLACK


async def test_a_leader_that_is_gone_is_followed_once_the_lease_has_not_changed_for_its_time() -> None:
    leases = Leases()
    one, two = Replica(leases, "one"), Replica(leases, "two")
    async with standing(two), standing(one):
        await soon(lambda: one.acts or two.acts)
        gone, left = (one, two) if one.acts else (two, one)
        await soon(lambda: left.part._stands_by)
    async with standing(left):  # killed: no word to anyone
        took = await soon(lambda: left.acts)
    assert 0.8 * 10 / SCALE <= took <= 15 / SCALE + SLACK
    assert not gone.lost


@pytest.mark.parametrize("clock", ["2000-01-01T00:00:00.000000Z", "2100-01-01T00:00:00.000000Z"])
async def test_clocks_that_differ_by_years_change_nothing(clock: str) -> None:
    leases = Leases()
    two = Replica(leases, "two")
    leases.renewed_by("one", clock)
    async with standing(two):
        for _ in range(8):  # renewed every 2 s, by a clock of its own
            await asyncio.sleep(2 / SCALE)
            leases.renewed_by("one", clock)
            assert not two.acts
        assert 0.8 * 10 / SCALE <= await soon(lambda: two.acts) <= 15 / SCALE + SLACK


async def test_answers_that_take_five_seconds_make_no_leadership_flap() -> None:
    leases = Leases()
    one, two = Replica(leases, "one"), Replica(leases, "two")
    async with standing(one):
        await soon(lambda: one.acts)
        async with standing(two):
            leases.delay = 5 / SCALE
            await never_both(one, two, 60 / SCALE)
            assert leases.holder == "one"
            assert (one.lost, two.lost, two.acts) == (0, 0, False)


async def test_a_deleted_lease_is_made_anew_by_its_leader_and_by_no_replica_that_knew_it() -> None:
    leases = Leases()
    one, two = Replica(leases, "one"), Replica(leases, "two")
    async with standing(one):
        await soon(lambda: one.acts)
        async with standing(two):
            await soon(lambda: two.part._stands_by)
            for _ in range(5):
                leases.lease = None
                await never_both(one, two, 5 / SCALE)
            assert (leases.holder, one.lost) == ("one", 0)


async def test_a_leader_that_slept_knows_it_before_it_writes_and_steps_down_when_another_leads() -> None:
    leases = Leases()
    one = Replica(leases, "one")
    async with standing(one):
        await soon(lambda: one.acts)
        leases.renewed_by("two", "2026-01-01T00:00:00.000000Z")
        time.sleep(10.5 / SCALE)  # noqa: ASYNC251 (as a stopped process, the loop does nothing meanwhile)
        assert not one.acts
        await soon(lambda: one.lost == 1)
    assert leases.holder == "two"


async def test_a_leader_gives_up_before_its_lease_ends_when_the_api_server_fails() -> None:
    leases = Leases()
    one = Replica(leases, "one")
    async with standing(one):
        await soon(lambda: one.acts)
        leases.fails = True
        assert 7 / SCALE - 0.2 <= await soon(lambda: one.lost == 1) <= 10 / SCALE + SLACK


async def test_what_cannot_be_released_holds_up_no_stop() -> None:
    leases = Leases()
    one = Replica(leases, "one")
    async with standing(one):
        await soon(lambda: one.acts)
    leases.fails = True
    await one.part.release()
    assert not one.acts
