"""Thousands of jobs that run: what the operator costs, how soon an edit is acted on, how long a restart takes."""

from __future__ import annotations

import asyncio
import time
from random import Random

from benchmarks.operator import running_operator
from benchmarks.operator.access import Access
from benchmarks.operator.fleet import Fleet, jobs_path
from benchmarks.operator.running_operator import RunningOperator, Setup
from benchmarks.operator.stage import Stage, say, until_acting
from benchmarks.operator.starts import Figures, percentile

_FILL_SECONDS = 3600
_SAMPLE_SECONDS = 10
_SETTLE_SECONDS = 90  # the minute in which every driver is asked once, and what is over from the start
_MERGE = "application/merge-patch+json"


async def measured(stage: Stage, fleet: Fleet, seconds: float, edits: int) -> Figures:
    """Fill the cluster, then look, edit, restart, and look again for the given time."""
    async with stage.ous(fleet):
        with stage.setup(fleet) as setup:
            await stage.fill(fleet)
            async with stage.operator(setup) as operator:
                sent = await stage.load(fleet)
                say(f"{len(sent)} jobs applied in {max(sent.values()) - min(sent.values()):.0f} s")
                await stage.until_running(fleet, _FILL_SECONDS)
                figures: Figures = {"fill_operator_cpu_seconds": round(operator.process.cpu_seconds())}
                await asyncio.sleep(_SETTLE_SECONDS)
                figures |= await edited(stage, fleet, edits)
            figures |= await restarted(stage, fleet, setup, seconds)
    return figures


async def edited(stage: Stage, fleet: Fleet, edits: int) -> Figures:
    """Edit one job after the other; the act is the deletion of its pod, then comes the next attempt's."""
    acted, replaced = [], []
    chosen = Random(6).sample(fleet.jobs, min(edits, fleet.size))  # noqa: S311 (any will do)
    for namespace, name in chosen:
        job = f"{namespace}/{name}"
        attempt = await _attempt(stage.access, namespace, name)
        sent = time.time()
        path = f"{jobs_path(namespace)}/{name}"
        await stage.access.request("PATCH", path, {"spec": {"restartNonce": 1}}, _MERGE)
        ending, created = await stage.pods.until_replaced(job, attempt + 1, within_seconds=60)
        acted.append(1000 * (ending - sent))
        replaced.append(1000 * (created - sent))
        await asyncio.sleep(0.2)
    figures: Figures = {
        "edit_p50_ms": round(percentile(acted, 50)),
        "edit_p99_ms": round(percentile(acted, 99)),
        "edit_new_pod_p99_ms": round(percentile(replaced, 99)),
    }
    say(f"edits: {figures}")
    return figures


async def _attempt(access: Access, namespace: str, name: str) -> int:
    return int((await access.request("GET", f"{jobs_path(namespace)}/{name}"))["status"]["attempt"])


async def restarted(stage: Stage, fleet: Fleet, setup: Setup, seconds: float) -> Figures:
    """Start a new operator over the fleet that runs: ready once each job had a turn and none waits. Then stay."""
    before = stage.pods.changes
    running = running_operator.start(setup)
    try:
        await until_acting(running)
        listed = time.time() - running.started
        await _until_judged(running, fleet)
        ready = time.time() - running.started
        say(f"restarted: listed after {listed:.1f} s, all judged after {ready:.1f} s")
        figures: Figures = {
            "restart_listed_seconds": round(listed, 1),
            "restart_ready_seconds": round(ready, 1),
            "restart_cpu_seconds": round(running.process.cpu_seconds(), 1),
        }
        await asyncio.sleep(_SETTLE_SECONDS)
        figures |= await _observed(running, seconds)
        changed = [now - then for now, then in zip(stage.pods.changes, before, strict=True)]
        return figures | {"pods_changed": sum(changed)}
    finally:
        await asyncio.to_thread(running.process.stop)


async def _until_judged(running: RunningOperator, fleet: Fleet) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        told = await asyncio.to_thread(running.readings)
        if told.get("jobs_judged", 0) >= fleet.size and told.get("queue_length", 1) == 0:
            return
        await asyncio.sleep(0.25)
    raise TimeoutError(f"not all jobs were judged: {running.readings()}")


async def _observed(running: RunningOperator, seconds: float) -> Figures:
    """CPU and memory over the given time; memory as a line through all samples."""
    began, cpu, told = time.monotonic(), running.process.cpu_seconds(), running.readings()
    samples: list[tuple[float, float]] = []
    while (elapsed := time.monotonic() - began) < seconds:
        samples.append((elapsed, running.process.memory_mib()))
        await asyncio.sleep(_SAMPLE_SECONDS)
        if len(samples) % 6 == 0:
            cores = (running.process.cpu_seconds() - cpu) / (time.monotonic() - began)
            say(f"{elapsed:5.0f} s: {cores:.3f} core, {samples[-1][1]:.0f} MiB")
    elapsed = time.monotonic() - began
    after = running.readings()
    rates = {f"steady_{name}_per_second": (after[name] - told[name]) / elapsed for name in _RATES if name in after}
    return {
        "steady_seconds": round(elapsed),
        "steady_cpu_cores": round((running.process.cpu_seconds() - cpu) / elapsed, 3),
        "steady_rss_mib": round(max(memory for _, memory in samples)),
        "steady_rss_mib_per_hour": round(3600 * _slope(samples), 1),
        **{name: round(value, 2) for name, value in rates.items()},
    }


_RATES = ("api_requests", "progress_asked", "watch_events", "job_turns", "ou_turns")


def _slope(samples: list[tuple[float, float]]) -> float:
    """Least squares, per second."""
    count = len(samples)
    mean_x, mean_y = sum(x for x, _ in samples) / count, sum(y for _, y in samples) / count
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    return sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread if spread else 0.0
