"""The counts that were accepted, in ``baseline.json``."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.instructions.versions import Versions

FILE = Path(__file__).with_name("baseline.json")


@dataclass(frozen=True)
class Baseline:
    """Accepted counts.

    Attributes:
        versions: what they were counted with.
        model: the processor they were counted on.
        instructions: by function.
    """

    versions: Versions
    model: str
    instructions: Mapping[str, int]


NOTHING = Baseline({}, "", {})


def read(file: Path) -> Baseline:
    """Read the accepted counts; NOTHING where none were accepted yet."""
    return Baseline(**json.loads(file.read_text())) if file.exists() else NOTHING


def write(baseline: Baseline, file: Path) -> None:
    """Accept counts."""
    file.write_text(json.dumps(asdict(baseline), indent=2) + "\n")
