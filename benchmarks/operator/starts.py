"""How fast jobs get their driver pods: many at once, and a few each second."""

from __future__ import annotations

import asyncio
import os
from statistics import quantiles

from benchmarks.operator.fleet import Fleet
from benchmarks.operator.processes import cpu_seconds_of
from benchmarks.operator.running_operator import RunningOperator
from benchmarks.operator.stage import Stage, say
from localcluster.state import state_folder

_PATIENCE_SECONDS = 900
_COMPONENTS = ("kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler")

Figures = dict[str, float]


def percentile(values: list[float], hundredths: int) -> float:
    return quantiles(values, n=100, method="inclusive")[hundredths - 1] if len(values) > 1 else values[0]


async def at_once(stage: Stage, fleet: Fleet, label: str, *, until_running: bool) -> Figures:
    """Apply all jobs as fast as the API server takes them; from the first request to the last driver pod."""
    return await _started(stage, fleet, label, rate=0.0, until_running=until_running)


async def at_rate(stage: Stage, fleet: Fleet, rate: float) -> Figures:
    """Apply so many jobs a second; each job's time from its own request to its pod."""
    return await _started(stage, fleet, "at_rate", rate=rate, until_running=False)


async def _started(stage: Stage, fleet: Fleet, label: str, rate: float, *, until_running: bool) -> Figures:
    async with stage.ous(fleet):
        with stage.setup(fleet) as setup:
            await stage.fill(fleet)
            async with stage.operator(setup) as operator:
                await asyncio.sleep(5)  # the OUs' first passes
                figures = await _timed(stage, fleet, operator, rate)
                say(f"{label}: {figures}")
                if until_running:
                    await stage.until_running(fleet, _PATIENCE_SECONDS)
                    figures |= _requests(fleet, operator)
    return {f"{label}_{name}": value for name, value in figures.items()}


async def _timed(stage: Stage, fleet: Fleet, operator: RunningOperator, rate: float) -> Figures:
    pids = state_folder(os.environ).pids
    before, others = operator.process.cpu_seconds(), cpu_seconds_of(_COMPONENTS, pids)
    sent, _ = await asyncio.gather(stage.load(fleet, rate), stage.pods.until_created(fleet.size, _PATIENCE_SECONDS))
    created = {job: min(moments.values()) for job, moments in stage.pods.created.items()}
    waited = [1000 * (created[job] - sent[job]) for job in sent]
    after = cpu_seconds_of(_COMPONENTS, pids)
    spent = {name: round(after[name] - others[name], 1) for name in after}
    say(f"CPU seconds of the control plane: {spent}")
    return {
        "seconds": round(max(created.values()) - min(sent.values()), 1),
        "client_seconds": round(max(sent.values()) - min(sent.values()), 1),
        "cr_to_pod_p50_ms": round(percentile(waited, 50)),
        "cr_to_pod_p95_ms": round(percentile(waited, 95)),
        "cr_to_pod_max_ms": round(max(waited)),
        "operator_cpu_seconds": round(operator.process.cpu_seconds() - before, 1),
        "operator_rss_mib": round(operator.process.memory_mib("VmHWM")),
        "control_plane_cpu_seconds": round(sum(spent.values()), 1),
    }


def _requests(fleet: Fleet, operator: RunningOperator) -> Figures:
    """API requests a job, from its creation to Running."""
    by_kind = operator.by_label("api_requests")
    for labels, count in sorted(by_kind.items(), key=lambda item: -item[1]):
        say(f"  {count / fleet.size:6.2f} a job: {labels}")
    return {"requests_per_job": round(sum(by_kind.values()) / fleet.size, 2)}
