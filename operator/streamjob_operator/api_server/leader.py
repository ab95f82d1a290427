"""One of several replicas acts: a Lease, taken, renewed and released.

client-go's numbers scaled to a fast takeover: held for 10 s, given up after 7 s without a renewal, tried every 2 s.
Time is judged by this process's own monotonic clock, from when it saw the Lease change, so that clocks may differ.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp

from streamjob_operator.api_server.cluster import ApiError, Cluster, Conflict
from streamjob_operator.observed import Manifest

LEASE_NAME = "streamjob-operator"
HELD_SECONDS = 10.0
GIVEN_UP_SECONDS = 7.0
TRY_SECONDS = 2.0
_RELEASE_SECONDS = 5.0

logger = logging.getLogger(__name__)


@dataclass
class Leadership:
    """This replica's part in the election."""

    cluster: Cluster
    namespace: str
    identity: str
    on_lost: Callable[[], None]
    acquired: asyncio.Event = field(default_factory=asyncio.Event)
    _stands_by: bool = False
    _renewed: float = 0.0
    _seen: tuple[str, float] | None = None  # the Lease's version, and when this process saw it first
    _held: Manifest | None = None  # as this process wrote it last

    def holds_still(self) -> bool:
        """Whether nobody else can hold the Lease yet, judged without asking."""
        return self.acquired.is_set() and time.monotonic() - self._renewed < HELD_SECONDS

    async def run(self) -> None:
        """Take the Lease when it is free, then renew it; ``on_lost`` is called when it cannot be renewed in time."""
        while True:
            asked = time.monotonic()
            holds = await self._holds()
            if holds:
                self._renewed = asked
                if not self.acquired.is_set():
                    logger.info("leads", extra={"identity": self.identity})
                    self.acquired.set()
            elif self._is_lost(holds):
                logger.error("lost the lease", extra={"identity": self.identity})
                self.acquired.clear()
                self.on_lost()
                return
            elif not self._stands_by:
                logger.info("stands by", extra={"identity": self.identity})
                self._stands_by = True
            await asyncio.sleep(max(TRY_SECONDS - (time.monotonic() - asked), 0.1))

    def _is_lost(self, holds: bool | None) -> bool:
        """Whether a leader is none any more: another one is, or nobody could be asked for too long."""
        too_long = time.monotonic() - self._renewed > GIVEN_UP_SECONDS
        return self.acquired.is_set() and (holds is False or too_long)

    async def _holds(self) -> bool | None:
        """Whether this replica holds the Lease now; None when that cannot be said."""
        try:
            async with asyncio.timeout(GIVEN_UP_SECONDS):
                return await self._take_or_renew()
        except Conflict:
            return None  # it changed since it was read: looked at again
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            logger.warning("lease not renewed: %s: %s", type(error).__name__, error)
            return None

    async def _take_or_renew(self) -> bool:
        # As this process wrote it last: one request renews it, or says that it is not so any more.
        lease, self._held = self._held, None
        lease = lease or await self.cluster.read("Lease", self.namespace, LEASE_NAME)
        if lease is None:
            return await self._create()
        spec: dict[str, Any] = lease.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        if holder not in {"", self.identity} and not self._expired(lease):
            return False
        changed = holder != self.identity
        renewed = self._lease(lease, int(spec.get("leaseTransitions") or 0) + changed)
        if not changed:
            renewed["spec"]["acquireTime"] = spec.get("acquireTime")
        self._held = await self.cluster.replace("Lease", self.namespace, LEASE_NAME, renewed)
        return True

    async def _create(self) -> bool:
        """Make the Lease; one that was deleted may have a leader still, who acts until it cannot renew it."""
        if not self.acquired.is_set() and self._seen is not None and not self._unchanged_for_long(""):
            return False
        self._held = await self.cluster.create("Lease", self.namespace, self._lease({}, transitions=0))
        return True

    def _expired(self, lease: Manifest) -> bool:
        return self._unchanged_for_long(lease["metadata"]["resourceVersion"])

    def _unchanged_for_long(self, version: str) -> bool:
        if self._seen is None or version != self._seen[0]:
            self._seen = (version, time.monotonic())
        return time.monotonic() - self._seen[1] > HELD_SECONDS

    def _lease(self, lease: Manifest, transitions: int) -> Manifest:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": LEASE_NAME, "namespace": self.namespace, **lease.get("metadata", {})},
            "spec": {
                "holderIdentity": self.identity,
                "leaseDurationSeconds": int(HELD_SECONDS),
                "acquireTime": now,
                "renewTime": now,
                "leaseTransitions": transitions,
            },
        }

    async def release(self) -> None:
        """Let go of the Lease, so that another replica acts at once; where that fails, once the Lease expires."""
        if not self.acquired.is_set():
            return
        self.acquired.clear()
        try:
            async with asyncio.timeout(_RELEASE_SECONDS):
                await self._let_go()
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            logger.warning("lease not released: %s: %s", type(error).__name__, error)

    async def _let_go(self) -> None:
        lease = await self.cluster.read("Lease", self.namespace, LEASE_NAME)
        if lease and (lease.get("spec") or {}).get("holderIdentity") == self.identity:
            lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
            await self.cluster.replace("Lease", self.namespace, LEASE_NAME, lease)
