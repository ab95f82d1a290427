"""``python -m images build [NAME...] | list | archive --to FOLDER [NAME...]``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from images import build
from images.inputs import IMAGES
from localcluster.problems import ClusterError, MissingPrerequisitesError
from localcluster.progress import Progress


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="images",
        description="Images of this working tree.",
        epilog="example: KUBECONFIG=... STREAMJOB_IMAGE_PREFIX=registry.example.org/me python -m images build",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    made = commands.add_parser("build", help="build what changed and push it to where the cluster pulls from")
    commands.add_parser("list", help="print name and reference of each image as JSON; builds nothing")
    archived = commands.add_parser("archive", help="build images and write archives for 'kind load image-archive'")
    archived.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    for command in (made, archived):
        command.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(IMAGES)}; none means all")
    parsed = parser.parse_args()
    if unknown := set(getattr(parsed, "names", ())) - set(IMAGES):
        parser.error(f"no such image: {', '.join(sorted(unknown))}; there are {', '.join(IMAGES)}")
    return parsed


def run(command: argparse.Namespace, progress: Progress) -> dict[str, str]:
    match command.command:
        case "build":
            return build.build(command.names, progress)
        case "archive":
            written = build.archive(command.to, command.names, progress)
            return {name: str(path) for name, path in written.items()}
        case _:
            return build.references()


def main() -> int:
    """Exit code 2 when something is missing that only the user can bring, 1 when a step failed."""
    progress = Progress()
    try:
        print(json.dumps(run(arguments(), progress), indent=2))
    except ClusterError as error:
        progress.console.print(str(error), highlight=False, markup=False)
        return 2 if isinstance(error, MissingPrerequisitesError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
