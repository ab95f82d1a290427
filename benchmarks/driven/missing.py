"""Making the measurements that a file does not have yet."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.driven.measuring import Measurements, measure, servers
from benchmarks.driven.tasks import Task
from localcluster.progress import Progress


def make_missing(tasks: Mapping[str, Task], file: Measurements, folder: Path, progress: Progress) -> dict[str, str]:
    """Make every measurement that the file does not have; return those that were refused, and why.

    The log of a driver whose measurement was refused stays in the folder.
    """
    missing = {name: task for name, task in tasks.items() if name not in file.read()}
    if len(missing) < len(tasks):
        progress.say(f"{len(tasks) - len(missing)} of {len(tasks)} measurements are there already")
    faults = {}
    for name, task in missing.items():
        with (
            tempfile.TemporaryDirectory(dir=folder) as own,
            servers(Path(own), with_redis=task.needs_redis) as (kafka, redis),
        ):
            with progress.step(f"{name}: {task.stream.messages:,} messages") as step:
                made = measure(name, task, kafka, redis, Path(own) / "driver", step)
                step.has_failed = bool(made.fault)
            file.add(made)
            if made.fault:
                faults[name] = made.fault
                progress.say(made.fault)
                shutil.copy(Path(own) / "driver" / "log", folder / f"{name.replace('/', '-')}.log")
    return faults
