"""Memory over time: meters with a latency of one day at a steady rate, the driver inside the memory of its CU.

    make bench-memory [ARGS="--minutes 3 --rate 5000"]

First a backlog of 28 hours fills the state: each meter has the windows of a whole day open. Then all meters send, round
after round, at a steady rate. Every ten seconds memory (of all processes, by kind of process, of the cgroup) and the
size of the checkpoint are sampled; the slopes leave out the first quarter. Where this machine lets a process make a
memory cgroup below its own (version 1), the driver runs in one of cu x 2 GiB, as in its pod. All results are verified.
Samples go to samples.jsonl in the folder. Progress goes to stderr; the last line is one JSON object. Ends with 1 where
the measurement was refused, or a process was ended for want of memory.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.driven.measuring import servers
from benchmarks.driven.memory_limit import MemoryLimit, NoLimit, memory_limit
from benchmarks.driven.memory_report import draw, figures, markdown, table
from benchmarks.driven.options import amount, parser_of, working_folder
from benchmarks.driven.samples import SAMPLE
from benchmarks.driven.steady_load import day_task, run
from localcluster.progress import Progress
from streamjob_api.memory import MIB_PER_CU


def main() -> None:
    asked = _options()
    with working_folder(asked.folder) as folder:
        file = folder / "samples.jsonl"
        told = {} if asked.tables else _measured(asked, folder, file)
        samples = [SAMPLE.validate_json(line) for line in file.read_text().splitlines()] if file.exists() else []
    if samples:
        told = figures(samples) | told
        Console().print(table(samples))
    if asked.markdown and samples:
        asked.markdown.write_text(markdown(samples) + "\n")
    if asked.plot and samples:
        draw(samples, asked.cu * MIB_PER_CU, asked.plot)
    print(json.dumps(told))
    sys.exit(1 if told.get("fault") or told.get("kills") else 0)


def _options() -> argparse.Namespace:
    parser = parser_of("make bench-memory", __doc__)
    parser.set_defaults(cu=1.0)
    parser.add_argument("--minutes", type=float, default=30.0, help="at the steady rate (30)")
    parser.add_argument("--rate", type=amount, default=5_000, help="messages a second (5,000)")
    parser.add_argument("--meters", type=amount, default=10_000, help="10,000")
    asked = parser.parse_args()
    if asked.minutes < 1:
        parser.error("--minutes: at least one, for samples each ten seconds")
    if asked.tables and not asked.folder:
        parser.error("--tables needs the --folder of former samples")
    return asked


def _measured(asked: argparse.Namespace, folder: Path, file: Path) -> dict[str, Any]:
    """Run the driver and write its samples; what is told beside them."""
    file.unlink(missing_ok=True)
    rounds = round(asked.minutes * 60 * asked.rate / asked.meters)
    task = day_task(asked.meters, rounds, asked.cu)
    limit_mib, progress = round(asked.cu * MIB_PER_CU), Progress()
    with (
        tempfile.TemporaryDirectory(dir=folder) as own,
        servers(Path(own), with_redis=False) as (kafka, _),
        _limit(limit_mib, progress) as limit,
        progress.step(f"{asked.minutes:g} minutes at {asked.rate:,} messages a second") as step,
    ):
        outcome = run(task, asked.rate, kafka, limit, Path(own), file, step)
        step.has_failed = bool(outcome.fault)
    return {
        "meters": asked.meters, "cu": asked.cu, "minutes": asked.minutes, "messages_per_second": asked.rate,
        "limit_mib": limit_mib, **asdict(outcome),
    }  # fmt: skip


@contextmanager
def _limit(mib: int, progress: Progress) -> Iterator[MemoryLimit | None]:
    try:
        with memory_limit(mib) as limit:
            yield limit
    except NoLimit as missing:
        progress.say(f"{missing}; memory is sampled only")
        yield None


if __name__ == "__main__":
    main()
