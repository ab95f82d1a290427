"""The operator at scale: thousands of jobs on a real API server over TLS, on nodes that kwok fakes.

    make bench-operator [ARGS="--jobs 100 --fleet 500 --steady 120"]

Progress goes to stderr; a table and, as the last line, one JSON object go to stdout. Everything that was made is
removed at the end, also on Ctrl-C.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.operator import starts, steady, volumes
from benchmarks.operator.access import Access, connected
from benchmarks.operator.fake_nodes import fake_nodes
from benchmarks.operator.fleet import Fleet
from benchmarks.operator.pods_seen import PodsSeen
from benchmarks.operator.stage import Stage, say
from benchmarks.operator.starts import Figures
from fixtures.installation import ensure_crds
from localcluster.providers import Cluster, choose
from streamjob_api import kinds

_PREFIX = "bench-"  # of the fleets' namespaces
_PHASES = ("one-ou", "ten-ous", "rate", "steady")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-operator", description="Measure the operator at scale.")
    parser.add_argument("--phases", default=",".join(_PHASES), help=f"which of {', '.join(_PHASES)}")
    parser.add_argument("--jobs", type=int, default=1000, help="jobs applied at once")
    parser.add_argument("--rate", type=float, default=10.0, help="jobs a second of the phase 'rate'")
    parser.add_argument("--fleet", type=int, default=5000, help="jobs that run while the operator is watched")
    parser.add_argument("--ous", type=int, default=50, help="OUs of that fleet")
    parser.add_argument("--steady", type=float, default=1800.0, help="seconds that it is watched")
    parser.add_argument("--edits", type=int, default=200)
    parser.add_argument(
        "--pace", type=int, default=1, help="ask drivers so many times as often: a small fleet as a big"
    )
    parser.add_argument("--own-namespaces", action="store_true", help="watch these alone; others work on the cluster")
    parser.add_argument("--wait-running", action="store_true", help="count API requests until all jobs run")
    parser.add_argument("--profile", default="", help="python's options for the operator: '-m cProfile -o FILE'")
    return parser.parse_args()


async def phases(stage: Stage, chosen: argparse.Namespace) -> Figures:
    """Each phase with a fleet and an operator of its own."""
    tenth = max(1, chosen.jobs // 10)
    every: dict[str, Callable[[], Awaitable[Figures]]] = {
        "one-ou": lambda: starts.at_once(
            stage, Fleet("one", 1, chosen.jobs, shares_claims=True), "one_ou", until_running=chosen.wait_running
        ),
        "ten-ous": lambda: starts.at_once(stage, Fleet("ten", 10, tenth), "ten_ous", until_running=chosen.wait_running),
        "rate": lambda: starts.at_rate(stage, Fleet("rate", 3, max(1, 3 * tenth // 3)), chosen.rate),
        "steady": lambda: steady.measured(
            stage,
            Fleet("fleet", chosen.ous, chosen.fleet // chosen.ous, shares_claims=True),
            chosen.steady,
            chosen.edits,
        ),
    }
    figures: Figures = {}
    for name in chosen.phases.split(","):
        say(f"phase {name}")
        figures |= await every[name]()
    return figures


def headline(figures: Figures) -> Figures:
    """The figures that were promised something; of one OU and ten, the worse."""
    starts_taken = [figures[name] for name in ("one_ou_seconds", "ten_ous_seconds") if name in figures]
    named = {
        "start_seconds_1000": max(starts_taken, default=None),
        "cr_to_pod_p95_ms": figures.get("at_rate_cr_to_pod_p95_ms"),
        "steady_cpu_cores_5000": figures.get("steady_cpu_cores"),
        "steady_rss_mib_5000": figures.get("steady_rss_mib"),
        "edit_p99_ms": figures.get("edit_p99_ms"),
        "restart_ready_seconds": figures.get("restart_ready_seconds"),
    }
    return {name: value for name, value in named.items() if value is not None} | figures


async def refuse_strangers(access: Access) -> None:
    """An operator of the whole cluster would act on jobs that are not the benchmark's."""
    listed = await access.request("GET", f"/apis/{kinds.API_VERSION}/{kinds.STREAM_JOBS}?limit=1")
    if listed.get("items"):
        raise SystemExit("The cluster has StreamJobs of others: remove them, or add ARGS=--own-namespaces")


@contextmanager
def logs() -> Iterator[Path]:
    """Where all processes write their logs: kept where BENCH_FOLDER says so."""
    with tempfile.TemporaryDirectory(prefix="bench-operator-") as name:
        folder = Path(os.environ.get("BENCH_FOLDER") or name)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder


async def run(cluster: Cluster, chosen: argparse.Namespace) -> Figures:
    with logs() as folder:
        async with connected(cluster.kubeconfig) as access:
            if not chosen.own_namespaces:
                await refuse_strangers(access)
            pods = PodsSeen(_PREFIX)
            profile = tuple(chosen.profile.split())
            async with fake_nodes(access, cluster.kubeconfig, folder), asyncio.TaskGroup() as group:
                beside = [group.create_task(pods.follow(access)), group.create_task(volumes.provide(access, _PREFIX))]
                stage = Stage(cluster, access, folder, pods, not chosen.own_namespaces, chosen.pace, profile)
                figures = await phases(stage, chosen)
                for task in beside:
                    task.cancel()
    return figures


def main() -> None:
    chosen = options()
    with choose() as cluster:
        ensure_crds(cluster)
        with asyncio.Runner() as runner:
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # cleaned up as on Ctrl-C
            try:
                figures = headline(runner.run(run(cluster, chosen)))
            except KeyboardInterrupt:
                raise SystemExit(130) from None
    for name, value in figures.items():
        print(f"{name:<40} {value:>12}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
