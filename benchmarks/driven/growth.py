"""How the cost of a record grows with a job, one dimension at a time: the driver from Kafka to Kafka, all verified.

    make bench-growth [ARGS="--quick --dimensions assets,partitions"]

Steady CPU between two micro-batches of one run, start-up apart. Broker and producer run on the same machine; their CPU
is not counted. Measurements go to growth.jsonl in the folder: the same command goes on where it was broken off, and
--tables makes tables and plot of that file alone. Progress goes to stderr; the last line is one JSON object. Ends with
1 where any measurement was refused.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from benchmarks.driven.dimensions import DIMENSIONS, Dimension, Effort, Point
from benchmarks.driven.growth_report import draw, grown, markdown, point_name, tables
from benchmarks.driven.measuring import Measurements, measure, servers
from benchmarks.driven.options import amount, parser_of, working_folder
from localcluster.progress import Progress

Chosen = Mapping[str, tuple[Dimension, list[Point]]]


def main() -> None:
    asked = _options()
    effort = Effort(asked.messages, asked.meters, asked.cu, asked.quick)
    chosen = {key: (DIMENSIONS[key], DIMENSIONS[key].points(effort)) for key in asked.dimensions}
    with working_folder(asked.folder) as folder:
        file = Measurements(folder / "growth.jsonl")
        faults = {} if asked.tables else _make(chosen, file, folder, Progress())
        all_grown = grown(chosen, file.read())
    console = Console()
    for table in tables(all_grown):
        console.print(table)
    if asked.markdown:
        asked.markdown.write_text(markdown(all_grown) + "\n")
    if asked.plot and all_grown:
        draw(all_grown, asked.plot)
    told = {each.key: each.figures() for each in all_grown}
    print(json.dumps({"cu": asked.cu, "quick": asked.quick, "dimensions": told, "refused": faults}))
    sys.exit(1 if faults else 0)


def _options() -> argparse.Namespace:
    parser = parser_of("make bench-growth", __doc__)
    parser.add_argument(
        "--dimensions", type=_dimensions, default=list(DIMENSIONS), metavar="NAMES", help=f"of {','.join(DIMENSIONS)}"
    )
    parser.add_argument("--messages", type=amount, help="of one measurement, about (4,000,000; quick: 280,000)")
    parser.add_argument("--meters", type=amount, default=10_000, help="where the dimension says nothing else (10,000)")
    parser.add_argument("--quick", action="store_true", help="few messages, smaller ranges: shows that it works")
    asked = parser.parse_args()
    asked.messages = asked.messages or (280_000 if asked.quick else 4_000_000)
    if asked.tables and not asked.folder:
        parser.error("--tables needs the --folder of former measurements")
    return asked


def _dimensions(text: str) -> list[str]:
    if unknown := set(text.split(",")) - DIMENSIONS.keys():
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not one of {', '.join(DIMENSIONS)}")
    return [key for key in DIMENSIONS if key in text.split(",")]


def _make(chosen: Chosen, file: Measurements, folder: Path, progress: Progress) -> dict[str, str]:
    """Make every measurement that the file does not have; those that were refused, and why."""
    tasks = {point_name(key, points, point): point.task for key, (_, points) in chosen.items() for point in points}
    missing = {name: task for name, task in tasks.items() if name not in file.read()}
    if len(missing) < len(tasks):
        progress.say(f"{len(tasks) - len(missing)} of {len(tasks)} measurements are there already")
    faults = {}
    for name, task in missing.items():
        with tempfile.TemporaryDirectory(dir=folder) as own, servers(Path(own), with_redis=False) as (kafka, _):
            with progress.step(f"{name}: {task.stream.messages:,} messages") as step:
                made = measure(name, task, kafka, None, Path(own) / "driver", step)
                step.has_failed = bool(made.fault)
            file.add(made)
            if made.fault:
                faults[name] = made.fault
                progress.say(made.fault)
                shutil.copy(Path(own) / "driver" / "log", folder / f"{name.replace('/', '-')}.log")
    return faults


if __name__ == "__main__":
    main()
