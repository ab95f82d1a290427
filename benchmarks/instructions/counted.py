"""The program that callgrind runs: each subject a few times, its counts written under its name.

    python -m benchmarks.instructions.counted --subjects MODULE --repeats 3

MODULE has ``SUBJECTS``. Prints the name of each subject when it is done with it.
"""

import argparse
import gc
from collections.abc import Callable, Iterable
from importlib import import_module

from benchmarks.instructions.client_requests import UNCOUNTED, is_under_valgrind, start_counting, write_counts
from benchmarks.instructions.subjects import Subject

WARMING_CALLS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", required=True)
    parser.add_argument("--repeats", type=int, required=True)
    asked = parser.parse_args()
    if not is_under_valgrind():
        raise SystemExit("counted: nothing is counted without callgrind; run python -m benchmarks.instructions")
    count_all(import_module(asked.subjects).SUBJECTS, asked.repeats)


def count_all(subjects: Iterable[Subject], repeats: int) -> None:
    """Make all inputs, which is not counted, then count the subjects one after the other."""
    prepared = [(subject, subject.prepare()) for subject in subjects]
    # When Python collects garbage depends on what was allocated before, so on code that is not meant.
    gc.collect()
    gc.disable()
    start_counting()
    for subject, counted in prepared:
        count(subject, counted, repeats)
        print(subject.name, flush=True)


def count(subject: Subject, counted: Callable[[], int], repeats: int) -> None:
    """Write the counts of some calls, after some that fill caches and let Python specialise its code.

    Raises:
        SystemExit: a call gave another number of rows than it must.
    """
    for _ in range(WARMING_CALLS):
        rows = counted()
        if rows != subject.rows:
            raise SystemExit(f"{subject.name}: {rows} rows came out where {subject.rows} must: is it what is meant?")
    write_counts(UNCOUNTED)
    for _ in range(repeats):
        counted()
        write_counts(subject.name)


if __name__ == "__main__":
    main()
