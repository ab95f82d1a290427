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
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.driven.driver_session import DriverSession
from benchmarks.driven.feeder import Feeder
from benchmarks.driven.following import Fault, Follower
from benchmarks.driven.measuring import servers
from benchmarks.driven.memory_limit import MemoryLimit, NoLimit, memory_limit
from benchmarks.driven.memory_report import draw, figures, markdown, table
from benchmarks.driven.options import amount, parser_of, working_folder
from benchmarks.driven.samples import SAMPLE, Sample
from benchmarks.driven.tasks import MINUTE_MS, Meters, Phase, Surroundings, Task, WindowJob, window_task
from localcluster.progress import Progress, Step
from streamjob_api.memory import MIB_PER_CU

_PERIOD_MS = 150_000  # four readings in each window of ten minutes
_FILLING_ROUNDS = 28 * 60 * MINUTE_MS // _PERIOD_MS
_SAMPLE_SECONDS = 10.0
_A_DAY = WindowJob(("max",), latency="1d", latency_ms=24 * 60 * MINUTE_MS)


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
    if asked.minutes * 60 < 4 * _SAMPLE_SECONDS:
        parser.error("--minutes: too short for four samples")
    if asked.tables and not asked.folder:
        parser.error("--tables needs the --folder of former samples")
    return asked


def _measured(asked: argparse.Namespace, folder: Path, file: Path) -> dict[str, Any]:
    """Run the driver and write its samples; what is told beside them."""
    rounds = round(asked.minutes * 60 * asked.rate / asked.meters)
    phases = (Phase("filling", _FILLING_ROUNDS, 0), Phase("steady", rounds, 0))
    task = window_task(_A_DAY, Meters(asked.meters, phases, _PERIOD_MS), cu=asked.cu)
    file.unlink(missing_ok=True)
    progress = Progress()
    told: dict[str, Any] = {
        "meters": asked.meters, "cu": asked.cu, "minutes": asked.minutes, "messages_per_second": asked.rate,
        "limit_mib": round(asked.cu * MIB_PER_CU),
    }  # fmt: skip
    with (
        tempfile.TemporaryDirectory(dir=folder) as own,
        servers(Path(own), with_redis=False) as (kafka, _),
        _limit(told["limit_mib"], progress) as limit,
        progress.step(f"{asked.minutes:g} minutes at {asked.rate:,} messages a second") as step,
    ):
        feeder = Feeder(kafka, task.stream, task.partitions)
        step.note("filling the topic")
        feeder.send(range(_FILLING_ROUNDS))
        document = task.job.document(feeder.org_id, kafka.bootstrap_servers, Path(own) / "driver", None)
        driver = DriverSession(document, Path(own) / "driver", limit)
        try:
            follower = Follower(driver, step)
            follower.until(feeder.sent_messages)
            _steadily(_Looks(driver, follower, feeder, limit, file), task, asked.rate, step)
            feeder.send(task.stream.all_rounds[-1:])
            follower.until(feeder.sent_messages)
            results, fault = task.verdict(Surroundings(kafka, None, driver), task.stream)
            told |= {"results": results, "fault": fault}
        except Fault as refused:
            told["fault"] = str(refused)
        finally:
            driver.stop()
            told["kills"] = limit.kills() if limit else None
        step.has_failed = bool(told["fault"])
    return told


@contextmanager
def _limit(mib: int, progress: Progress) -> Iterator[MemoryLimit | None]:
    try:
        with memory_limit(mib) as limit:
            yield limit
    except NoLimit as missing:
        progress.say(f"{missing}; memory is sampled only")
        yield None


class _Looks:
    """Samples a driver into a file."""

    def __init__(
        self, driver: DriverSession, follower: Follower, feeder: Feeder, limit: MemoryLimit | None, file: Path
    ) -> None:
        self.follower, self.feeder = follower, feeder
        self._driver, self._limit, self._file = driver, limit, file

    def add(self, seconds: float) -> None:
        by_role = self._driver.memory_mib_by_role()
        committed = self.follower.committed
        sample = Sample(
            seconds=round(seconds, 1),
            messages=committed,
            lag=self.feeder.sent_messages - committed,
            cpu_seconds=round(self._driver.cpu_seconds(), 2),
            pss_mib=round(sum(size for _, size in by_role.values()), 1),
            working_set_mib=round(self._limit.working_set_mib(), 1) if self._limit else None,
            by_role={role: (count, round(size, 1)) for role, (count, size) in by_role.items()},
            checkpoint_mib=round(self._driver.checkpoint_mib(), 1),
            scratch_mib=round(self._driver.scratch_mib(), 1),
        )
        with self._file.open("ab") as file:
            file.write(SAMPLE.dump_json(sample) + b"\n")


def _steadily(looks: _Looks, task: Task, rate: int, step: Step) -> None:
    """Send round after round when its time has come, and sample."""
    filling, steady = task.phases
    began, sampled = time.monotonic(), 0
    for number in range(steady.rounds):
        due = number * task.stream.meters / rate
        while (seconds := time.monotonic() - began) < due:
            if seconds >= sampled * _SAMPLE_SECONDS:
                looks.add(seconds)
                sampled += 1
            looks.follower.wait(min(0.25, due - seconds))
        looks.feeder.send([filling.rounds + number])
        step.note(f"{seconds / 60:.1f} minutes at the steady rate")


if __name__ == "__main__":
    main()
