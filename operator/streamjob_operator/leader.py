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

from streamjob_operator.cluster import ApiError, Cluster, Conflict
from streamjob_operator.observed import Manifest

LEASE_NAME = "streamjob-operator"
HELD_SECONDS = 10.0
GIVEN_UP_SECONDS = 7.0
TRY_SECONDS = 2.0

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
    _seen: tuple[str, float] = ("", 0.0)  # the Lease's version, and when this process saw it first

    def holds_still(self) -> bool:
        """Whether nobody else can hold the Lease yet, judged without asking."""
        return self.acquired.is_set() and time.monotonic() - self._renewed < HELD_SECONDS

    async def run(self) -> None:
        """Take the Lease when it is free, then renew it; ``on_lost`` is called when it cannot be renewed in time."""
        while True:
            asked = time.monotonic()
            if await self._holds():
                self._renewed = asked
                if not self.acquired.is_set():
                    logger.info("leads", extra={"identity": self.identity})
                    self.acquired.set()
            elif self.acquired.is_set() and time.monotonic() - self._renewed > GIVEN_UP_SECONDS:
                logger.error("lost the lease", extra={"identity": self.identity})
                self.acquired.clear()
                self.on_lost()
                return
            elif not self._stands_by:
                logger.info("stands by", extra={"identity": self.identity})
                self._stands_by = True
            await asyncio.sleep(TRY_SECONDS)

    async def _holds(self) -> bool:
        try:
            async with asyncio.timeout(GIVEN_UP_SECONDS):
                return await self._take_or_renew()
        except Conflict:
            return False
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            logger.warning("lease not renewed: %s: %s", type(error).__name__, error)
            return False

    async def _take_or_renew(self) -> bool:
        lease = await self.cluster.read("Lease", self.namespace, LEASE_NAME)
        if lease is None:
            await self.cluster.create("Lease", self.namespace, self._lease({}, transitions=0))
            return True
        spec: dict[str, Any] = lease.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        if holder not in {"", self.identity} and not self._expired(lease):
            return False
        changed = holder != self.identity
        renewed = self._lease(lease, int(spec.get("leaseTransitions") or 0) + changed)
        if not changed:
            renewed["spec"]["acquireTime"] = spec.get("acquireTime")
        await self.cluster.replace("Lease", self.namespace, LEASE_NAME, renewed)
        return True

    def _expired(self, lease: Manifest) -> bool:
        version = lease["metadata"]["resourceVersion"]
        if version != self._seen[0]:
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
        """Let go of the Lease, so that another replica acts at once."""
        if not self.acquired.is_set():
            return
        self.acquired.clear()
        lease = await self.cluster.read("Lease", self.namespace, LEASE_NAME)
        if lease and (lease.get("spec") or {}).get("holderIdentity") == self.identity:
            lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
            await self.cluster.replace("Lease", self.namespace, LEASE_NAME, lease)
