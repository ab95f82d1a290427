"""All templates through the driver from Kafka to Kafka: CPU and rate with many records of a key and with one.

    make bench-templates [ARGS="--quick --templates meter-reading,device-state"]

Of each template one driver: first a backlog, of which micro-batches take as many records of each meter as they may,
then one record of each meter for each micro-batch, the next one waiting when one is done. All results are verified.
Device state writes latest values to Redis. CPU of broker, Redis and producer is not counted, but they share the cores.
Measurements go to templates.jsonl in the folder: the same command goes on where it was broken off. Progress goes to
stderr; the last line is one JSON object. Ends with 1 where any measurement was refused.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.driven.measuring import Measurement, Measurements
from benchmarks.driven.missing import make_missing
from benchmarks.driven.options import amount, parser_of, some_of, working_folder
from benchmarks.driven.tasks import BACKLOG, IN_STEP, Meters, Phase
from benchmarks.driven.template_tasks import TEMPLATES
from benchmarks.svg_plots import pyplot, save
from localcluster.progress import Progress

_HEAD = ("records per key and batch", "CPU s per million", "records/s")
_COLOURS = {BACKLOG: "#0b6e4f", IN_STEP: "#8d99ae"}


def main() -> None:
    asked = _options()
    meters = _meters(asked.messages, asked.meters, is_quick=asked.quick)
    tasks = {name: TEMPLATES[name][1](meters, asked.cu) for name in asked.templates}
    with working_folder(asked.folder) as folder:
        file = Measurements(folder / "templates.jsonl")
        faults = {} if asked.tables else make_missing(tasks, file, folder, Progress())
        made = {name: found for name, found in file.read().items() if name in tasks}
    Console().print(_table(made))
    if asked.markdown:
        asked.markdown.write_text(_markdown(made) + "\n")
    if asked.plot and made:
        _draw(made, asked.plot)
    told = {name: _figures(found) for name, found in made.items()}
    print(json.dumps({"meters": asked.meters, "cu": asked.cu, "templates": told, "refused": faults}))
    sys.exit(1 if faults else 0)


def _options() -> argparse.Namespace:
    parser = parser_of("make bench-templates", __doc__)
    parser.add_argument(
        "--templates",
        type=some_of(TEMPLATES),
        default=list(TEMPLATES),
        metavar="NAMES",
        help=f"of {','.join(TEMPLATES)}",
    )
    parser.add_argument("--messages", type=amount, help="of the backlog, about (4,000,000; quick: 140,000)")
    parser.add_argument("--meters", type=amount, default=10_000, help="10,000")
    parser.add_argument("--quick", action="store_true", help="few messages: shows that it works")
    asked = parser.parse_args()
    asked.messages = asked.messages or (140_000 if asked.quick else 4_000_000)
    if asked.tables and not asked.folder:
        parser.error("--tables needs the --folder of former measurements")
    return asked


def _meters(messages: int, meters: int, *, is_quick: bool) -> Meters:
    rounds = max(14, round(messages / meters))
    many = Phase(BACKLOG, rounds, rounds // 3, max(1, rounds // 7) if is_quick else None)
    few = Phase(IN_STEP, 8 if is_quick else 40, 2 if is_quick else 10, at_once=1)
    return Meters(meters, (many, few))


def _figures(made: Measurement) -> dict[str, Any]:
    phases = {
        phase: {
            "cpu_seconds_per_million": cost.cpu,
            "records_per_second": cost.rate,
            "records_per_key_and_batch": cost.per_key,
        }
        for phase, cost in made.phases.items()
    }
    return {**phases, "peak_mib": made.peak_mib, "checkpoint_mib": made.checkpoint_mib, "results": made.results}


def _rows(made: Mapping[str, Measurement]) -> list[list[str]]:
    return [
        [
            TEMPLATES[name][0],
            *(
                cell
                for cost in (found.phases[BACKLOG], found.phases[IN_STEP])
                for cell in (f"{cost.per_key:g}", f"{cost.cpu:.2f}", f"{cost.rate:,}")
            ),
            f"{found.peak_mib:,}",
        ]
        for name, found in made.items()
    ]


def _table(made: Mapping[str, Measurement]) -> Table:
    table = Table("template", *_HEAD, *_HEAD, "peak MiB")
    for row in _rows(made):
        table.add_row(*row)
    return table


def _markdown(made: Mapping[str, Measurement]) -> str:
    head = ["", *_HEAD, *_HEAD, "peak MiB"]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *_rows(made)])


def _draw(made: Mapping[str, Measurement], path: Path) -> None:
    """Write an SVG: records a second of each template, both ways; the same bytes again."""
    figure, axes = pyplot().subplots(figsize=(9, 0.6 * len(made) + 1))
    for phase, offset in ((BACKLOG, -0.2), (IN_STEP, 0.2)):
        rates = [found.phases[phase].rate for found in made.values()]
        places = [number + offset for number in range(len(made))]
        label = "a backlog" if phase == BACKLOG else "a record of each meter for each micro-batch"
        bars = axes.barh(places, rates, height=0.38, color=_COLOURS[phase], label=label)
        axes.bar_label(bars, [f"{rate:,}" for rate in rates], padding=4, fontsize=8)
    axes.set_yticks(range(len(made)), [TEMPLATES[name][0] for name in made])
    axes.invert_yaxis()
    axes.set_title("records a second: more is better", fontsize=10)
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2)
    save(figure, path)


if __name__ == "__main__":
    main()
