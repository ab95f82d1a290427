"""Each calculator beside the rate that the service states: in process, and through the driver from Kafka to Kafka.

    make bench-calculators [ARGS="--quick --calculators late-point-tagger,latest-record-merger"]

In process: the records of 10,000 meters go through the smallest pipeline that shows a calculator, with 50 records
of each meter a micro-batch and with one, state written and read as in a driver. From Kafka to Kafka: a driver of 2
CU on a backlog, all results verified; what a result costs to send is part of it. Measurements go to
calculators.jsonl in the folder: the same command goes on where it was broken off. Progress goes to stderr; the last
line is one JSON object. It ends with 1 where any measurement was refused.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.driven.calculator_tasks import CASES, Case
from benchmarks.driven.in_process import Cost, cost_of, ten_stages
from benchmarks.driven.measuring import Measurement, Measurements
from benchmarks.driven.missing import make_missing
from benchmarks.driven.options import amount, parser_of, some_of, working_folder
from benchmarks.driven.tasks import BACKLOG, Meters, Phase
from localcluster.progress import Progress

_HEAD = (
    *("us a record, 50", "us a record, 1", "records/s in process, 50", "stated", "times that"),
    *("records/s by Kafka", "times that", "us a record by Kafka"),
)


def main() -> None:
    asked = _options()
    meters = _meters(asked.messages, asked.meters)
    tasks = {name: CASES[name].task(meters, asked.cu) for name in asked.calculators}
    with working_folder(asked.folder) as folder:
        file, progress = Measurements(folder / "calculators.jsonl"), Progress()
        alone = _in_process(asked, progress)
        faults = {} if asked.tables or asked.in_process else make_missing(tasks, file, folder, progress)
        made = {name: found for name, found in file.read().items() if name in tasks}
    rows = [_row(name, alone[name], made.get(name)) for name in asked.calculators]
    Console().print(_table(rows))
    if asked.markdown:
        asked.markdown.write_text(_markdown(rows) + "\n")
    told = {name: _figures(CASES[name], alone[name], made.get(name)) for name in asked.calculators}
    stages = ten_stages(asked.meters)
    print(json.dumps({"meters": asked.meters, "cu": asked.cu, **told, "ten_stages": stages, "refused": faults}))
    sys.exit(1 if faults else 0)


def _options() -> argparse.Namespace:
    parser = parser_of("make bench-calculators", __doc__)
    parser.add_argument(
        "--calculators", type=some_of(CASES), default=list(CASES), metavar="NAMES", help=f"of {','.join(CASES)}"
    )
    parser.add_argument("--messages", type=amount, help="of the backlog, about (3,000,000; quick: 140,000)")
    parser.add_argument("--meters", type=amount, default=10_000, help="10,000")
    parser.add_argument("--in-process", action="store_true", help="no Kafka")
    parser.add_argument("--quick", action="store_true", help="few messages: shows that it works")
    asked = parser.parse_args()
    asked.messages = asked.messages or (140_000 if asked.quick else 3_000_000)
    return asked


def _meters(messages: int, meters: int) -> Meters:
    rounds = max(14, round(messages / meters))
    return Meters(meters, (Phase(BACKLOG, rounds, rounds // 3),))


def _in_process(asked: argparse.Namespace, progress: Progress) -> dict[str, tuple[Cost, Cost]]:
    costs = {}
    for name in asked.calculators:
        with progress.step(f"{name}, in process"):
            costs[name] = (cost_of(CASES[name], asked.meters, 50), cost_of(CASES[name], asked.meters, 1))
    return costs


def _row(name: str, alone: tuple[Cost, Cost], made: Measurement | None) -> list[str]:
    many, one = alone
    published, through = CASES[name].published, made.phases[BACKLOG] if made else None
    return [
        name,
        f"{many.cpu_us:.2f}",
        f"{one.cpu_us:.2f}",
        f"{many.rate:,}",
        f"{published:,}" if published else "",
        f"{many.rate / published:.0f}" if published else "",
        f"{through.rate:,}" if through else "",
        f"{through.rate / published:.0f}" if through and published else "",
        f"{through.cpu:.2f}" if through else "",
    ]


def _table(rows: list[list[str]]) -> Table:
    table = Table("calculator", *_HEAD)
    for row in rows:
        table.add_row(*row)
    return table


def _markdown(rows: list[list[str]]) -> str:
    head = ["", *_HEAD]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *rows])


def _figures(case: Case, alone: tuple[Cost, Cost], made: Measurement | None) -> Mapping[str, Any]:
    many, one = alone
    through = made.phases[BACKLOG] if made else None
    figures: dict[str, Any] = {
        "in_process_records_per_second": many.rate,
        "in_process_cpu_us": {"50": many.cpu_us, "1": one.cpu_us},
        "published": case.published,
    }
    if through:
        figures |= {"records_per_second": through.rate, "cpu_seconds_per_million": through.cpu}
    if case.published:
        figures["ratio_in_process"] = round(many.rate / case.published, 1)
    if case.published and through:
        figures["ratio"] = round(through.rate / case.published, 1)
    return figures


if __name__ == "__main__":
    main()
