"""The operator's own health and metrics: ``/healthz``, ``/readyz``, ``/metrics``."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

_TICK_SECONDS = 1.0
# A loop this late, or a queue this long without a finished turn, is broken for good.
_LAG_LIMIT_SECONDS = 30.0
_STUCK_LIMIT_SECONDS = 120.0

Reading = tuple[str, str, str, float | Mapping[str, float]]  # kind, name, help, value or values by request


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


class Readings(Collector):
    """Gauges and counters, read when Prometheus asks; nothing is counted twice or left over."""

    def __init__(self, read: Callable[[], Iterable[Reading]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        """Every reading as it is now."""
        for kind, name, help_text, value in self._read():
            family = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
            if not isinstance(value, Mapping):
                yield family(f"streamjob_operator_{name}", help_text, value=value)
                continue
            labelled = family(f"streamjob_operator_{name}", help_text, labels=["request"])
            for request, count in value.items():
                labelled.add_metric([request], count)
            yield labelled


class HealthServer:
    """Serves the three paths."""

    def __init__(self, host: str, port: int, lag: LoopLag, read: Callable[[], Iterable[Reading]]) -> None:
        self._address = (host, port)
        self._lag = lag
        self._registry = CollectorRegistry()
        self._registry.register(Readings(read))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._runner: web.AppRunner | None = None
        self.stuck_seconds: Callable[[], float] = lambda: 0.0
        self.is_ready: Callable[[], bool] = lambda: False

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
        fault = self._fault()
        return web.Response(text=fault or "ok\n", status=500 if fault else 200)

    async def _readyz(self, _: web.Request) -> web.Response:
        ready = self.is_ready()
        return web.Response(
            text="ok\n" if ready else "the first listing is not complete\n", status=200 if ready else 503
        )

    def _fault(self) -> str:
        if self._lag.seconds > _LAG_LIMIT_SECONDS:
            return f"the event loop is {self._lag.seconds:.0f} s late\n"
        if self.stuck_seconds() > _STUCK_LIMIT_SECONDS:
            return f"keys wait, but none was finished for {self.stuck_seconds():.0f} s\n"
        return ""

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
