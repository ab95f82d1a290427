"""How long a closed window's result takes, at half of what a driver can read, for several trigger intervals.

    make bench-latency [ARGS="--rate 20000 --seconds 60"]

10,000 meters, windows of ten minutes, latency 0. Event time runs faster than the clock and meters are ahead of each
other, so that in each round one of sixty meters closes a window. A producer, a process of its own, keeps to its
schedule; a result's time is from sending the record that closes its window to the result's arrival at a consumer of
the results' topic, by the clock of this machine. Every result is verified. Progress goes to stderr; the last line is
one JSON object. Ends with 1 where a measurement was refused.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.driven.following import Fault
from benchmarks.driven.measuring import servers
from benchmarks.driven.options import amount, size, working_folder
from benchmarks.latency.report import markdown, table
from benchmarks.latency.trial import Steadily, Trial, highest_rate, run
from fixtures.kafka import KafkaBroker
from localcluster.progress import Progress
from streamjob_api.durations import Duration

_INTERVALS = ("0s", "500ms", "2s")


def main() -> None:
    asked = _options()
    told: dict[str, Any] = {"meters": asked.meters, "cu": asked.cu, "seconds": asked.seconds}
    try:
        with working_folder(asked.folder) as folder, tempfile.TemporaryDirectory(dir=folder) as own:
            told |= _measured(asked, Path(own))
    except Fault as refused:
        told["fault"] = str(refused)
    print(json.dumps(told))
    sys.exit(1 if told.get("fault") else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench-latency", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=amount, help="messages a second (half of what a backlog is read at)")
    parser.add_argument("--seconds", type=amount, default=60, help="measured with each interval (%(default)s)")
    parser.add_argument("--warm", type=amount, default=30, metavar="SECONDS", help="fed before (%(default)s)")
    parser.add_argument("--intervals", type=_interval, nargs="+", default=list(_INTERVALS), help="0s 500ms 2s")
    parser.add_argument("--backlog", type=amount, default=3_000_000, help="messages that tell the rate (%(default)s)")
    parser.add_argument("--meters", type=amount, default=10_000, help="%(default)s")
    parser.add_argument("--cu", type=size, default=2.0, help="size of the job: 1 to 4 in steps of 0.5 (%(default)g)")
    parser.add_argument("--folder", type=Path, help="where files go meanwhile")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the docs' table there")
    return parser.parse_args()


def _interval(text: str) -> str:
    try:
        return str(Duration.parse(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _measured(asked: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure with each interval; what is told of it."""
    progress = Progress()
    with servers(folder, with_redis=False) as (kafka, _):
        told: dict[str, Any] = {}
        rate = asked.rate
        if rate is None:
            with progress.step("finding what a driver reads at most") as step:
                told["highest_rate"] = highest_rate(kafka, asked.meters, asked.backlog, asked.cu, folder / "rate", step)
            rate = told["highest_rate"] // 2
        load = Steadily(rate, asked.meters, asked.warm, asked.seconds, asked.cu)
        trials = [_tried(kafka, load, interval, folder, progress) for interval in asked.intervals]
    Console(stderr=True).print(table(trials))
    if asked.markdown:
        asked.markdown.write_text(markdown(trials) + "\n")
    return told | {"rate": rate} | _told(trials)


def _tried(kafka: KafkaBroker, load: Steadily, interval: str, folder: Path, progress: Progress) -> Trial:
    with progress.step(f"trigger interval {interval} at {load.rate:,} messages a second") as step:
        trial = run(kafka, load, interval, folder / interval, step)
        step.has_failed = bool(trial.fault)
    return trial


def _told(trials: list[Trial]) -> dict[str, Any]:
    """The figures of the first interval under the common keys, those of all by interval."""
    first = trials[0].waits
    faults = [f"{trial.interval}: {trial.fault}" for trial in trials if trial.fault]
    return {
        "p50_ms": first.p50_ms if first else None,
        "p99_ms": first.p99_ms if first else None,
        "by_interval": {trial.interval: asdict(trial) for trial in trials},
        **({"fault": "; ".join(faults)} if faults else {}),
    }


if __name__ == "__main__":
    main()
