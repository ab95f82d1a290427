"""The operator's own health and metrics: ``/healthz``, ``/readyz``, ``/metrics``."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

_TICK_SECONDS = 1.0


class LoopLag:
    """How late the event loop is: a blocking call anywhere shows here."""

    def __init__(self) -> None:
        self.worst_seconds = 0.0
        self._last = time.monotonic()

    @property
    def seconds(self) -> float:
        """Lag right now."""
        return max(0.0, time.monotonic() - self._last - _TICK_SECONDS)

    async def run(self) -> None:
        """Measure for ever."""
        while True:
            self._last = time.monotonic()
            await asyncio.sleep(_TICK_SECONDS)
            self.worst_seconds = max(self.worst_seconds, self.seconds)


@dataclass(frozen=True)
class Check:
    """Something that is broken for good past a limit.

    Args:
        says: the fault, with ``{seconds:.0f}`` in it.
    """

    seconds: Callable[[], float]
    limit: float
    says: str

    @property
    def fault(self) -> str:
        """The fault, or nothing."""
        seconds = self.seconds()
        return self.says.format(seconds=seconds) if seconds > self.limit else ""


class HealthServer:
    """Serves the three paths."""

    def __init__(
        self,
        address: tuple[str, int],
        registry: CollectorRegistry,
        checks: Iterable[Check],
        is_ready: Callable[[], bool],
    ) -> None:
        self._address = address
        self._registry = registry
        self._checks = tuple(checks)
        self._is_ready = is_ready
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen."""
        app = web.Application()
        app.add_routes(
            [web.get("/healthz", self._healthz), web.get("/readyz", self._readyz), web.get("/metrics", self._metrics)]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, *self._address).start()

    async def stop(self) -> None:
        """Close."""
        if self._runner:
            await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        faults = [fault for check in self._checks if (fault := check.fault)]
        return web.Response(text="\n".join(faults or ["ok"]) + "\n", status=500 if faults else 200)

    async def _readyz(self, _: web.Request) -> web.Response:
        ready = self._is_ready()
        return web.Response(
            text="ok\n" if ready else "the first listing is not complete\n", status=200 if ready else 503
        )

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
