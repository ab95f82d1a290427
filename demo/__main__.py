"""``make demo``: a week of smart meters through a StreamJob on a real cluster, every result compared."""

import os
import sys

import click
from rich.console import Console
from rich.markup import escape

from demo import report
from demo.meters import Week
from demo.run import Outcome, run
from demo.stage import Stage
from images.delivery import deliver
from localcluster.problems import ClusterError
from localcluster.progress import Progress
from localcluster.providers import choose
from localcluster.state import state_folder
from prepare import FOR_IMAGES, ensure_programs

console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
IMAGES = ("operator", "runtime", "kafka", "redis")


@click.command(epilog="Examples: make demo; make demo ARGS='--meters 5000 --days 2'; make demo ARGS=--remove")
@click.option("--meters", default=1000, show_default=True, help="Number of meters.")
@click.option("--days", default=7, show_default=True, help="Simulated days.")
@click.option("--rate", default=20_000, show_default=True, help="Readings sent per second.")
@click.option("--namespace", default="ou-energy", show_default=True, help="The OU's namespace.")
@click.option("--remove", is_flag=True, help="Remove what a former run left in the cluster, and stop.")
def main(meters: int, days: int, rate: int, namespace: str, *, remove: bool) -> None:
    """Run a smart meter's ten-minute extremes end to end and compare every result."""
    data = state_folder(os.environ).root / "data"
    try:
        ensure_programs(FOR_IMAGES, Progress(console))
        with choose(console) as cluster:
            if remove:
                clean_up(Stage(cluster, {}, namespace))
                return
            stage = Stage(cluster, deliver(cluster, IMAGES, Progress(console)), namespace)
            outcome = run(stage, Week(meters=meters, days=days), data, rate, console)
            show(stage, outcome)
    except (ClusterError, TimeoutError) as error:
        console.print(f"[red]The demo stopped:[/] {escape(str(error))}")
        sys.exit(1)
    sys.exit(0 if outcome.holds else 1)


def clean_up(stage: Stage) -> None:
    """Remove everything that the demo brings, but neither the CRDs nor the cluster."""
    stage.remove_ou()
    stage.remove_operator()
    console.print("The demo is removed; `make cluster-down` removes the local cluster.")


def show(stage: Stage, outcome: Outcome) -> None:
    """Print samples, verdicts, what kubectl shows, and where to go from here."""
    report.show_sample(console, outcome.expected, outcome.results)
    report.show_latest(console, outcome.latest_expected, outcome.latest)
    report.show_verdict(console, "Kafka", outcome.topic)
    report.show_verdict(console, "Redis", outcome.redis)
    for name, (counted, defined) in outcome.counts.items():
        console.print(f"Readings that were {name}: the driver counted {counted:,}, by definition {defined:,}")
    console.print(f"\n$ kubectl -n {stage.namespace} get streamjobs,streamresources")
    console.print(stage.cluster.kubectl("-n", stage.namespace, "get", "streamjobs,streamresources"))
    console.print("Look around:")
    console.print(f"  export KUBECONFIG={stage.cluster.kubeconfig}")
    console.print(f"  kubectl -n {stage.namespace} get streamjobs,pods,pvc")
    console.print(f"  kubectl -n {stage.namespace} describe streamjob meter-extremes-10min")
    console.print("Clean up:\n  make demo-down       the demo\n  make cluster-down    the local cluster")


if __name__ == "__main__":
    main()
