"""What is wrong with a manifest, in the words that its author reads: path, fault, value given, remedy."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from streamjob_api.fault_words import words
from streamjob_api.places import homes, place
from streamjob_api.spelling import cut, without_credentials

# More are not read at once, and a hostile manifest has any number of them.
MAX_FAULTS = 50
# A condition's message holds 2,048 characters; it ends with the number of those left out, not within a fault.
_MAX_LENGTH = 2000

NULL = "null; leave the field out or give it a value"
# What stands below is a calculator's own.
_FREE = "parameters"

ModelT = TypeVar("ModelT", bound=BaseModel)
Path = tuple[str | int, ...]


class InvalidSpec(ValueError):  # noqa: N818 (the name of the condition's reason)
    """A spec that the model refuses.

    Attributes:
        faults: each as ``spec.path: what is wrong``, in the order of the manifest; beyond 50, how many more there
            are. ``str`` names as many as fit into a condition.
    """

    def __init__(self, faults: Sequence[str], more: int = 0) -> None:
        super().__init__(_joined(faults, more))
        self.faults = _first(faults, MAX_FAULTS, more)


def parse_spec(model: type[ModelT], raw: Any) -> ModelT:
    """Validate the ``spec`` of a manifest.

    Raises:
        InvalidSpec: naming every fault at once, spelled as the user wrote it.
    """
    return parse_part(model, raw, "spec", nulls=list(_nulls(raw)))


def parse_part(model: type[ModelT], raw: Any, root: str, nulls: Sequence[Path] = ()) -> ModelT:
    """Validate a part of a manifest that begins at ``root``; the nulls that are named are faults too.

    Raises:
        InvalidSpec: as for ``parse_spec``.
    """
    try:
        parsed = model.model_validate(raw, by_alias=True, by_name=False)
        found: list[ErrorDetails] = []
    except ValidationError as error:
        found = error.errors(include_url=False)
    if not found and not nulls:
        return parsed
    raise InvalidSpec(*_sentences(model, raw, root, found, nulls))


def path_text(path: Path, root: str) -> str:
    """A path as a manifest's author reads it: ``spec.policies[0].input``, ``spec.kafka.properties['a.b']``."""
    return root + "".join(_step(part) for part in path)


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    name = str(part)
    return f".{name}" if re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name) else f"[{cut(name)!r}]"


def _sentences(
    model: type[BaseModel], raw: Any, root: str, found: Sequence[ErrorDetails], nulls: Sequence[Path]
) -> tuple[list[str], int]:
    """The first sentences in the order of the manifest, and how many faults are left."""
    known = set(nulls)
    at = [(tuple(part for part in details["loc"] if part != "[key]"), details) for details in found]
    faults = [*((path, None) for path in nulls), *((path, details) for path, details in at if path not in known)]
    order = _Order(raw)
    faults.sort(key=lambda fault: order.rank(fault[0]))
    told: dict[str, None] = {}
    for number, (path, details) in enumerate(faults):
        if len(told) >= MAX_FAULTS:  # finding words takes time, and hostile manifests have any number of faults
            return list(told), len(faults) - number
        texts = [NULL] if details is None else words(details, place(model, path), homes(model, root))
        told |= {without_credentials(f"{path_text(path, root)}: {text}"): None for text in texts}
    return list(told), 0


class _Order:
    """Where paths stand in a manifest."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._positions: dict[int, dict[Any, int]] = {}

    def rank(self, path: Path) -> list[int]:
        """To sort by; what is missing stands at the end of what should hold it."""
        rank, raw = [], self._raw
        for step in path:
            if isinstance(raw, Mapping):
                rank.append(self._position(raw, step))
                raw = raw.get(step)
            elif isinstance(raw, list) and isinstance(step, int) and step < len(raw):
                rank.append(step)
                raw = raw[step]
            else:
                break
        return rank

    def _position(self, raw: Mapping[Any, Any], name: Any) -> int:
        if id(raw) not in self._positions:
            self._positions[id(raw)] = {each: number for number, each in enumerate(raw)}
        return self._positions[id(raw)].get(name, len(raw))


def _nulls(raw: Any) -> Iterator[Path]:
    """The paths of all nulls, save in what a calculator defines; without recursion, since anything may be given."""
    waiting: list[tuple[Path, Any]] = [((), raw)]
    while waiting:
        path, value = waiting.pop()
        entries = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
        for step, below in entries:
            if below is None:
                yield (*path, step)
            elif isinstance(below, Mapping | list) and step != _FREE:
                waiting.append(((*path, step), below))


def _first(faults: Sequence[str], number: int, more: int) -> list[str]:
    """The first faults, and how many more there are."""
    rest = max(len(faults) - number, 0) + more
    return [*faults[:number], f"and {rest} more"] if rest else list(faults)


def _joined(faults: Sequence[str], more: int) -> str:
    lengths = accumulate(len(fault) + len("; ") for fault in faults)
    fitting = sum(length <= _MAX_LENGTH for length in lengths)
    return "; ".join(_first(faults, max(fitting, 1), more))
