"""How long a job takes to start, from its being applied to its first committed micro-batch, and where the time goes.

    make bench-start [ARGS="--jobs 3"]

On a real cluster, with the operator from the chart and the runtime's image, which the node has already: a start before
the first measured one sees to that. Jobs start one after the other, each alone, on a topic with 7,000 messages, and
each is deleted before the next. Everything is looked at ten times a second, by the clock of this machine. What each
start reads and writes is verified. Progress goes to stderr; the last line is one JSON object. Ends with 1 where a
start failed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.driven.options import amount, size
from benchmarks.operator.access import connected
from benchmarks.start import job as jobs
from benchmarks.start.milestones import TOTALS, Spread, Start, split, totals
from benchmarks.start.watching import NotStarted, removed, started
from demo.stage import Stage
from images.delivery import deliver
from localcluster.progress import Progress, Step
from localcluster.providers import Cluster, choose

_NAMESPACE, _ORG_ID, _KAFKA_PORT, _RELEASE = "ou-starts", "oStarts", 39095, "streamjob-starts"


def main() -> None:
    asked = _options()
    with choose() as cluster:
        told = _measured(cluster, asked, Progress())
    print(json.dumps(told))
    sys.exit(1 if told.get("fault") else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench-start", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=amount, default=30, help="starts that are measured (%(default)s)")
    parser.add_argument("--cu", type=size, default=1.0, help="size of the job: 1 to 4 in steps of 0.5 (%(default)g)")
    return parser.parse_args()


def _measured(cluster: Cluster, asked: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    """Set the stage, measure, and remove everything; what is told of it."""
    with progress.step("building images and handing them to the cluster"):
        images = deliver(cluster, ("operator", "runtime", "kafka", "redis"))
    stage = Stage(cluster, images, _NAMESPACE, _ORG_ID, _KAFKA_PORT, _RELEASE, _RELEASE)
    told = {"jobs": asked.jobs, "cu": asked.cu}
    try:
        with progress.step("installing operator, Kafka and Redis"):
            stage.install_operator()
            stage.install_platform()
            stage.apply("streamresource.yaml")
        with stage.kafka() as bootstrap:
            jobs.send(stage, bootstrap)
            with progress.step(f"{asked.jobs} starts, one after the other") as step:
                starts = asyncio.run(_starts(stage, asked.jobs, asked.cu, step))
            fault = jobs.fault_of_results(stage, bootstrap, len(starts) + 1)
    except NotStarted as failed:
        return told | {"fault": str(failed)}
    finally:
        stage.remove_ou()
        stage.remove_operator()
    Console(stderr=True).print(_table(starts))
    return told | _figures(starts) | ({"fault": fault} if fault else {})


async def _starts(stage: Stage, count: int, cu: float, step: Step) -> list[Start]:
    """The first start is not measured: it brings the image to the node."""
    starts, results = [], len(jobs.expected())
    async with connected(stage.cluster.kubeconfig) as access:
        for number in range(count + 1):
            manifest = jobs.manifest(f"start-{number}", stage.namespace, cu)
            starts.append(await started(access, manifest, jobs.STREAM.messages, results))
            await removed(access, manifest)
            step.note(f"{number} measured")
    return starts[1:]


def _figures(starts: Sequence[Start]) -> dict[str, Any]:
    by_total = {milestone: asdict(found) for milestone, found in totals(starts).items()}
    return {
        "p50_seconds": by_total["batch"]["p50"],
        "p99_seconds": by_total["batch"]["p99"],
        "since_applied": by_total,
        "split": {part: asdict(found) for part, found in split(starts).items()},
    }


def _table(starts: Sequence[Start]) -> Table:
    shown = Table("", "p50", "p99", title="Seconds")
    for milestone, found in totals(starts).items():
        _add(shown, f"applied to {TOTALS[milestone]}", found)
    shown.add_section()
    for part, found in split(starts).items():
        _add(shown, part, found)
    return shown


def _add(shown: Table, name: str, found: Spread) -> None:
    shown.add_row(name, f"{found.p50:.1f}", f"{found.p99:.1f}")


if __name__ == "__main__":
    main()
