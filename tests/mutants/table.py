"""The lists of mutants."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "job_images"


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Attributes:
        what: the fault in words.
        file: the module, below ``job_images/``.
        replace: text that is in it exactly once.
        by: what stands there instead.
        killed_by: tests, as pytest names them, of which one must fail.
    """

    what: str
    file: str
    replace: str
    by: str
    killed_by: tuple[str, ...]

    @property
    def module(self) -> str:
        """Its name for ``import``."""
        return self.file.removesuffix(".py").replace("/", ".")

    def source(self) -> str:
        """Return the module's text with the fault in it.

        Raises:
            ValueError: the text to replace is not there, or more than once.
        """
        text = (SOURCES / self.file).read_text()
        if text.count(self.replace) != 1:
            raise ValueError(f"{self.what}: {self.replace!r} is {text.count(self.replace)} times in {self.file}")
        return text.replace(self.replace, self.by)


def mutants(file: Path) -> Iterator[Mutant]:
    """Read one list; each of its entries may leave ``file`` and ``killedBy`` to the list's own."""
    listed: dict[str, Any] = yaml.safe_load(file.read_text())
    for entry in listed["mutants"]:
        yield Mutant(
            what=entry["what"],
            file=entry.get("file", listed.get("file")),
            replace=entry["replace"],
            by=entry["by"],
            killed_by=tuple(entry.get("killedBy", listed.get("killedBy"))),
        )
