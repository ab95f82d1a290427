"""Counting by callgrind, which executes a program instruction by instruction: exact whatever else the machine does."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks.instructions.client_requests import UNCOUNTED

ROOT = Path(__file__).parents[2]
Counts = Mapping[str, tuple[int, ...]]

# One thread does the work, as in a driver, and nothing is left to chance: strings hash alike in each run, and Polars'
# allocator gives no memory back, which it does by the clock (2 % of a call that is then longer or shorter).
_ENVIRONMENT = {
    "POLARS_MAX_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "_RJEM_MALLOC_CONF": "background_thread:false,narenas:1,dirty_decay_ms:-1,muzzy_decay_ms:-1",
}
_DESCRIPTION = re.compile(r"^desc: Trigger: Client Request: (.+)$", re.MULTILINE)
_TOTALS = re.compile(r"^totals: (\d+)$", re.MULTILINE)


class CannotCount(Exception):  # noqa: N818 (named for what was met)
    """Callgrind is not there, or what it ran failed; the words say what to do."""


def valgrind() -> str:
    """Return where valgrind is.

    Raises:
        CannotCount: it is not installed.
    """
    found = shutil.which("valgrind")
    if found is None:
        raise CannotCount("valgrind is not installed (Debian: apt-get install valgrind)")
    return found


def counts(subjects: str, repeats: int, folder: Path, done: Callable[[str], None]) -> Counts:
    """Count the instructions of the subjects of a module.

    Args:
        subjects: the module's name; it has ``SUBJECTS``.
        repeats: how often each is counted.
        folder: where callgrind's files go, for callgrind_annotate and KCachegrind.
        done: told the name of each subject that was counted.

    Returns:
        By name the instructions of each call, in order.

    Raises:
        CannotCount: see there.
    """
    command = [valgrind(), *_options(folder), sys.executable, "-m", "benchmarks.instructions.counted"]
    command += ["--subjects", subjects, "--repeats", str(repeats)]
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(
            command, cwd=ROOT, env=os.environ | _ENVIRONMENT, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as program:
            for line in program.stdout or ():
                done(line.strip())
        if program.returncode != 0:
            errors.seek(0)
            raise CannotCount(f"{' '.join(command)} ended with {program.returncode}:\n{errors.read()[-4000:]}")
    return read_counts(folder)


def _options(folder: Path) -> Iterator[str]:
    yield "--tool=callgrind"
    yield "--instr-atstart=no"
    yield "--fair-sched=yes"  # a thread that waits must not spin for as long as chance lets it
    yield f"--callgrind-out-file={folder / 'callgrind.out'}"
    yield f"--log-file={folder / 'valgrind.log'}"


def read_counts(folder: Path) -> Counts:
    """Read what ``write_counts`` had callgrind write."""
    found: dict[str, list[int]] = {}
    for file in sorted(folder.glob("callgrind.out.*"), key=lambda file: int(file.suffix[1:])):
        text = file.read_text(errors="replace")
        name, totals = _DESCRIPTION.search(text), _TOTALS.search(text)
        if name is not None and totals is not None and name[1] != UNCOUNTED:
            found.setdefault(name[1], []).append(int(totals[1]))
    return {name: tuple(counted) for name, counted in found.items()}
