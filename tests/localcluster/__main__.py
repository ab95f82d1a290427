"""``python -m localcluster up | down [--all] | status | ensure | registry``."""

from __future__ import annotations

import argparse
import os
import sys

from localcluster import lifecycle, registry
from localcluster.problems import ClusterError, MissingPrerequisitesError
from localcluster.processes import ProcessTable
from localcluster.progress import Progress
from localcluster.providers import choose
from localcluster.state import State, exclusive, state_folder


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="localcluster", description="A Kubernetes cluster on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start the cluster, or what is missing of it")
    down = commands.add_parser("down", help="remove the cluster; what took long to build is kept")
    down.add_argument("--all", action="store_true", help="remove built programs and images too")
    commands.add_parser("status", help="say what runs; exit code 1 unless everything does")
    commands.add_parser("ensure", help="make the cluster ready that KUBECONFIG, a Docker engine or this machine offers")
    commands.add_parser("registry", help="start the image registry alone")
    return parser.parse_args()


def run(command: argparse.Namespace, state: State, progress: Progress) -> int:
    match command.command:
        case "up":
            with exclusive(state, progress.say):
                lifecycle.up(state, progress)
            print(f"export PATH={state.bin}:$PATH")
            print(f"export KUBECONFIG={state.kubeconfig}")
        case "down":
            with exclusive(state, progress.say):
                lifecycle.down(state, progress, everything=command.all)
        case "status":
            return lifecycle.status(state, progress)
        case "ensure":
            with choose(progress.console) as cluster:
                print(f"export KUBECONFIG={cluster.kubeconfig}")
        case "registry":
            with exclusive(state, progress.say):
                registry.start(state, ProcessTable(state.pids, state.logs), progress)
            print(registry.ADDRESS)
    return 0


def main() -> int:
    """Exit code 2 when something is missing that only the user can bring, 1 when starting failed."""
    progress = Progress()
    try:
        return run(arguments(), state_folder(os.environ), progress)
    except MissingPrerequisitesError as missing:
        progress.console.print("The local cluster cannot start on this machine:", markup=False)
        progress.console.print(str(missing), highlight=False, markup=False)
        return 2
    except ClusterError as error:
        progress.console.print(str(error), highlight=False, markup=False)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
