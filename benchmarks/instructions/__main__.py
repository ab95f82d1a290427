"""Instructions of the hot pure functions beside those that were accepted: exact whatever else the machine does.

    make instructions            compare with benchmarks/instructions/baseline.json
    make instructions-accept     count and write that file
    make instructions ARGS="--keep /tmp/counts"; callgrind_annotate /tmp/counts/callgrind.out.1

Needs valgrind, takes a minute of one core. Progress goes to stderr; a table and, as the last line, one JSON object go
to stdout. Ends with 0: no function takes more instructions than tolerated; 1: one does, or the baseline does not have
the same functions; 2: nothing could be counted; 3: nothing was compared, since the baseline is of other versions of
Python, Polars and the like.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.instructions import baseline
from benchmarks.instructions.baseline import Baseline
from benchmarks.instructions.callgrind import CannotCount, Counts, counts, valgrind
from benchmarks.instructions.verdicts import ACCEPT, Verdict, differences, judge, not_comparable
from benchmarks.instructions.versions import processor_model, versions_here

SUBJECTS = "benchmarks.instructions.subjects"


def main() -> None:
    asked = options()
    try:
        sys.exit(accept(asked) if asked.accept else check(asked))
    except CannotCount as fault:
        print(f"Nothing was counted: {fault}", file=sys.stderr)
        sys.exit(2)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make instructions", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accept", action="store_true", help="write the baseline")
    parser.add_argument("--tolerance", type=percentage, default=0.05, help="how far counts may rise, in percent (5)")
    parser.add_argument("--repeats", type=at_least_one, default=3, help="calls that are counted of each function (3)")
    parser.add_argument("--baseline", type=Path, default=baseline.FILE, metavar="FILE", help="another baseline")
    parser.add_argument("--subjects", default=SUBJECTS, metavar="MODULE", help="other functions: SUBJECTS of a module")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep callgrind's files there")
    return parser.parse_args()


def percentage(text: str) -> float:
    """Parse a number above zero, in percent."""
    if not 0 < (number := float(text)) < 100:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 100 percent")
    return number / 100


def at_least_one(text: str) -> int:
    """Parse a positive integer."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number


def check(asked: argparse.Namespace) -> int:
    """Compare with the baseline; returns the exit code."""
    accepted, here = baseline.read(asked.baseline), versions_here(valgrind())
    if accepted is baseline.NOTHING:
        raise CannotCount(f"there is no {asked.baseline} to compare with; {ACCEPT} writes it")
    if different := differences(here, accepted.versions):
        print(not_comparable(different))
        print(json.dumps({"verdict": "other versions", "here": dict(here), "baseline": dict(accepted.versions)}))
        return 3
    verdicts = list(judge(counted(asked), accepted, asked.tolerance))
    show(verdicts)
    faults = [verdict.fault for verdict in verdicts if verdict.fault is not None]
    print("\n".join(faults) or "No function takes more instructions than tolerated.")
    print(json.dumps(figures(verdicts) | {"verdict": "refused" if faults else "accepted"}))
    return 1 if faults else 0


def accept(asked: argparse.Namespace) -> int:
    """Write the baseline; returns the exit code."""
    former, here = baseline.read(asked.baseline), versions_here(valgrind())
    found = counted(asked)
    verdicts = list(judge(found, former, asked.tolerance))
    least = {name: min(calls) for name, calls in found.items()}
    baseline.write(Baseline(here, processor_model(), least), asked.baseline)
    show(verdicts)
    print(f"Accepted: {asked.baseline} is written; commit it with the change that it belongs to.")
    print(json.dumps(figures(verdicts) | {"verdict": "written"}))
    return 0


def counted(asked: argparse.Namespace) -> Counts:
    """Count all subjects, telling which one is done."""
    with folder_of(asked.keep) as folder, Console(stderr=True).status("callgrind is starting") as status:
        return counts(asked.subjects, asked.repeats, folder, lambda name: status.update(f"counted: {name}"))


@contextmanager
def folder_of(kept: Path | None) -> Iterator[Path]:
    """The folder for callgrind's files; one that nobody asked for is removed."""
    if kept is None:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
        return
    kept.mkdir(parents=True, exist_ok=True)
    for former in kept.glob("callgrind.out*"):
        former.unlink()
    yield kept


def show(verdicts: Sequence[Verdict]) -> None:
    """Print the table."""
    table = Table("function", "instructions", "accepted", "factor", "spread", "", box=box.SIMPLE)
    table.columns[0].no_wrap = True
    for column in table.columns[1:5]:
        column.justify = "right"
    for verdict in verdicts:
        table.add_row(verdict.name, *cells(verdict))
    Console().print(table)


def cells(verdict: Verdict) -> Iterator[str]:
    """Yield what the table says of a function."""
    for number in (verdict.instructions, verdict.accepted):
        yield "-" if number is None else f"{number:,}"
    yield "-" if verdict.factor is None else f"{verdict.factor:.3f}"
    yield f"{verdict.spread:.2%}"
    faster = f"fewer: {ACCEPT} keeps it so" if verdict.is_faster else ""
    yield "too many" if verdict.is_slower else faster


def figures(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return the figures of the last line."""
    return {
        "unit": "instructions a call",
        "tolerance": verdicts[0].tolerance,
        "functions": {
            verdict.name: {
                "instructions": verdict.instructions,
                "accepted": verdict.accepted,
                "factor": None if verdict.factor is None else round(verdict.factor, 4),
                "spread": round(verdict.spread, 5),
            }
            for verdict in verdicts
        },
    }


if __name__ == "__main__":
    main()
