"""Write the page of the calculators: ``python -m streamjob_api.calculators.page FILE``."""

import inspect
import sys
from pathlib import Path

from streamjob_api.calculators.catalogue import canonical_name, catalogue
from streamjob_api.calculators.parameters import StageParameters
from streamjob_api.reference import Part, parts, section

_INTRODUCTION = """\
<!-- Made from the calculators by `make crds`; do not edit. -->
# Calculators

What the stages of a [pipeline](templates/pipeline.md) can do. Parameters in **bold** are required. Where a calculator
works on points that it names, records of other points go no further in that stage; give them a stage of their own.

"""


def rendered() -> str:
    """The page."""
    known = {canonical_name(each): each for each in catalogue().values() if not _is_of_others(each)}
    listed = "\n".join(f"- [`{name}`](#{name})" for name in sorted(known))
    return "\n".join([_INTRODUCTION + listed, "", *(_page(name, known[name]) for name in sorted(known))])


def _is_of_others(calculator: type[StageParameters]) -> bool:
    return "/" in canonical_name(calculator)


def _page(name: str, calculator: type[StageParameters]) -> str:
    paragraphs = inspect.cleandoc(calculator.__doc__ or "")
    older = ", ".join(f"`{alias}`" for alias in calculator.ALIASES)
    told = [f"Older name{'s' if len(calculator.ALIASES) > 1 else ''}: {older}.", ""] if older else []
    if not calculator.model_fields:
        return "\n".join([f"## {name}", "", paragraphs, "", *told, "It has no parameters.", ""])
    own, *below = parts(Part(name, calculator))
    _, _, table = section(own).partition("\n| ")
    return "\n".join([f"## {name}", "", paragraphs, "", *told, f"| {table}", *map(section, below)])


def main(file: str) -> None:
    """Write the page."""
    Path(file).write_text(rendered())


if __name__ == "__main__":
    main(sys.argv[1])
