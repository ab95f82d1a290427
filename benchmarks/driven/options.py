"""What the commands of this package have in common on the command line."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path


def parser_of(command: str, description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that all have."""
    parser = argparse.ArgumentParser(
        prog=command, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cu", type=size, default=2.0, help="size of the job: 1 to 4 in steps of 0.5 (%(default)g)")
    parser.add_argument("--folder", type=Path, help="where measurements, and logs of refused ones, are kept")
    parser.add_argument("--tables", action="store_true", help="measure nothing: tell what the folder has")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the docs' table there")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write the plot there, an SVG")
    return parser


def amount(text: str) -> int:
    """Parse a number above zero; ``10_000`` is one."""
    number = int(text.replace("_", "").replace(",", ""))
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return number


def some_of(known: Collection[str]) -> Callable[[str], list[str]]:
    """Return what parses names with commas between them, each one of the known; they come in the order of these."""

    def parse(text: str) -> list[str]:
        if unknown := set(text.split(",")) - set(known):
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not one of {', '.join(known)}")
        return [name for name in known if name in text.split(",")]

    return parse


def size(text: str) -> float:
    """Parse a Standalone job's size."""
    number = float(text)
    if not 1 <= number <= 4 or number * 2 % 1:
        raise argparse.ArgumentTypeError(f"{text} is not a size of a Standalone job: 1 to 4 in steps of 0.5")
    return number


@contextmanager
def working_folder(kept: Path | None) -> Iterator[Path]:
    """The folder that was asked for, or one that goes at the end; a command that is terminated ends what it started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="bench-") as own:
        folder = kept or Path(own)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
