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
import sys

from rich.console import Console

from benchmarks.driven.dimensions import DIMENSIONS, Effort
from benchmarks.driven.growth_report import draw, grown, markdown, point_name, tables
from benchmarks.driven.measuring import Measurements
from benchmarks.driven.missing import make_missing
from benchmarks.driven.options import amount, parser_of, some_of, working_folder
from localcluster.progress import Progress


def main() -> None:
    asked = _options()
    effort = Effort(asked.messages, asked.meters, asked.cu, asked.quick)
    chosen = {key: (DIMENSIONS[key], DIMENSIONS[key].points(effort)) for key in asked.dimensions}
    tasks = {point_name(key, points, point): point.task for key, (_, points) in chosen.items() for point in points}
    with working_folder(asked.folder) as folder:
        file = Measurements(folder / "growth.jsonl")
        faults = {} if asked.tables else make_missing(tasks, file, folder, Progress())
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
        "--dimensions",
        type=some_of(DIMENSIONS),
        default=list(DIMENSIONS),
        metavar="NAMES",
        help=f"of {','.join(DIMENSIONS)}",
    )
    parser.add_argument("--messages", type=amount, help="of one measurement, about (4,000,000; quick: 280,000)")
    parser.add_argument("--meters", type=amount, default=10_000, help="where the dimension says nothing else (10,000)")
    parser.add_argument("--quick", action="store_true", help="few messages, smaller ranges: shows that it works")
    asked = parser.parse_args()
    asked.messages = asked.messages or (280_000 if asked.quick else 4_000_000)
    if asked.tables and not asked.folder:
        parser.error("--tables needs the --folder of former measurements")
    return asked


if __name__ == "__main__":
    main()
